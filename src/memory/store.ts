import { LRUCache } from 'lru-cache';
import type { Memory, MemorySpace } from './memory.js';

/** Options of {@link createMemory}. */
export interface MemoryOptions {
  /** The most that all spaces together hold, by the sizes their users gave. Default 64 MiB. */
  readonly bytes?: number;
}

/** What one entry costs beside its value: key, list links, map slots. */
const entryOverhead = 256;

interface Entry {
  readonly space: string;
  readonly value: object;
  readonly bytes: number;
}

/**
 * Makes the store of the process: one bound over all spaces, so that the space in use has the room; what was used longest
 * ago goes first. A value that alone is over the bound is not kept.
 */
export function createMemory(options: MemoryOptions = {}): Memory {
  const maxSize = options.bytes ?? 64 * 1024 * 1024;
  const entries = new LRUCache<string, Entry>({ maxSize, sizeCalculation: (entry) => entry.bytes });
  const fullKey = (space: string, key: string): string => `${space}\0${key}`;

  return {
    keeps: true,
    space: <T extends object>(space: string): MemorySpace<T> => ({
      get: (key) => entries.get(fullKey(space, key))?.value as T | undefined,
      set: (key, value, bytes) => {
        const full = fullKey(space, key);
        entries.set(full, { space, value, bytes: Math.max(0, Math.ceil(bytes)) + entryOverhead + 2 * full.length });
      },
      delete: (key) => {
        entries.delete(fullKey(space, key));
      },
    }),
    report: () => {
      const used: Record<string, { entries: number; bytes: number }> = {};
      for (const entry of entries.values()) {
        const { entries: count, bytes } = used[entry.space] ?? { entries: 0, bytes: 0 };
        used[entry.space] = { entries: count + 1, bytes: bytes + entry.bytes };
      }
      return used;
    },
    clear: () => entries.clear(),
  };
}
