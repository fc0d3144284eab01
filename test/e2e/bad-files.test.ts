import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test as it } from 'vitest';
import { openShell } from './shell.js';

const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
  .split('')
  .map(
    (name, index) =>
      `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefgh'[index] ?? 'a'}`).join(', ')}]`,
  )
  .join('\n')}\n`;

/** Files that are no configuration, and what must be said of each. */
const badFiles: readonly (readonly [string, string, RegExp])[] = [
  ['empty', '', /bad\.yaml.*empty/],
  ['only a comment', '# nothing\n', /bad\.yaml.*empty/],
  ['null', 'null\n', /null|mapping/],
  ['a list', '- services\n', /mapping/],
  ['a scalar', 'services\n', /mapping/],
  ['binary', '\u0000\u0001\u0002\uFFFE\u0000', /bad\.yaml/],
  ['not YAML', 'services: [\n  - {]\n', /bad\.yaml:2:\d+/],
  ['two documents', 'services: []\n---\nservices: []\n', /document/],
  ['a duplicate key', 'services: []\nservices: []\n', /bad\.yaml:2:1.*duplicate/i],
  ['deeply nested', `services: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`, /deep|nest/i],
  ['an alias bomb', bomb, /alias/i],
  ['wrong types everywhere', 'services: {}\nconsumers: 5\nssls: x\nglobal_rules: []\n', /4 problems/],
  ['an unknown key', 'servcies: []\n', /contains an unknown key "servcies"/],
];

describe.concurrent('a file that is', () => {
  it.for(badFiles)('%s is refused with its place, without a stack', async ([, content, says], test) => {
    const shell = openShell(test);
    shell.write('bad.yaml', content);
    const { status, stdout, stderr } = await shell.adc(['lint', '-f', 'bad.yaml']);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).not.toMatch(/\n {4}at |RangeError|TypeError/);
    expect(stderr.length).toBeLessThan(2_000);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  it('of 100 MB, missing, a folder or not to be read is refused', async (test) => {
    const shell = openShell(test);
    const file = openSync(join(shell.cwd, 'big.yaml'), 'w');
    ftruncateSync(file, 100 * 1024 * 1024);
    closeSync(file);
    const { status, stderr } = await shell.adc(['lint', '-f', 'big.yaml', '-f', 'missing*.yaml', '-f', '.']);
    expect(status).toBe(1);
    expect(stderr).toContain('3 problems');
    expect(stderr).toMatch(/big\.yaml: the file is too large/);
    expect(stderr).toMatch(/No file matches "missing\*\.yaml"/);
    expect(stderr).toMatch(/"\." is a directory/);
  });
});
