import { chmod, mkdir, truncate } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { maxFileBytes } from '../../src/pipeline/config/files.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import { folderWith, loadFrom, loadText, refusal, said } from './support.js';

const isRoot = process.getuid?.() === 0;

test.skipIf(isRoot)('a file that may not be read', async () => {
  const folder = await folderWith({ 'adc.yaml': 'services: []\n' });
  await chmod(join(folder, 'adc.yaml'), 0);
  const error = await refusal(loadFrom(folder));
  expect(error.code).toBe('file');
  expect(said(error)).toEqual(['cannot be read: permission denied']);
});

test('a file that is too large is not read to its end', async () => {
  const folder = await folderWith({ 'adc.yaml': '' });
  await truncate(join(folder, 'adc.yaml'), maxFileBytes + 1);
  const error = await refusal(loadFrom(folder));
  expect(error.code).toBe('file');
  expect(said(error)).toEqual([
    'the file is too large: at most 64 MiB are read; split the configuration into several files',
  ]);

  let read = 0;
  const endless = async function* () {
    const chunk = Buffer.alloc(1024 * 1024, 'a');
    for (;;) {
      read += chunk.length;
      yield chunk;
    }
  };
  const stdin = await refusal(loadFrom(folder, { files: ['-'], stdin: () => Readable.from(endless()) }));
  expect(stdin.code).toBe('file');
  expect(read).toBeLessThan(maxFileBytes + 40 * 1024 * 1024);
});

test('a pipe is read like a file', async () => {
  const folder = await folderWith({});
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const [{ state }] = await Promise.all([
    loadFrom(folder, { files: ['pipe'] }),
    import('node:fs/promises').then(({ writeFile }) => writeFile(join(folder, 'pipe'), 'services: [{name: a}]\n')),
  ]);
  expect(state.resources.size).toBe(1);
});

test('bytes that are no text', async () => {
  const folder = await folderWith({
    'adc.yaml': new Uint8Array([0x50, 0x4b, 0xff, 0xfe, 0x00, 0x01]),
    'zero.yaml': 'a: \0b\n',
  });
  expect(said(await refusal(loadFrom(folder)))).toEqual(['this is not a text in UTF-8']);
  expect(said(await refusal(loadFrom(folder, { files: ['zero.yaml'] })))).toEqual([
    '1:4 this is not a text: it holds a zero byte',
  ]);
});

test('nesting without end, in both formats and over the wire', async () => {
  const depth = 100_000;
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(said(await refusal(loadText(`services: ${deep}\n`)))[0]).toContain('nesting exceeded maxDepth');
  const folder = await folderWith({
    'a.json': `{"services": ${deep}}`,
    'b.yaml': Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
  });
  expect(said(await refusal(loadFrom(folder, { files: ['a.json'] })))).toEqual(['1:113 nested deeper than 100 levels']);
  expect((await refusal(loadFrom(folder, { files: ['b.yaml'] }))).code).toBe('syntax');
  const document = { global_rules: { p: JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) as unknown } };
  expect(said(await refusal(() => resolveConfiguration(document, { lint: true, managedBy: false })))).toEqual([
    'nested deeper than 100 levels',
  ]);
});

test('aliases that stand for more than they say', async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `  l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`,
  );
  const bomb = `global_rules:\n  l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n${levels.join('\n')}\n`;
  expect(said(await refusal(loadText(bomb)))).toEqual([
    expect.stringMatching(/^the aliases of this file stand for \d+ values; at most 5000000 are read$/),
  ]);
  const merges = Array.from(
    { length: 30 },
    (_, level) => `  m${level + 1}: &m${level + 1} { <<: [${Array(90).fill(`*m${level}`).join(', ')}] }`,
  );
  const keys = Array.from({ length: 1000 }, (_, key) => `k${key}: 1`).join(', ');
  expect(said(await refusal(loadText(`global_rules:\n  m0: &m0 { ${keys} }\n${merges.join('\n')}\n`)))[0]).toContain(
    'merge keys exceeded',
  );
  const many = `global_rules:\n  a: &a { x: 1 }\n  b: { l: [${Array(100_001).fill('*a').join(', ')}] }\n`;
  expect(said(await refusal(loadText(many)))[0]).toContain('aliases exceeded');
});

test('an alias inside what it names', async () => {
  expect(said(await refusal(loadText('global_rules:\n  a: &a { b: *a }\n')))).toEqual([
    'an alias stands inside what it refers to, or aliases nest without end',
  ]);
});

test('a chain of aliases too long to walk', async () => {
  const chain = Array.from({ length: 50_000 }, (_, index) => `    - &a${index + 1} [*a${index}]`).join('\n');
  const error = await refusal(loadText(`global_rules:\n  p:\n   l:\n    - &a0 [x]\n${chain}\n`));
  expect(said(error)[0]).toMatch(/^the aliases of this file stand for/);
});

test('a folder named like the default file', async () => {
  const folder = await folderWith({});
  await mkdir(join(folder, 'adc.yaml'));
  expect(said(await refusal(loadFrom(folder)))).toEqual([
    '"adc.yaml" is a directory; name its files, such as "adc.yaml/*.yaml"',
  ]);
});

test('values that are no JSON', async () => {
  const values = { a: 1n, b: Number.POSITIVE_INFINITY, c: Symbol('x'), d: () => 1 };
  const error = await refusal(() =>
    resolveConfiguration({ global_rules: { p: values } }, { lint: true, managedBy: false }),
  );
  expect(error.problems).toHaveLength(4);
});

test('a very long string in JSON', async () => {
  const folder = await folderWith({
    'a.json': JSON.stringify({ global_rules: { p: { x: '\\n"é'.repeat(1_000_000) } } }),
  });
  const { state } = await loadFrom(folder, { files: ['a.json'] });
  expect(state.resources.size).toBe(1);
});
