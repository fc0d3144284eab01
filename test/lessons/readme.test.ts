import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const read = (...path: readonly string[]): string => readFileSync(join(import.meta.dirname, ...path), 'utf8');

it('the table of what must hold names only tests that exist', () => {
  const rows = [...read('README.md').matchAll(/^\|[^|]*\| `(?<file>[^`]+)` \| (?<name>.+?) \|$/gm)];
  expect(rows.length).toBeGreaterThan(60);
  const missing = rows.flatMap(({ groups: { file = '', name = '' } = {} }) =>
    read('../..', file).includes(name) ? [] : [`${file}: ${name}`],
  );
  expect(missing).toEqual([]);
});
