import { describe, expect, test } from 'vitest';
import type { Kind } from '../../src/model/kinds.js';
import { AdcError } from '../../src/model/errors.js';
import { formatPath } from '../../src/model/json.js';
import type { Resource } from '../../src/model/resource.js';
import { resolveConfiguration, type Configuration, type ResolveOptions } from '../../src/pipeline/config/resolve.js';
import { parseLabelSelector } from '../../src/pipeline/config/selector.js';
import { deepFreeze } from '../support/deep-freeze.js';
import { refusal } from './support.js';

const resolve = (document: unknown, options: Partial<ResolveOptions> = {}): Configuration =>
  resolveConfiguration(deepFreeze(document), { lint: true, managedBy: false, ...options });

const list = (configuration: Configuration): Resource[] => [...configuration.state.resources.values()];
const find = (configuration: Configuration, kind: Kind, name: string): Resource | undefined =>
  list(configuration).find((resource) => resource.kind === kind && resource.name === name);

const problemsOf = (document: unknown, options: Partial<ResolveOptions> = {}): string[] => {
  try {
    resolve(document, options);
    return [];
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return error.problems.map(({ path, message }) => `${formatPath(path ?? [])}: ${message}`);
  }
};

const upstream = { nodes: [{ host: 'a', port: 80, weight: 1 }] };
const certificates = [{ certificate: '$env://C', key: '$env://K' }];
const credential = (name: string, fields: object = {}) => ({
  name,
  type: 'key-auth',
  config: { key: name },
  ...fields,
});

describe('ids', () => {
  const configuration = resolve({
    services: [
      { name: 'httpbin-service', routes: [{ name: 'get-ip', uris: ['/'] }] },
      {
        name: 'billing',
        id: 'my-svc',
        upstream,
        upstreams: [{ name: 'canary', ...upstream }],
        routes: [{ name: 'b', uris: ['/'] }],
      },
      { name: 'tcp-gateway', stream_routes: [{ name: 'mysql' }] },
      { name: 'Größe' },
    ],
    ssls: [
      { snis: ['shop.test', 'www.shop.test'], certificates },
      { snis: ['www.shop.test', 'shop.test'], certificates },
    ],
    consumers: [{ username: 'alice', credentials: [credential('primary-key')] }],
    consumer_groups: [{ name: 'httpbin-service' }],
    plugin_configs: [{ name: 'httpbin-service', plugins: {} }],
    upstreams: [{ name: 'httpbin-service', ...upstream }],
    global_rules: { cors: {} },
    plugin_metadata: { 'http-logger': {} },
  });

  test.each<[Kind, string, string]>([
    ['service', 'httpbin-service', 'e809a925f903711c0e5d248bd8392cc87c64c7fc'],
    ['route', 'get-ip', '8fd8aec3863cb7e05cccafaed6b41ec93a4a499d'],
    ['ssl', 'shop.test,www.shop.test', '4df1a0ee959f7ced5301c4121a7326a17fd8ce0d'],
    ['upstream', 'canary', 'e3da2a1c0dc91a890c61ebd632668c10089f180e'],
    ['consumer_credential', 'primary-key', '18bf2f4be77aac9e1d523a9afe71fbee4839b902'],
    ['stream_route', 'mysql', 'ac83b0ec5d337af6f25ab685f5a0972dc7157b90'],
    ['service', 'Größe', 'd9130ae841c9772e0e68bb203064d1b9f474a677'],
    ['route', 'b', '9d415d3711b7c19281759fca564ea4d39c2bfcf6'],
    ['service', 'billing', 'my-svc'],
    ['consumer', 'alice', 'alice'],
    ['consumer_group', 'httpbin-service', 'e809a925f903711c0e5d248bd8392cc87c64c7fc'],
    ['plugin_config', 'httpbin-service', 'e809a925f903711c0e5d248bd8392cc87c64c7fc'],
    ['upstream', 'httpbin-service', 'e809a925f903711c0e5d248bd8392cc87c64c7fc'],
    ['global_rule', 'cors', 'cors'],
    ['plugin_metadata', 'http-logger', 'http-logger'],
  ])('%s %s', (kind, name, id) => {
    expect(find(configuration, kind, name)?.id).toBe(id);
  });

  test('follow the order of the SNIs', () => {
    const [first, second] = list(configuration).filter(({ kind }) => kind === 'ssl');
    expect(first?.id).not.toBe(second?.id);
  });

  test('tie children to their parents, under keys of their own', () => {
    expect(find(configuration, 'route', 'b')).toMatchObject({
      key: 'route/9d415d3711b7c19281759fca564ea4d39c2bfcf6',
      parent: 'service/my-svc',
    });
    expect(find(configuration, 'consumer_credential', 'primary-key')).toMatchObject({
      key: 'consumer_credential/alice/18bf2f4be77aac9e1d523a9afe71fbee4839b902',
      parent: 'consumer/alice',
      body: { name: 'primary-key', type: 'key-auth', config: { key: 'primary-key' } },
    });
  });

  test('bodies hold neither ids nor what is nested', () => {
    for (const { kind, body } of list(configuration)) {
      const nested =
        kind === 'service' ? ['id', 'upstreams', 'routes', 'stream_routes'] : ['id', 'credentials', 'consumers'];
      expect(Object.keys(body).filter((key) => nested.includes(key))).toEqual([]);
    }
    expect(find(configuration, 'service', 'billing')?.body['upstream']).toMatchObject(upstream);
  });

  test('an explicit id that equals the hash of its own name is kept', () => {
    const id = 'b'.repeat(40);
    const { state } = resolve({ services: [{ name: 's', routes: [{ name: 'r', id, uris: ['/'] }] }] });
    expect(state.resources.has(`route/${id}`)).toBe(true);
  });
});

describe('duplicates', () => {
  const twice = (...items: object[]) => items;
  test.each<[string, unknown, string]>([
    [
      'services',
      { services: twice({ name: 'a' }, { name: 'a' }) },
      'services[1]: Duplicate service "a" was found (first at services[0])',
    ],
    [
      'services, one with an id',
      { services: twice({ name: 'a', id: 'x' }, { name: 'a' }) },
      'services[1]: Duplicate service "a" was found (first at services[0])',
    ],
    [
      'routes',
      { services: [{ name: 's', routes: twice({ name: 'a', uris: ['/'] }, { name: 'a', uris: ['/'] }) }] },
      'services[0].routes[1]: Duplicate route "a" was found (first at services[0].routes[0])',
    ],
    [
      'stream routes',
      { services: [{ name: 's', stream_routes: twice({ name: 'a' }, { name: 'a' }) }] },
      'services[0].stream_routes[1]: Duplicate stream_route "a" was found (first at services[0].stream_routes[0])',
    ],
    [
      'named upstreams',
      { services: [{ name: 's', upstream, upstreams: twice({ name: 'a', ...upstream }, { name: 'a', ...upstream }) }] },
      'services[0].upstreams[1]: Duplicate upstream "a" was found (first at services[0].upstreams[0])',
    ],
    [
      'ssls',
      { ssls: twice({ snis: ['a', 'b'], certificates }, { snis: ['a', 'b'], certificates }) },
      'ssls[1]: Duplicate ssl "a,b" was found (first at ssls[0])',
    ],
    [
      'consumers',
      { consumers: twice({ username: 'a' }, { username: 'a' }) },
      'consumers[1]: Duplicate consumer "a" was found (first at consumers[0])',
    ],
    [
      'consumers of a group and others',
      { consumer_groups: [{ name: 'g', consumers: [{ username: 'a' }] }], consumers: [{ username: 'a' }] },
      'consumers[0]: Duplicate consumer "a" was found (first at consumer_groups[0].consumers[0])',
    ],
    [
      'credentials',
      { consumers: [{ username: 'u', credentials: twice(credential('a'), credential('a')) }] },
      'consumers[0].credentials[1]: Duplicate consumer_credential "a" was found (first at consumers[0].credentials[0])',
    ],
    [
      'consumer groups',
      { consumer_groups: twice({ name: 'a' }, { name: 'a' }) },
      'consumer_groups[1]: Duplicate consumer_group "a" was found (first at consumer_groups[0])',
    ],
    [
      'plugin configs',
      { plugin_configs: twice({ name: 'a', plugins: {} }, { name: 'a', plugins: {} }) },
      'plugin_configs[1]: Duplicate plugin_config "a" was found (first at plugin_configs[0])',
    ],
    [
      'shared upstreams',
      { upstreams: twice({ name: 'a', ...upstream }, { name: 'a', ...upstream }) },
      'upstreams[1]: Duplicate upstream "a" was found (first at upstreams[0])',
    ],
    [
      'ids',
      { services: twice({ name: 'a', id: 'x' }, { name: 'b', id: 'x' }) },
      'services[1].id: Duplicate id "x": service "b" has the id of service "a" (first at services[0])',
    ],
    [
      'names with the same explicit id',
      { services: twice({ name: 'a', id: 'x' }, { name: 'a', id: 'x' }) },
      'services[1]: Duplicate service "a" was found (first at services[0])',
    ],
    [
      'an id derived from another name',
      { services: twice({ name: 'Größe' }, { name: 'b', id: 'd9130ae841c9772e0e68bb203064d1b9f474a677' }) },
      'services[1].id: Duplicate id "d9130ae841c9772e0e68bb203064d1b9f474a677": service "b" has the id of service "Größe" (first at services[0])',
    ],
    [
      'routes of two services with one hash',
      {
        services: twice(
          { name: 'a.b', routes: [{ name: 'c', uris: ['/'] }] },
          { name: 'a', routes: [{ name: 'b.c', uris: ['/'] }] },
        ),
      },
      'services[1].routes[0]: Duplicate id "a6e5bd4c0d9d8e8dd3b3c9e4c8a6e5bd": route "b.c" has the id of route "c"',
    ],
  ])('of %s are errors', (what, document, expected) => {
    for (const lint of [true, false]) {
      const problems = problemsOf(document, { lint });
      expect(problems).toHaveLength(1);
      if (what === 'routes of two services with one hash')
        expect(problems[0]).toMatch(/Duplicate id "[0-9a-f]{40}": route "b\.c" has the id of route "c"/);
      else expect(problems[0]).toBe(expected);
    }
  });

  test('siblings of one name are two resources where each has an id', () => {
    expect(
      list(
        resolve({
          ssls: [
            { id: 'rsa', snis: ['a'], certificates },
            { id: 'ecdsa', snis: ['a'], certificates },
          ],
        }),
      ),
    ).toHaveLength(2);
  });

  test('names that objects have by nature are names like others', () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
    const configuration = resolve({
      services: names.map((name) => ({ name })),
      consumers: names.map((username) => ({ username })),
      global_rules: { constructor: {}, toString: {} },
    });
    expect(list(configuration)).toHaveLength(10);
  });
});

describe('references', () => {
  const document = {
    upstreams: [
      { name: 'shared', ...upstream },
      { name: 'other', id: 'shared-2', ...upstream },
    ],
    plugin_configs: [{ name: 'limits', plugins: {} }],
    consumer_groups: [
      { name: 'gold', consumers: [{ username: 'in', group_id: 'gold' }] },
      { name: 'silver', id: 'ag' },
    ],
    consumers: [
      { username: 'out', group_id: 'silver' },
      { username: 'unknown', group_id: 'on-the-gateway' },
    ],
    services: [
      {
        name: 'a',
        upstream_id: 'shared',
        routes: [{ name: 'r', uris: ['/'], upstream_id: 'shared-2', plugin_config_id: 'limits' }],
      },
      {
        name: 'b',
        upstream,
        upstreams: [{ name: 'canary', ...upstream }],
        routes: [{ name: 'r', uris: ['/'], upstream_id: 'canary' }],
      },
      { name: 'c', stream_routes: [{ name: 'r', upstream_id: 'other' }] },
    ],
  };
  const configuration = resolve(document);
  const idOf = (kind: Kind, name: string) => find(configuration, kind, name)?.id;

  test('by name become ids, by id stay', () => {
    expect(find(configuration, 'service', 'a')?.body['upstream_id']).toBe(idOf('upstream', 'shared'));
    const routes = list(configuration).filter(({ kind }) => kind === 'route' || kind === 'stream_route');
    expect(routes.map(({ body }) => [body['upstream_id'], body['plugin_config_id']])).toEqual([
      ['shared-2', idOf('plugin_config', 'limits')],
      [idOf('upstream', 'canary'), undefined],
      ['shared-2', undefined],
    ]);
    expect(find(configuration, 'consumer', 'in')?.body['group_id']).toBe(idOf('consumer_group', 'gold'));
    expect(find(configuration, 'consumer', 'out')?.body['group_id']).toBe('ag');
  });

  test('to what only the gateway may have pass, unless they cannot be ids', () => {
    expect(find(configuration, 'consumer', 'unknown')?.body['group_id']).toBe('on-the-gateway');
    expect(problemsOf({ services: [{ name: 'a', upstream_id: 'not an id' }] })).toEqual([
      'services[0].upstream_id: "not an id" is neither the name of an entry of "upstreams" nor an id',
    ]);
  });

  test('an id wins over a name', () => {
    const clash = resolve({
      upstreams: [
        { name: 'x', ...upstream },
        { name: 'y', id: 'x', ...upstream },
      ],
      services: [{ name: 'a', upstream_id: 'x' }],
    });
    expect(find(clash, 'service', 'a')?.body['upstream_id']).toBe('x');
  });

  test('names still resolve where their collection is left out', () => {
    const services = resolve(document, { include: ['service'] });
    expect(find(services, 'service', 'a')?.body['upstream_id']).toBe(idOf('upstream', 'shared'));
  });

  test('a consumer cannot stand in one group and name another', () => {
    const problems = problemsOf({
      consumer_groups: [{ name: 'a', consumers: [{ username: 'u', group_id: 'b' }] }, { name: 'b' }],
    });
    expect(problems).toEqual([
      'consumer_groups[0].consumers[0].group_id: "group_id" names another consumer group than the one this consumer stands in',
    ]);
  });
});

describe('labels', () => {
  const document = {
    services: [
      {
        name: 'a',
        labels: { team: 'x', 'managed-by': 'hand' },
        upstream,
        upstreams: [{ name: 'n', ...upstream }],
        routes: [{ name: 'r', uris: ['/'] }],
      },
      { name: 'b', stream_routes: [{ name: 'r' }] },
    ],
    ssls: [{ snis: ['a'], certificates }],
    consumers: [{ username: 'u', credentials: [credential('c')] }],
    consumer_groups: [{ name: 'g', consumers: [{ username: 'v' }] }],
    upstreams: [{ name: 'shared', ...upstream }],
    plugin_configs: [{ name: 'p', plugins: {} }],
    global_rules: { cors: {} },
    plugin_metadata: { cors: {} },
  };

  test('of the selector and managed-by are written into all that carries labels', () => {
    const labels = { env: 'prod' };
    for (const resource of list(resolve(document, { labels, managedBy: true }))) {
      if (resource.kind === 'global_rule' || resource.kind === 'plugin_metadata') expect(resource.body).toEqual({});
      else expect(resource.body['labels']).toMatchObject({ env: 'prod', 'managed-by': 'adc' });
    }
    const service = find(resolve(document, { labels, managedBy: true }), 'service', 'a');
    expect(service?.body['labels']).toEqual({ team: 'x', env: 'prod', 'managed-by': 'adc' });
    expect(service?.body['upstream']).not.toHaveProperty('labels');
  });

  test('without a selector nothing is written, not even an empty mapping', () => {
    for (const { name, body } of list(resolve(document))) if (name !== 'a') expect(body).not.toHaveProperty('labels');
  });

  test('a selector for managed-by wins', () => {
    const { state } = resolve(document, { labels: { 'managed-by': 'other' }, managedBy: true });
    for (const { body } of state.resources.values()) {
      expect((body['labels'] as Record<string, string> | undefined)?.['managed-by'] ?? 'other').toBe('other');
    }
  });

  test('are read from key=value pairs', async () => {
    expect(parseLabelSelector([])).toBeUndefined();
    expect(parseLabelSelector(['a=1,b=2', 'a=3', 'c=x=y'])).toEqual({ a: '3', b: '2', c: 'x=y' });
    expect(parseLabelSelector(['a=%41+b'])).toEqual({ a: '%41+b' });
    expect(parseLabelSelector(['__proto__=x'])).toEqual(Object.fromEntries([['__proto__', 'x']]));
    for (const wrong of ['a', '=x', 'a=1,', '']) {
      expect((await refusal(() => parseLabelSelector([wrong]))).code).toBe('usage');
    }
  });
});

describe('the scope of a document', () => {
  const document = {
    services: [{ name: 'a', routes: [{ name: 'r', uris: ['/'] }] }],
    consumers: [{ username: 'u', credentials: [credential('c')] }],
    consumer_groups: [{ name: 'g', consumers: [{ username: 'v', credentials: [credential('c')] }] }],
    upstreams: [],
  };
  const kindsOf = (options: Partial<ResolveOptions>) => list(resolve(document, options)).map(({ kind }) => kind);

  test('mentions the kinds whose key is there', () => {
    expect([...resolve(document).mentioned].toSorted()).toEqual(['consumer', 'consumer_group', 'service', 'upstream']);
    expect(resolve({}).mentioned.size).toBe(0);
  });

  test('keeps what is included, with what is nested in it', () => {
    expect(kindsOf({ include: ['service'] })).toEqual(['service', 'route']);
    expect(kindsOf({ include: ['consumer_group'] })).toEqual(['consumer_group']);
    expect(kindsOf({ include: ['consumer_group', 'consumer'] })).toHaveLength(5);
    expect(kindsOf({ include: ['route'] })).toEqual([]);
  });

  test('takes an empty list for none', () => {
    expect(kindsOf({ include: [], exclude: [] })).toEqual(kindsOf({}));
  });

  test('drops what is excluded', () => {
    expect(kindsOf({ exclude: ['consumer'] })).toEqual(['service', 'route', 'consumer_group']);
    expect(kindsOf({ exclude: ['route'] })).toEqual(kindsOf({}));
  });

  test('does not check what is left out', () => {
    expect(problemsOf({ services: [{ name: 1 }], ssls: [] }, { include: ['ssl'] })).toEqual([]);
  });
});

test('limits that gateways have and the format has not are warnings', () => {
  const { notices } = resolve({
    services: [
      {
        id: 'a'.repeat(65),
        name: 'n'.repeat(257),
        description: 'd'.repeat(257),
        labels: { a: 'x y', b: '', c: 'z'.repeat(257), d: 'fine' },
      },
    ],
    consumers: [{ username: 'a@b' }, { username: 'fine-1' }],
    upstreams: [{ name: 'u', nodes: [], tls: { client_cert: 'x' } }],
  });
  expect(notices.map(({ level, message }) => `${level} ${message.replace(/n{10,}\.\.\./, 'n...')}`)).toEqual([
    'warning upstream "u": "tls" has a client_cert and no client_key; gateways take neither without the other',
    'warning service "n...": the id has 65 characters; gateways take at most 64',
    'warning service "n...": the name has 257 characters; gateways take at most 256',
    'warning service "n...": the description has 257 characters; gateways take at most 256',
    'warning service "n...": label "a": gateways take label values without white space and not empty',
    'warning service "n...": label "b": gateways take label values without white space and not empty',
    'warning service "n...": label "c": gateways take at most 256 characters',
    'warning consumer "a@b": gateways take usernames of letters, digits, "_" and (newer ones) "-" only',
  ]);
});

test('a label that a program left undefined is a problem like any other', async () => {
  const document = { services: [{ name: 's', labels: { team: undefined } }] };
  const { code, problems } = await refusal(() => resolveConfiguration(document, { lint: true, managedBy: false }));
  expect(code).toBe('lint');
  expect(problems.map(({ path }) => formatPath(path ?? []))).toEqual(['services[0].labels.team']);
});
