// How results are shown.
import { cpus, loadavg, totalmem } from 'node:os';

/**
 * Prints lines of results, with a `!` before those that do not hold what is wished.
 *
 * @param lenient a miss is shown, and is no failure: the numbers of quick runs say little
 * @returns `line(name, value, wish, holds)`, and the names of all that failed
 */
export function createReport({ width = 64, lenient = false } = {}) {
  const failures = [];
  return {
    failures,
    line: (name, value, wish, holds) => {
      if (!holds && !lenient) failures.push(name);
      process.stdout.write(`${holds ? '  ' : '! '}${name.padEnd(width)} ${String(value).padStart(12)}   ${wish}\n`);
    },
  };
}

/** A number with as many digits as say something. */
export function figure(number) {
  if (Math.abs(number) >= 100) return number.toFixed(0);
  return number.toFixed(Math.abs(number) >= 10 ? 1 : 2);
}

/** What one side took, in milliseconds or, of memory, in megabytes. */
export function sideText(number) {
  return number >= 1e6 ? `${figure(number / 1e6)} MB` : figure(number);
}

/** What the numbers were taken on. */
export function machine() {
  return {
    node: process.version,
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memory: totalmem(),
    load: loadavg().map((load) => Number(load.toFixed(2))),
  };
}
