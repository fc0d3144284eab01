import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { interpolate, interpolateText } from '../../src/pipeline/config/interpolate.js';
import { parseText } from '../../src/pipeline/config/parse.js';
import { lintConfiguration } from '../../src/pipeline/config/load.js';
import { deepFreeze } from '../support/deep-freeze.js';
import { folderWith, loadFrom, loadText, refusal, said } from './support.js';

const yaml = (text: string): unknown => {
  const parsed = parseText(text, 'yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '));
  return parsed.document;
};

const namesOf = async (work: ReturnType<typeof loadFrom>) =>
  [...(await work).state.resources.values()].map(({ name }) => name);

describe('YAML', () => {
  test.each<[string, unknown]>([
    ['yes', 'yes'],
    ['No', 'No'],
    ['on', 'on'],
    ['off', 'off'],
    ['true', true],
    ['017', 17],
    ['0o17', 15],
    ['0x1F', 31],
    ['1_000', '1_000'],
    ['12:30', '12:30'],
    ['2020-01-01', '2020-01-01'],
    ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
    ['1e3', 1000],
    ['~', null],
    ['"1"', '1'],
  ])('%s', (text, value) => {
    expect(yaml(`a: ${text}`)).toEqual({ a: value });
  });

  test('anchors, aliases and merge keys share what they name', () => {
    const document = yaml(`
a: &base { x: 1, y: 2 }
b: *base
c: { <<: *base, y: 3 }
d: { <<: [{ y: 4 }, *base] }
`);
    expect(document).toEqual({ a: { x: 1, y: 2 }, b: { x: 1, y: 2 }, c: { x: 1, y: 3 }, d: { x: 1, y: 4 } });
  });

  test('merge keys reach the state', async () => {
    const { state } = await loadText(`
services:
  - name: a
    upstream: &up { nodes: [], retries: 2 }
  - name: b
    upstream: { <<: *up, retries: 3 }
`);
    expect([...state.resources.values()].map(({ body }) => body['upstream'])).toMatchObject([
      { retries: 2 },
      { nodes: [], retries: 3 },
    ]);
  });

  test.each<[string, string, string[]]>([
    [
      'every duplicate key',
      'services: []\nssls: []\nservices: []\nglobal_rules: {a: {}, a: {}}\n',
      [
        '3:1 duplicate key "services" in a mapping (first in line 1)',
        '4:23 duplicate key "a" in a mapping (first in line 4)',
      ],
    ],
    [
      'a second document',
      'services: []\n---\nssls: []\n',
      ['3:1 a second document ("---") begins here; a file must hold exactly one'],
    ],
    ['an empty file', '', ['the input is empty; write {} for an empty configuration']],
    ['a file of comments', '# nothing\n', ['the input is empty; write {} for an empty configuration']],
    ['a tab for indentation', 'services:\n\t- name: a\n', ['2:1 tab characters must not be used in indentation']],
    [
      'an open bracket',
      'services: [\n',
      ['2:1 deficient indentation: what a "[", a "{" or a quote has opened goes on here, and must be indented'],
    ],
    [
      'a variable in a flow mapping',
      'services: [{name: ${A}, id: a}]\n',
      ['1:20 missed comma between flow collection entries; inside { } and [ ], put what holds ${...} in quotes'],
    ],
    ['an alias of nothing', 'services: *x\n', ['1:12 unidentified alias "x"']],
    ['a tag it does not know', 'services: !!binary aGk=\n', ['1:11 unknown scalar tag !<tag:yaml.org,2002:binary>']],
  ])('%s is refused with its place', async (_, text, expected) => {
    const error = await refusal(loadText(text));
    expect(error.code).toBe('syntax');
    expect(said(error)).toEqual(expected);
  });

  test('a file that is null, a list or a scalar is no configuration', async () => {
    expect(said(await refusal(loadText('null')))[0]).toContain('null is not a configuration');
    expect(said(await refusal(loadText('- a')))[0]).toMatch(/^1:\d A configuration must be a mapping .* not a list/);
    expect(said(await refusal(loadText('hello')))[0]).toContain('not a string');
  });
});

describe('JSON', () => {
  const json = async (text: string) =>
    said(await refusal(loadFrom(await folderWith({ 'a.JSON': text }), { files: ['a.JSON'] })));

  test('is strict and tells where', async () => {
    expect(await json('{"services": [], }')).toEqual(['1:18 invalid JSON: expected a key in double quotes and ":"']);
    expect(await json("{'services': []}")).toEqual(['1:2 invalid JSON: expected a key in double quotes and ":"']);
    expect(await json('{"services": [1 2]}')).toEqual(['1:17 invalid JSON: expected "," or "]"']);
    expect(await json('{"services": [\n')).toEqual([
      '2:1 invalid JSON: the text ends where a JSON value should follow',
    ]);
    expect(await json('{"services": tru}')).toEqual(['1:14 invalid JSON: expected a JSON value']);
    expect(await json('{"services": 01}')).toEqual(['1:15 invalid JSON: expected "," or "}"']);
    expect(await json('{"services": "a\nb"}')).toEqual([
      '1:14 invalid JSON: expected a string without raw control characters or unknown escapes, closed by "',
    ]);
    expect(await json('{} {}')).toEqual(['1:4 invalid JSON: expected nothing after the value']);
    expect(await json(' ')).toEqual(['the file is empty; write {} for an empty configuration']);
    expect(await json('{"services": [], "services": []}')).toEqual(['1:18 duplicate key "services" in an object']);
    expect(await json('# yaml\n')).toHaveLength(1);
  });

  test('is told apart by its extension, and on standard input by its looks', async () => {
    const folder = await folderWith({ 'a.json': '\uFEFF{"services":[{"name":"a\\u0041"}]}' });
    expect(await namesOf(loadFrom(folder, { files: ['a.json'] }))).toEqual(['aA']);
    const stdin = (text: string) => loadFrom(folder, { files: ['-'], stdin: () => Readable.from([Buffer.from(text)]) });
    expect(await namesOf(stdin('{\n\t"services": [\n\t\t{"name": "tabs"}]}'))).toEqual(['tabs']);
    expect(await namesOf(stdin('services: [{name: y}]'))).toEqual(['y']);
    expect(await namesOf(loadFrom(folder, { files: ['-'], stdin: async () => 'services: [{name: s}]' }))).toEqual([
      's',
    ]);
    const error = await refusal(stdin('services:\n  - nam: x\n'));
    expect(error.problems[0]).toMatchObject({ file: '-', line: 2 });
  });
});

describe('files', () => {
  const service = (name: string) => `services: [{name: ${name}}]\n`;

  test('are globs and paths, each file once, in the order of the arguments', async () => {
    const folder = await folderWith({
      'a.yaml': service('a'),
      'b.yaml': service('b'),
      'd/c.yml': service('c'),
      'd/e/f.yaml': service('f'),
      'we[i]rd.yaml': service('w'),
    });
    const load = (...files: string[]) => namesOf(loadFrom(folder, { files }));
    expect(await load('*.yaml')).toEqual(['a', 'b', 'w']);
    expect(await load('b.yaml', '*.yaml')).toEqual(['b', 'a', 'w']);
    expect(await load('**/*.{yaml,yml}')).toEqual(['a', 'b', 'c', 'f', 'w']);
    expect(await load('we[i]rd.yaml')).toEqual(['w']);
    expect(await load(join(folder, 'a.yaml'), './a.yaml', 'd/../a.yaml')).toEqual(['a']);
    expect(await load('?.yaml')).toEqual(['a', 'b']);
  });

  test('that are not there, are folders or match nothing are errors, all at once', async () => {
    const folder = await folderWith({ 'd/a.yaml': service('a'), 'bad.yaml': 'a: [' });
    const error = await refusal(loadFrom(folder, { files: ['missing.yaml', 'd', 'x/*.yaml', 'bad.yaml'] }));
    expect(error.code).toBe('file');
    expect(error.exit).toBe(1);
    expect(said(error)).toEqual([
      `No file matches "missing.yaml" in ${folder}`,
      '"d" is a directory; name its files, such as "d/*.yaml"',
      `No file matches "x/*.yaml" in ${folder}`,
      expect.stringContaining('unexpected end of the stream'),
    ]);
    expect(said(await refusal(loadFrom(folder, { files: [] })))).toEqual([`No file matches "adc.yaml" in ${folder}`]);
  });

  test('are merged: lists one after the other, plugins by name, places kept', async () => {
    const folder = await folderWith({
      'a.yaml': 'services: [{name: a}]\nglobal_rules: {cors: {}}\n',
      'b.json': '{"services": [{"name": "b", "routes": [{"name": "r", "uris": ["/"]}]}], "global_rules": {"x": {}}}',
    });
    const { state } = await loadFrom(folder, { files: ['a.yaml', 'b.json'] });
    const sources = [...state.resources.values()].map(({ name, source }) => [name, source?.file, source?.path]);
    const [a, b] = [join(folder, 'a.yaml'), join(folder, 'b.json')];
    expect(sources).toEqual([
      ['a', a, ['services', 0]],
      ['b', b, ['services', 0]],
      ['r', b, ['services', 0, 'routes', 0]],
      ['cors', a, ['global_rules', 'cors']],
      ['x', b, ['global_rules', 'x']],
    ]);
  });

  test('that both define something are named, with both places', async () => {
    const folder = await folderWith({
      'a.yaml': 'services:\n  - name: a\n  - name: constructor\nglobal_rules:\n  cors: {}\n',
      'b.yaml': 'services:\n  - name: b\n  - name: a\nglobal_rules:\n  cors: {}\n',
      'c.json': '{"services": [{"name": "constructor"}]}',
    });
    const error = await refusal(loadFrom(folder, { files: ['a.yaml', 'b.yaml', 'c.json'] }));
    const [a, b, c] = ['a.yaml', 'b.yaml', 'c.json'].map((file) => join(folder, file));
    expect(error.problems).toMatchObject([
      { file: b, line: 3, column: 5, message: `Duplicate service "a" was found in ${b} (first at ${a}:2:5)` },
      { file: b, line: 5, column: 3, message: `Duplicate global_rule "cors" was found in ${b} (first at ${a}:5:3)` },
      {
        file: c,
        line: 1,
        column: 15,
        message: `Duplicate service "constructor" was found in ${c} (first at ${a}:3:5)`,
      },
    ]);
  });

  test('with keys nobody knows are named by their path', async () => {
    const folder = await folderWith({ 'adc.yaml': 'services: []\nfoo: []\n' });
    const file = join(folder, 'adc.yaml');
    for (const lint of [true, false]) {
      const error = await refusal(loadFrom(folder, { lint }));
      expect(error.problems).toMatchObject([
        { file, line: 2, column: 1, message: `Configuration file "${file}" contains an unknown key "foo"` },
      ]);
    }
  });
});

describe('variables', () => {
  const env = { A: 'va', NEST: '${A}', EMPTY: '', '1x': 'digit' };
  test.each([
    ['x${A}y', 'xvay'],
    ['\\${A}', '${A}'],
    ['\\\\${A}', '\\${A}'],
    ['$${A}', '$va'],
    ['p${UNSET}q', 'pq'],
    ['${NEST}', '${A}'],
    ['${1x}', 'digit'],
    ['${http_x.low}', '${http_x.low}'],
    ['${a.b}${}${ A }${A-x}$A${A', '${a.b}${}${ A }${A-x}$A${A'],
    ['\\${a.b}', '\\${a.b}'],
    ['${Ä}', '${Ä}'],
    ['$env://A', '$env://A'],
    ['$secret://v/${A}', '$secret://v/va'],
    ['${UNSET:-text}|${A:-text}|${EMPTY:-text}|${UNSET:-}', 'text|va|text|'],
    ['\\${UNSET:-text}', '${UNSET:-text}'],
    ['${UNSET:-a:-b c}', 'a:-b c'],
    ['${constructor}${toString}', ''],
    ['${A}${A}', 'vava'],
  ])('%s', (text, expected) => {
    expect(interpolateText(text, env, () => undefined)).toBe(expected);
  });

  test('are filled in everywhere but in keys, and nothing is changed in place', () => {
    const document = deepFreeze({ '${A}': ['${A}', { b: '${A}', c: 1 }], d: { e: null, f: ['plain'] } });
    const { document: filled } = interpolate(document, env);
    expect(filled).toEqual({ '${A}': ['va', { b: 'va', c: 1 }], d: { e: null, f: ['plain'] } });
    expect((filled as typeof document).d).toBe(document.d);
  });

  test('reach numbers, plugins, rules and metadata', async () => {
    const { state } = await loadText(
      'services: [{name: "${A}", upstream: {nodes: [{host: h, port: "${PORT}", weight: 1}]}, plugins: {p: {x: ["${A}"]}}}]\nglobal_rules: {g: {x: "${A}"}}\nplugin_metadata: {m: {x: "${A}"}}\n',
      { env: { A: 'va', PORT: '8080' } },
    );
    expect([...state.resources.values()].map(({ body }) => body)).toMatchObject([
      { name: 'va', upstream: { nodes: [{ port: 8080 }] }, plugins: { p: { x: ['va'] } } },
      { x: 'va' },
      { x: 'va' },
    ]);
  });

  test('that are not set are errors with their places, beside all other problems', async () => {
    const text = 'services:\n  - name: ${NAME}\n    hosts: ["${HOST}", "${constructor}"]\n    routes: 5\n';
    const error = await refusal(loadText(text));
    expect(error.code).toBe('lint');
    expect((await refusal(loadText('services: [{name: "${NAME}"}]'))).code).toBe('unset_variable');
    expect(said(error).map((line) => line.slice(0, 36))).toEqual([
      '2:11 the variable "NAME" is not set;',
      '3:13 the variable "HOST" is not set;',
      '3:24 the variable "constructor" is n',
      '4:13 Invalid input: expected a list,',
    ]);
  });

  test('that are not set may be allowed; what is empty is told', async () => {
    const text = 'global_rules: {p: {a: "${UNSET}", b: "${EMPTY}", c: "${EMPTY:-x}"}}\n';
    const { state, notices } = await loadText(text, { env: { EMPTY: '' }, allowUnsetEnv: true });
    expect([...state.resources.values()][0]?.body).toEqual({ a: '', b: '', c: 'x' });
    expect(notices.map(({ level, message }) => [level, message.replace(/^.*?: /, '')])).toEqual([
      ['warning', 'global_rules.p.a: the variable "UNSET" is not set; it counts as empty'],
      ['info', 'global_rules.p.b: the variable "EMPTY" is empty'],
    ]);
    const strict = await loadText('global_rules: {p: {b: "${EMPTY}"}}\n', { env: { EMPTY: '' } });
    expect(strict.notices).toHaveLength(1);
  });

  test('that turn two names into one make a duplicate', async () => {
    const error = await refusal(loadText('services:\n  - name: svc-${A}\n  - name: svc-x\n', { env: { A: 'x' } }));
    expect(said(error)[0]).toMatch(/^3:5 Duplicate service "svc-x"/);
  });
});

test('lint adds no labels and checks everything', async () => {
  const folder = await folderWith({ 'adc.yaml': 'services: [{name: a}]\n' });
  const { state } = await lintConfiguration({ files: [], cwd: folder, env: {}, allowUnsetEnv: false });
  expect([...state.resources.values()][0]?.body).toEqual({ name: 'a' });
});
