import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/json.js';
import type { Kind } from '../../src/model/kinds.js';
import { resourceKey, type Resource, type State } from '../../src/model/resource.js';
import { dumpDocument, dumpYaml, missingSecrets, toYaml } from '../../src/pipeline/config/dump.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import { deepFreeze } from '../support/deep-freeze.js';
import { loadText, refusal, said } from './support.js';

/** A resource as a backend reads it. */
function stored(kind: Kind, id: string, name: string, body: JsonObject, parent?: string): Resource {
  const parentId = parent?.slice(parent.indexOf('/') + 1);
  const own = { kind, key: resourceKey(kind, id, parentId), id, name, body };
  return parent === undefined ? own : { ...own, parent };
}

const stateOf = (...resources: Resource[]): State =>
  deepFreeze({ resources: new Map(resources.map((resource) => [resource.key, resource])) });

const dump = (state: State, withId = false): JsonObject => dumpDocument(state, { withId });
const resolve = (document: unknown): State => resolveConfiguration(document, { lint: true, managedBy: false }).state;

const upstream = { nodes: [] };
const sslId = '4df1a0ee959f7ced5301c4121a7326a17fd8ce0d';

describe('a dump', () => {
  test('of nothing has the classic collections, empty, and no other', () => {
    expect(dump(stateOf())).toEqual({ services: [], ssls: [], consumers: [], global_rules: {}, plugin_metadata: {} });
    expect(toYaml(dump(stateOf()))).toBe(
      'consumers: []\nglobal_rules: {}\nplugin_metadata: {}\nservices: []\nssls: []\n',
    );
  });

  test('nests, and sorts at every level whatever the order was', () => {
    const state = stateOf(
      stored('route', 'r2', 'b', { name: 'b', uris: ['/'] }, 'service/s1'),
      stored('route', 'r1', 'a', { name: 'a', uris: ['/'] }, 'service/s1'),
      stored('service', 's2', 'Z', { name: 'Z' }),
      stored('service', 's1', 'a', { name: 'a', upstream }),
      stored('upstream', 'u2', 'y', { name: 'y', ...upstream }, 'service/s1'),
      stored('upstream', 'u1', 'x', { name: 'x', ...upstream }, 'service/s1'),
      stored('stream_route', 't1', 't', { name: 't' }, 'service/s2'),
      stored('consumer', 'zoe', 'zoe', { username: 'zoe' }),
      stored('consumer', 'bob', 'bob', { username: 'bob' }),
      stored('consumer_credential', 'c2', 'y', { name: 'y' }, 'consumer/bob'),
      stored('consumer_credential', 'c1', 'x', { name: 'x' }, 'consumer/bob'),
      stored('global_rule', 'b', 'b', { x: 1 }),
      stored('global_rule', 'a', 'a', {}),
    );
    const document = dump(state) as Record<string, Record<string, Json>[]>;
    expect(document['services']?.map(({ name }) => name)).toEqual(['Z', 'a']);
    expect(document['services']?.[0]?.['stream_routes']).toEqual([{ id: 't1', name: 't' }]);
    expect(document['services']?.[1]).toMatchObject({
      upstreams: [{ name: 'x' }, { name: 'y' }],
      routes: [{ name: 'a' }, { name: 'b' }],
    });
    expect(document['consumers']).toEqual([
      {
        username: 'bob',
        credentials: [
          { id: 'c1', name: 'x' },
          { id: 'c2', name: 'y' },
        ],
      },
      { username: 'zoe' },
    ]);
    expect(Object.keys(document['global_rules'] ?? {})).toEqual(['a', 'b']);
  });

  test('leaves out the ids that follow from names, and only those', () => {
    const state = stateOf(
      stored('service', 'e809a925f903711c0e5d248bd8392cc87c64c7fc', 'httpbin-service', { name: 'httpbin-service' }),
      stored(
        'route',
        '8fd8aec3863cb7e05cccafaed6b41ec93a4a499d',
        'get-ip',
        { name: 'get-ip', uris: ['/'] },
        'service/e809a925f903711c0e5d248bd8392cc87c64c7fc',
      ),
      stored(
        'route',
        'by-hand',
        'other',
        { name: 'other', uris: ['/'] },
        'service/e809a925f903711c0e5d248bd8392cc87c64c7fc',
      ),
      stored('service', 'my-svc', 'billing', { name: 'billing' }),
      stored('route', '9d415d3711b7c19281759fca564ea4d39c2bfcf6', 'b', { name: 'b', uris: ['/'] }, 'service/my-svc'),
      stored('ssl', sslId, 'shop.test,www.shop.test', { snis: ['shop.test', 'www.shop.test'] }),
      stored('ssl', 'mine', 'a.test', { snis: ['a.test'] }),
    );
    expect(dump(state)).toMatchObject({
      services: [
        { id: 'my-svc', name: 'billing', routes: [{ name: 'b', uris: ['/'] }] },
        {
          name: 'httpbin-service',
          routes: [
            { name: 'get-ip', uris: ['/'] },
            { id: 'by-hand', name: 'other', uris: ['/'] },
          ],
        },
      ],
      ssls: [{ id: 'mine', snis: ['a.test'] }, { snis: ['shop.test', 'www.shop.test'] }],
    });
    expect(JSON.stringify(dump(state)).match(/"id"/g)).toHaveLength(3);
    expect(JSON.stringify(dump(state, true)).match(/"id"/g)).toHaveLength(7);
  });

  test('keeps both ids where a gateway has two of one name, and can be read again', () => {
    const derived = 'd9130ae841c9772e0e68bb203064d1b9f474a677';
    const state = stateOf(
      stored('service', derived, 'Größe', { name: 'Größe' }),
      stored('service', 'other', 'Größe', { name: 'Größe' }),
      stored('route', 'r1', 'r', { name: 'r', uris: ['/'] }, `service/${derived}`),
      stored('route', 'r2', 'r', { name: 'r', uris: ['/'] }, 'service/other'),
      stored('ssl', 'rsa', 'a', { snis: ['a'], certificates: [{ certificate: '$env://A', key: '$env://A' }] }),
      stored('ssl', 'ecdsa', 'a', { snis: ['a'], certificates: [{ certificate: '$env://B', key: '$env://B' }] }),
    );
    expect([...resolve(dump(state)).resources.keys()].toSorted()).toEqual([...state.resources.keys()].toSorted());
  });

  test('has the other collections only where there is something in them, and refers by name', () => {
    const group = '5ab1f3ee0bfcc2e1ecb9f9d1fc2dc2d9bb9d8d0b';
    const document = {
      upstreams: [{ name: 'shared', ...upstream }],
      plugin_configs: [{ name: 'limits', plugins: {} }],
      consumer_groups: [{ name: 'gold', id: group }],
      services: [
        { name: 's', upstream_id: 'shared', routes: [{ name: 'r', uris: ['/'], plugin_config_id: 'limits' }] },
      ],
      consumers: [
        { username: 'u', group_id: 'gold' },
        { username: 'v', group_id: 'elsewhere' },
      ],
    };
    const state = resolve(document);
    expect(dump(state)).toMatchObject({
      services: [{ upstream_id: 'shared', routes: [{ plugin_config_id: 'limits' }] }],
      consumers: [{ group_id: group }, { group_id: 'elsewhere' }],
      consumer_groups: [{ id: group }],
    });
    const withIds = dump(state, true) as { services: { upstream_id: string }[]; upstreams: { id: string }[] };
    expect(withIds.services[0]?.upstream_id).toBe(withIds.upstreams[0]?.id);
    for (const written of [dump(state), withIds])
      expect([...resolve(written).resources.keys()].toSorted()).toEqual([...state.resources.keys()].toSorted());
  });

  test('refers by id where the name would mean another', () => {
    const state = resolve({
      upstreams: [
        { name: 'x', ...upstream },
        { name: 'y', id: 'x', ...upstream },
      ],
      services: [{ name: 's', upstream_id: 'd9130ae841c9772e0e68bb203064d1b9f474a677' }],
      plugin_configs: [],
    });
    const id = [...state.resources.values()].find(({ name, kind }) => kind === 'upstream' && name === 'x')?.id ?? '';
    const service = stored('service', 's', 's', { name: 's', upstream_id: id });
    const both = stateOf(...[...state.resources.values()].filter(({ kind }) => kind === 'upstream'), service);
    expect(dump(both)['services']).toMatchObject([{ upstream_id: id }]);
  });
});

describe('private keys that a gateway does not give back', () => {
  const certificate = `-----BEGIN CERTIFICATE-----\n${'c'.repeat(128)}\n-----END CERTIFICATE-----\n`;
  const state = stateOf(
    stored('ssl', sslId, 'shop.test,www.shop.test', {
      snis: ['shop.test', 'www.shop.test'],
      certificates: [{ certificate, key: '$env://K' }, { certificate }],
    }),
    stored('service', 's', 'svc', { name: 'svc', upstream: { nodes: [], tls: { client_cert: certificate } } }),
    stored('upstream', 'u', 'named', { name: 'named', nodes: [], tls: { client_cert: certificate } }, 'service/s'),
    stored('upstream', 'v', 'by id', { name: 'by id', nodes: [], tls: { client_cert_id: 'x' } }),
  );

  test('are listed in a comment at the head of the file', () => {
    const text = dumpYaml(state, { withId: false });
    expect(text.split('consumers:')[0]).toBe(
      [
        '# A gateway does not give private keys back. Fill these in, or refer to them by $secret:// or $env://,',
        '# before this file is used:',
        '#   upstream "named": tls.client_key',
        '#   ssl "shop.test,www.shop.test": certificates[1].key',
        '#   service "svc": upstream.tls.client_key',
        '',
      ].join('\n'),
    );
    expect(missingSecrets(state)).toHaveLength(3);
    expect(load(text)).toEqual(dump(state));
  });

  test('are the only thing that lint misses in it', async () => {
    const error = await refusal(loadText(dumpYaml(state, { withId: false })));
    expect(said(error)).toEqual([
      expect.stringMatching(/^\d+:\d+ Required field is missing: the private key, which no gateway gives back/),
    ]);
    expect(error.problems[0]?.path).toEqual(['ssls', 0, 'certificates', 1, 'key']);
  });

  test('need no comment where none is missing', () => {
    expect(dumpYaml(stateOf(), { withId: false })).not.toContain('#');
  });
});

describe('YAML', () => {
  test('quotes what some reader would take for something else', () => {
    const values = [
      'y',
      'no',
      'true',
      'null',
      '123',
      '0o17',
      '017',
      '0x1F',
      '1_000',
      '12:30',
      '2020-01-01',
      '~',
      '',
      ' a',
      '<<',
      '=',
    ];
    for (const value of values) expect(toYaml({ a: value })).toMatch(/^a: (?:'.*'|".*")\n$/);
    for (const value of ['a', '/path/*', '$env://A', 'http://a/b', 'a b'])
      expect(toYaml({ a: value })).toBe(`a: ${value}\n`);
    expect(toYaml({ y: 1 })).toBe("'y': 1\n");
  });

  test('folds long text, keeps the lines of texts, uses no anchors, indents lists', () => {
    const shared = { x: ['one'] };
    const words = 'word '.repeat(30).trim();
    expect(toYaml({ b: shared, a: shared, text: 'line\nline\n', stripped: 'a\nb', words })).toBe(
      [
        'a:',
        '  x:',
        '    - one',
        'b:',
        '  x:',
        '    - one',
        'stripped: |-',
        '  a',
        '  b',
        'text: |',
        '  line',
        '  line',
        'words: >-',
        `  ${'word '.repeat(15).trim()}`,
        `  ${'word '.repeat(15).trim()}`,
        '',
      ].join('\n'),
    );
  });
});
