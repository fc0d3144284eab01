import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { collections, type Entry, type Store, type StoreEvent } from './store.js';

/** The file as a whole: `{"revision": n, "entries": […]}`. */
interface Saved {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** One change in the journal. */
interface Line {
  readonly revision: number;
  readonly collection: Entry['collection'];
  readonly id: string;
  /** What stands there now; absent after a delete. */
  readonly entry?: Entry;
}

/** How long a journal may get, in bytes, before it is folded into the file. */
const longestJournal = 16 * 1024 * 1024;

/**
 * Keeps a store in a file. The file is replaced as a whole, by a rename; changes since stand in a journal beside it
 * (`{path}.journal`), each written before its request is answered. So a process that is killed loses nothing it
 * answered, and a line that was cut short is one that was never answered. Starting and closing fold the journal in.
 */
export class DataFile {
  readonly #path: string;
  readonly #store: Store;
  readonly #journal: number;
  #length = 0;

  private constructor(path: string, store: Store) {
    this.#path = path;
    this.#store = store;
    this.#journal = openSync(journalOf(path), 'a', 0o600);
    this.#fold();
    store.subscribe((event) => this.#append(event));
  }

  /**
   * Reads the file and its journal, if they exist, into the store, and writes every change from then on.
   *
   * @throws RangeError when the file holds something else; the system's error when it cannot be read or written.
   */
  static open(path: string, store: Store): DataFile {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) {
      const saved = readSaved(path);
      store.restore(saved.entries, saved.revision);
    }
    for (const line of readJournal(journalOf(path))) {
      // A journal that was folded in but not yet emptied repeats what the file holds.
      if (line.revision > store.revision) store.replay(line.collection, line.id, line.entry, line.revision);
    }
    return new DataFile(path, store);
  }

  /** Folds the journal into the file and stops writing. */
  close(): void {
    this.#fold();
    closeSync(this.#journal);
    rmSync(journalOf(this.#path), { force: true });
  }

  #append(event: StoreEvent): void {
    const { collection, id, after } = event;
    const line: Line = {
      revision: this.#store.revision,
      collection,
      id,
      ...(after === undefined ? {} : { entry: after }),
    };
    this.#length += writeSync(this.#journal, `${JSON.stringify(line)}\n`);
    if (this.#length > longestJournal) this.#fold();
  }

  #fold(): void {
    const saved: Saved = {
      revision: this.#store.revision,
      entries: collections.flatMap((collection) => [...this.#store.entries(collection)]),
    };
    replaceFile(this.#path, JSON.stringify(saved));
    ftruncateSync(this.#journal, 0);
    this.#length = 0;
  }
}

function journalOf(path: string): string {
  return `${path}.journal`;
}

function readSaved(path: string): Saved {
  const saved = parse(readFileSync(path, 'utf8')) as Saved | undefined;
  if (saved === undefined || !Number.isInteger(saved.revision) || !Array.isArray(saved.entries)) {
    throw new RangeError(`${path} is no data file of the emulator`);
  }
  return saved;
}

function readJournal(path: string): readonly Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => (text === '' ? [] : ((parse(text) as Line | undefined) ?? [])));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function replaceFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(draft, 'w', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
