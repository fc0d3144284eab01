import { createHash } from 'node:crypto';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import type { Memory, MemorySpace } from '../../memory/memory.js';
import type { Endpoint } from '../backend.js';
import { parseDocument } from './document.js';
import type { Stamp } from './endpoint.js';
import { takeInventory, type Inventory } from './inventory.js';

/** Documents from this size on, in bytes of JSON, are worth packing. */
const leastPacked = 16_384;

/**
 * A document that is kept for later: as the JSON it is written in, packed as soon as there is time, which takes a small
 * part of what its objects do. They are made anew when they are wanted and nobody has them any more.
 */
export class KeptDocument {
  /** Of the JSON, unpacked. */
  readonly bytes: number;
  #json: Uint8Array;
  #isPacked = false;
  #inventory: WeakRef<Inventory> | undefined;

  /**
   * @param json a document that was read before
   * @param inventory the same, read as resources
   */
  constructor(json: Uint8Array, inventory?: Inventory) {
    this.bytes = json.byteLength;
    this.#json = json;
    this.#inventory = inventory === undefined ? undefined : new WeakRef(inventory);
    if (this.bytes >= leastPacked) this.#pack(json);
  }

  /** The document as resources. The same object as before, as long as somebody holds it. */
  get inventory(): Inventory {
    const known = this.#inventory?.deref();
    if (known !== undefined) return known;
    const json = this.#isPacked ? inflateRawSync(this.#json) : this.#json;
    const document = parseDocument(new TextDecoder().decode(json));
    if (typeof document === 'string') throw new Error(`a document that is kept cannot be read again: ${document}`);
    const made = takeInventory(document);
    this.#inventory = new WeakRef(made);
    return made;
  }

  #pack(json: Uint8Array): void {
    deflateRaw(json, { level: 1 }, (error, packed) => {
      if (error !== null) return;
      this.#json = packed;
      this.#isPacked = true;
    });
  }
}

/** What is remembered of one instance: what it held when it was last read or written. */
export interface Remembered {
  /** What `HEAD` answered then. Absent on versions without digests: then the document only saves reading it as resources again. */
  readonly stamp?: Stamp;
  readonly document: KeptDocument;
}

/** What is remembered of the instances of one cache key, each as one caller sees it. */
export interface Recollection {
  get(endpoint: Endpoint): Remembered | undefined;
  set(endpoint: Endpoint, remembered: Remembered): void;
  forget(endpoint: Endpoint): void;
}

/**
 * Opens what is remembered for a cache key.
 *
 * @param sharers how many instances there are: they usually hold, and share, one document
 */
export function recollect(memory: Memory, cacheKey: string, sharers: number): Recollection {
  const space: MemorySpace<Remembered> = memory.space('standalone/instances');
  const keyOf = ({ server, token, tls }: Endpoint): string =>
    createHash('sha256')
      .update(JSON.stringify([cacheKey, server, token, tls ?? null]))
      .digest('base64');
  return {
    get: (endpoint) => space.get(keyOf(endpoint)),
    set: (endpoint, remembered) =>
      space.set(keyOf(endpoint), remembered, Math.ceil(remembered.document.bytes / sharers) + 512),
    forget: (endpoint) => space.delete(keyOf(endpoint)),
  };
}
