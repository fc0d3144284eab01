import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { CORE_SCHEMA, dump, load, mergeTag } from 'js-yaml';
import { glob } from 'tinyglobby';
import { describe, expect, test } from 'vitest';
import { readPlainYaml } from '../../src/pipeline/config/plain-yaml.js';
import { anyConfiguration } from '../support/arbitrary.js';

const schema = CORE_SCHEMA.withTags(mergeTag);

/** What js-yaml makes of a text; undefined where it refuses it. */
function loaded(text: string): { readonly document: unknown } | undefined {
  try {
    return { document: load(text, { schema, maxDepth: 100 }) };
  } catch {
    return undefined;
  }
}

/** Each value of a document, with the order of keys and the sign of zero, in a form that compares by text. */
function spell(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return `[${value.map(spell).join()}]`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' ? String(value) : JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${spell(inner)}`);
  return `{${entries.join()}}`;
}

function holdsVariable(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsVariable);
}

/** Checks that what is read, if it is, is what js-yaml makes of it. Gives whether it was. */
function agrees(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain === undefined) return false;
  const expected = loaded(text);
  expect(expected, `js-yaml refuses ${JSON.stringify(text)}`).toBeDefined();
  expect(spell(plain.document), JSON.stringify(text)).toBe(spell(expected?.document));
  if (holdsVariable(plain.document)) expect(plain.hasVariables, JSON.stringify(text)).toBe(true);
  return true;
}

/** What is read here, and what it means. */
const plainTexts: readonly (readonly [string, unknown])[] = [
  ['a: 1\n', { a: 1 }],
  ['a: 1', { a: 1 }],
  ['---\na: 1\n', { a: 1 }],
  ['# first\n\na: 1 # one\n  # deeper\nb: c d # e\n', { a: 1, b: 'c d' }],
  ['- a\n- 1\n-\n- - b\n  - c\n', ['a', 1, null, ['b', 'c']]],
  ['a:\n- b\n- c\nd:\n  - e\n', { a: ['b', 'c'], d: ['e'] }],
  ['a:\nb: ~\nc: null\n', { a: null, b: null, c: null }],
  [
    '- a: 1\n  b: 2\n-   c: 3\n    d: 4\n',
    [
      { a: 1, b: 2 },
      { c: 3, d: 4 },
    ],
  ],
  ['200: a\ntrue: b\n0x10: c\n1.50: d\n', { 200: 'a', true: 'b', 16: 'c', 1.5: 'd' }],
  [
    'a: 0o17\nb: 0x1F\nc: 1e3\nd: -0\ne: +7\nf: 007\ng: 1_000\n',
    { a: 15, b: 31, c: 1000, d: -0, e: 7, f: 7, g: '1_000' },
  ],
  ['a: yes\nb: True\nc: FALSE\nd: tRUE\n', { a: 'yes', b: true, c: false, d: 'tRUE' }],
  ['a: http://b:80/c#d\nb: x:y\nc: a - b\n', { a: 'http://b:80/c#d', b: 'x:y', c: 'a - b' }],
  [`a: 'it''s'\nb: "\\u00e9\\n\\"q\\""\n'c d': 1\n"e": 2\n`, { a: "it's", b: 'é\n"q"', 'c d': 1, e: 2 }],
  ['a: [b, 1, [c]]\nd: { e: f, "g": {} }\nh: []\n', { a: ['b', 1, ['c']], d: { e: 'f', g: {} }, h: [] }],
  ['- { a: b }\n- [c]\n', [{ a: 'b' }, ['c']]],
  ['a: |\n  b\n    c\n\nd: >-\n  e\n  f\ng: |+\n  h\n\n', { a: 'b\n  c\n', d: 'e f', g: 'h\n\n' }],
  ['- |\n  a\n\tb\n- >\n   c\n\n   d\n', undefined],
  ['- |\n  a\n  \tb\n- >\n   c\n\n   d\n', ['a\n\tb\n', 'c\nd\n']],
  ['a: 1\r\n# b\r\nc: |\r\n  d\r\n  e\r\n', { a: 1, c: 'd\ne\n' }],
  ['größe: 日本語\na: 🙂\n', { größe: '日本語', a: '🙂' }],
  ['toString: a\nconstructor: b\n', { toString: 'a', constructor: 'b' }],
];

/** What is js-yaml's to read, or to refuse. */
const handedOver: readonly string[] = [
  '',
  '# nothing\n',
  'a',
  'a: &b 1\nc: *b\n',
  'a: !!str 1\n',
  'a: 1\n---\nb: 2\n',
  'a: 1\n...\n',
  '%YAML 1.2\n---\na: 1\n',
  'a: 1\rb: 2\r',
  'a: 1\r\r\nb: 2\r\n',
  'a:\t1\n',
  'a: 1\n\tb: 2\n',
  'a: b\n  c\n',
  'a: "b\n  c"\n',
  'a: [b,\n  c]\n',
  'a: 1\na: 2\n',
  'a: { b: 1, b: 2 }\n',
  '__proto__: 1\n',
  '"__proto__": 1\n',
  '{ a: { __proto__: 1 } }\n',
  'a: .inf\n',
  'a: .nan\n',
  '<<: { a: 1 }\n',
  '? a\n: b\n',
  'a: b: c\n',
  ' a: 1\n',
  'a:\n  b: 1\n c: 2\n',
  '- a\n b\n',
  'a: |2\n   b\n',
  'a: |\n\n  b\n   \n c\n',
  'a: "\\q"\n',
  "a: 'b\n",
  'a: [b\n',
  'a: {b}\n',
  'a: ${B}: c\n',
  'a: { b: ${C} }\n',
  'a: @b\n',
  'a: \u0007\n',
  'a: b\u0080\n',
  'a: "\u0001"\n',
  `${'a:\n'.repeat(1)}${'['.repeat(60)}${']'.repeat(60)}\n`,
];

describe('a plain text', () => {
  test.each(plainTexts)('%j', (text, document) => {
    const plain = readPlainYaml(text);
    if (document === undefined) expect(plain).toBeUndefined();
    else expect(spell(plain?.document)).toBe(spell(document));
    agrees(text);
  });
});

describe('what is left to js-yaml', () => {
  test.each(handedOver)('%j', (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});

test('a text with variables is known, however the variable is written', () => {
  expect(readPlainYaml('a: ${B}\n')?.hasVariables).toBe(true);
  expect(readPlainYaml('a: "\\x24{B}"\n')?.hasVariables).toBe(true);
  expect(readPlainYaml('a: /$1\nb: "\\\\d"\n')?.hasVariables).toBe(false);
});

test('deep nesting is left to js-yaml, however deep', () => {
  for (const deep of ['- '.repeat(100_000) + 'a\n', `a: ${'['.repeat(100_000)}`, `a: ${'{b: '.repeat(100_000)}`]) {
    expect(readPlainYaml(deep)).toBeUndefined();
  }
});

test('a long text in quotes needs no more room than it has', () => {
  const long = '\\n\\\\a'.repeat(2_000_000);
  expect(readPlainYaml(`a: "${long}"\n`)?.document).toEqual({ a: '\n\\a'.repeat(2_000_000) });
});

test('the files of this project are read without js-yaml', async () => {
  const root = new URL('../..', import.meta.url).pathname;
  const files = await glob(['examples/**/*.{yaml,yml}', 'test/**/*.{yaml,yml}', '.github/**/*.{yaml,yml}'], {
    cwd: root,
    absolute: true,
    dot: true,
  });
  expect(files.length).toBeGreaterThan(0);
  const unread: string[] = [];
  for (const file of files) if (!agrees(await readFile(file, 'utf8'))) unread.push(file);
  expect(unread.filter((file) => file.includes('/examples/'))).toEqual([]);
});

/** The ways in which a document is written down. */
const styles = fc.record({
  indent: fc.integer({ min: 1, max: 5 }),
  seqNoIndent: fc.boolean(),
  flowLevel: fc.constantFrom(-1, -1, -1, 1, 2, 3),
  lineWidth: fc.constantFrom(-1, 20, 80),
  forceQuotes: fc.boolean(),
  quoteStyle: fc.constantFrom('single' as const, 'double' as const),
});

test('a document in any style is what js-yaml makes of it', () => {
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(anyConfiguration, fc.jsonValue({ maxDepth: 4 })), styles, (document, style) => {
      const text = dump(document, style);
      if (agrees(text)) read++;
      agrees(text.replaceAll('\n', '\r\n'));
    }),
    { numRuns: 300 },
  );
  expect(read).toBeGreaterThan(0);
});

/** Pieces of texts that are right, and wrong, in many ways. */
const pieces = fc.constantFrom(
  ...'a¦b: ¦c:¦key: value¦ ¦  ¦    ¦\n¦\n  ¦\n    ¦\n- ¦\n  - ¦- ¦-¦:¦: ¦,¦\n\n¦\n \n¦#¦ # c¦\n# c\n'.split('¦'),
  ...'[¦]¦{¦}¦[]¦{}¦"¦\'¦"q": ¦\'s\'¦\\¦\\n¦\\x41¦|¦>¦|-\n¦>+\n¦?¦? ¦---¦\n---\n¦...¦%¦@¦`¦='.split('¦'),
  ...'1¦-1¦0x1¦1.5¦.5¦~¦null¦true¦<<¦<<: ¦&a ¦*a¦!!str ¦${A}¦__proto__: 1'.split('¦'),
  ...'\t¦\r\n¦\u0085¦\u00a0¦\ufeff¦\u0001¦\u007f¦é¦🙂'.split('¦'),
);

test('a text of any pieces is what js-yaml makes of it', () => {
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 14 }), (parts) => {
      agrees(parts.join(''));
      agrees(parts.join('').replaceAll('\n', '\r\n'));
      agrees(`a: 1\nb:\n  ${parts.join('')}`);
      agrees(`- a: ${parts.join('')}\n  b: c\n`);
    }),
    { numRuns: 2000 },
  );
});

test('a document with a few characters changed is what js-yaml makes of it', () => {
  const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 3 }), fc.option(pieces)), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      fc.oneof(anyConfiguration, fc.jsonValue({ maxDepth: 3 })),
      styles,
      edits,
      (document, style, changes) => {
        let text = dump(document, style);
        for (const [where, length, piece] of changes) {
          const at = Math.floor(where * text.length);
          text = text.slice(0, at) + (piece ?? '') + text.slice(at + length);
        }
        agrees(text);
      },
    ),
    { numRuns: 500 },
  );
});
