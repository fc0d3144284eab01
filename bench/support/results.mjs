// Where results are kept: a part that is measured again replaces what was there of it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.mjs';

const folder = join(root, 'bench/results');
const pathOf = (quick) => join(folder, quick ? 'quick.json' : 'full.json');

/** All that was measured so far, by part: `at`, `machine`, and its `results`. */
export function readResults(quick) {
  try {
    return JSON.parse(readFileSync(pathOf(quick), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Puts parts that were just measured into the file; gives its path, relative to the root. */
export function writeResults(quick, parts) {
  mkdirSync(folder, { recursive: true });
  const file = pathOf(quick);
  writeFileSync(file, `${JSON.stringify({ ...readResults(quick), ...parts }, undefined, 2)}\n`);
  return file.slice(root.length + 1);
}
