import { createHash } from 'node:crypto';
import type { Memory, MemorySpace } from '../../memory/memory.js';
import type { Endpoint } from '../backend.js';
import type { Stamp } from './endpoint.js';
import type { Inventory } from './inventory.js';

/** What is remembered of one instance: what it held when it was last read or written. */
export interface Remembered {
  /** What `HEAD` answered then. Absent on versions without digests: then the document only saves reading it as resources again. */
  readonly stamp?: Stamp;
  /** Made when it is first asked for, then kept. */
  readonly inventory: () => Inventory;
  /** Of the document as JSON. */
  readonly bytes: number;
}

/** What is remembered of the instances of one cache key, each as one caller sees it. */
export interface Recollection {
  get(endpoint: Endpoint): Remembered | undefined;
  set(endpoint: Endpoint, remembered: Remembered): void;
  forget(endpoint: Endpoint): void;
}

/** What parsed objects and the resources made of them keep alive, compared with the JSON they came from. */
const overhead = 4;

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
      space.set(keyOf(endpoint), remembered, Math.ceil((remembered.bytes * overhead) / sharers) + 512),
    forget: (endpoint) => space.delete(keyOf(endpoint)),
  };
}
