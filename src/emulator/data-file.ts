import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Entry, type Store, collections } from './store.js';

interface Saved {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/**
 * Keeps a store in a file. The file is replaced as a whole, by a rename, so that it is never half written: a process
 * that is killed leaves the last state it wrote. Changes made while it writes are written together right after.
 */
export class DataFile {
  readonly #path: string;
  readonly #store: Store;
  #dirty = false;
  #writing: Promise<void> | undefined;

  private constructor(path: string, store: Store) {
    this.#path = path;
    this.#store = store;
    store.subscribe(() => this.#changed());
  }

  /**
   * Reads the file, if it exists, into the store, and writes every change from then on.
   *
   * @throws RangeError when the file holds something else; the system's error when it cannot be read.
   */
  static async open(path: string, store: Store): Promise<DataFile> {
    const saved = await read(path);
    if (saved !== undefined) store.restore(saved.entries, saved.revision);
    return new DataFile(path, store);
  }

  /** Waits until everything is written. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #changed(): void {
    this.#dirty = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(): Promise<void> {
    while (this.#dirty) {
      // Lets the changes of one turn be written together.
      await new Promise((resolve) => setImmediate(resolve));
      this.#dirty = false;
      const saved: Saved = {
        revision: this.#store.revision,
        entries: collections.flatMap((collection) => [...this.#store.entries(collection)]),
      };
      await replace(this.#path, JSON.stringify(saved));
    }
  }
}

async function read(path: string): Promise<Saved | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const saved = JSON.parse(text) as Saved;
    if (Number.isInteger(saved.revision) && Array.isArray(saved.entries)) return saved;
  } catch {
    // Falls through to the one message that names the file.
  }
  throw new RangeError(`${path} is no data file of the emulator`);
}

async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
