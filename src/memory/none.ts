import type { Memory } from './memory.js';

/** The memory of a process that does one job and ends: it keeps nothing. */
export const noMemory: Memory = {
  keeps: false,
  space: () => ({ get: () => undefined, set: () => undefined, delete: () => undefined }),
  report: () => ({}),
  clear: () => undefined,
};
