// Everything that is measured, by the name of its script.
import { connections } from './connections.mjs';
import { memory } from './memory.mjs';
import { size } from './size.mjs';
import { growth, stages } from './stages.mjs';
import { start } from './start.mjs';
import { unchanged } from './unchanged.mjs';
import { latency, sync } from './writes.mjs';

/**
 * A row: `name`; `rounds`, how often each side is run, in a quick run perhaps never; `burst`,
 * how many runs make one sample where revisions are compared (default 1); `values`, what of a sample is reported; `prepare(context)`, which
 * gives `ours(program)` and, unless every value stands alone, `limit(program)`: each runs its side once and gives a sample, an
 * object of numbers. Of a value: `unit`; `target`, the most it may be; `alone`: it has no limit beside it; `difference`: it is
 * what ours takes more than the limit, not how many times as much; `exact`: the same in every run; `unguarded`: revisions are
 * not compared by it, because it is too coarse or measured by another row as well.
 */
export const parts = { start, sync, unchanged, stages, memory, connections, size, growth, latency };
