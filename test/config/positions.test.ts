import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { locateSources } from '../../src/pipeline/config/locate.js';
import { indexText, offsetOf } from '../../src/pipeline/config/positions.js';
import { folderWith, loadFrom, loadText, refusal } from './support.js';

/** What stands at the place that is found for a path. */
function at(text: string, format: 'yaml' | 'json', path: (string | number)[], part: 'key' | 'value' = 'value'): string {
  const offset = offsetOf(indexText(text, format), path, part);
  return text.slice(offset, offset + 6);
}

describe('the place of a path', () => {
  const yaml = `top: &t
  a: 1
  'b': "two"
list:
  - x: |
      block
  - {y: [10, 20], z: }
more: *t
merged:
  <<: [*t, {q: 8}]
  c: 3
multi:
- - deep
`;
  test.each<[(string | number)[], 'key' | 'value', string]>([
    [['top', 'a'], 'value', "1\n  'b"],
    [['top', 'a'], 'key', 'a: 1\n '],
    [['top', 'b'], 'value', '"two"\n'],
    [['list', 0, 'x'], 'value', 'x: |\n '],
    [['list', 1], 'value', '{y: [1'],
    [['list', 1, 'y', 1], 'value', '20], z'],
    [['list', 1, 'z'], 'value', 'z: }\nm'],
    [['more'], 'value', '*t\nmer'],
    [['more', 'b'], 'value', '"two"\n'],
    [['merged', 'a'], 'value', "1\n  'b"],
    [['merged', 'q'], 'value', '8}]\n  '],
    [['merged', 'c'], 'value', '3\nmult'],
    [['multi', 0, 0], 'value', 'deep\n'],
    [['top', 'missing'], 'value', 'top: &'],
    [['list', 7, 'x'], 'value', 'list:\n'],
    [[], 'value', 'top: &'],
  ])('in YAML: %j, %s', (path, part, expected) => {
    expect(at(yaml, 'yaml', path, part)).toBe(expected);
  });

  const json = '{"a": {"b\\u0041": [1, {"c": null}]}, "e": []}';
  test.each<[(string | number)[], 'key' | 'value', string]>([
    [['a', 'bA', 0], 'value', '1, {"c'],
    [['a', 'bA', 1, 'c'], 'value', 'null}]'],
    [['a', 'bA', 1, 'c'], 'key', '"c": n'],
    [['e'], 'value', '[]}'],
    [['a', 'x'], 'value', '{"b\\u0'],
  ])('in JSON: %j, %s', (path, part, expected) => {
    expect(at(json, 'json', path, part)).toBe(expected);
  });
});

test('line ends of all kinds count once', async () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const error = await refusal(loadText(['services:', '  - name: a', '    foo: 1', ''].join(end)));
    expect(error.problems).toMatchObject([{ line: 3, column: 5, excerpt: '    foo: 1' }]);
  }
});

test('what an alias repeats is reported once, where it stands', async () => {
  const error = await refusal(
    loadText('services:\n  - name: a\n    upstream: &u { nodes: 5 }\n  - name: b\n    upstream: *u\n'),
  );
  expect(error.problems.map(({ line, column }) => `${line}:${column}`)).toEqual(['3:27']);
});

test('many problems are found in time that grows with the text', async () => {
  const routes = Array.from({ length: 5000 }, (_, index) => `      - { name: r${index}, uris: [/], foo: 1 }\n`).join(
    '',
  );
  const error = await refusal(loadText(`services:\n  - name: a\n    routes:\n${routes}`));
  expect(error.problems).toHaveLength(5000);
  expect(error.problems.at(-1)).toMatchObject({ line: 5003, column: 35 });
});

describe('excerpts', () => {
  test('show the line, with secrets masked', async () => {
    const text = `
consumers:
  - username: u
    foo: 1
    credentials:
      - { name: c, type: wrong, config: { key: planted-secret-1 } }
      - name: d
        type: basic-auth
        config: { password: "planted-secret-2", user: x }
        bar: planted-secret-1
ssls:
  - snis: [a]
    certificates:
      - certificate: $env://C
        key: planted-secret-3
`;
    const error = await refusal(loadText(text));
    expect(error.problems.map(({ line, excerpt }) => [line, excerpt?.trim()])).toEqual([
      [4, 'foo: 1'],
      [6, '- { name: c, type: wrong, config: { key: *** } }'],
      [10, 'bar: ***'],
      [15, 'key: ***'],
    ]);
    expect(JSON.stringify(error.problems)).not.toContain('planted');
  });

  test('mask what looks like a secret where the file cannot be parsed', async () => {
    for (const line of [
      '{ client_secret: planted-secret, b: ] }',
      'password: "planted-secret" x: y: z',
      'a: { "api_key": "planted-secret", ] }',
      "token: 'planted-secret' 'b'",
      'Authorization: Bearer planted-secret: x: y',
      `k: [MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwplantedggSjAgEAAoIBAQC7 }`,
    ]) {
      const error = await refusal(loadText(`${line}\n`));
      expect(error.code).toBe('syntax');
      expect(JSON.stringify([error.message, error.problems])).not.toContain('planted');
      expect(error.problems[0]?.line).toBeGreaterThan(0);
    }
  });

  test('never show what a variable holds', async () => {
    const error = await refusal(
      loadText(
        'services:\n  - name: a\n    upstream: { nodes: [{ host: "", port: "${SECRET}", weight: "${SECRET}" }] }\n',
        { env: { SECRET: 'planted-secret' } },
      ),
    );
    expect(error.problems.length).toBe(3);
    expect(JSON.stringify([error.message, error.problems])).not.toContain('planted');
  });

  test('leave out lines that nobody could read', async () => {
    const error = await refusal(loadText(`{"services": [{"name": "a", "x": "${'y'.repeat(1000)}"}]}`));
    expect(error.problems[0]).toMatchObject({ line: 1, column: 29 });
    expect(error.problems[0]).not.toHaveProperty('excerpt');
  });
});

test('a resource is found again in its file after loading', async () => {
  const folder = await folderWith({
    'a.yaml': 'services:\n  - name: a\n    routes:\n      - name: r\n        uris: [/]\n',
    'b.json': '{\n  "ssls": [],\n  "global_rules": {\n    "cors": {"api_key": "planted-secret"}\n  }\n}\n',
  });
  const { state } = await loadFrom(folder, { files: ['a.yaml', 'b.json'] });
  const sources = [...state.resources.values()].flatMap(({ source }) => (source === undefined ? [] : [source]));
  const gone = { file: join(folder, 'gone.yaml'), path: [] };
  const positions = await locateSources([...sources, gone, { file: '-', path: [] }]);
  expect(sources.map((source) => positions.get(source))).toEqual([
    { line: 2, column: 5, excerpt: '  - name: a' },
    { line: 4, column: 9, excerpt: '      - name: r' },
    { line: 4, column: 13, excerpt: '    "cors": {"api_key": ***}' },
  ]);
  expect(positions.has(gone)).toBe(false);
});
