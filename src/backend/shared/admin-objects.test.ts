import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { resourceKey, type Resource } from '../../model/resource.js';
import { canonical } from './canonical.js';
import { claimsOfPlugins } from './claims.js';
import { idOf, objectPath, objectRef, type AdminObject, type Collection } from './collections.js';
import type { Feature, Features } from './features.js';
import { fromAdmin, type AdminObjects, type Translation } from './from-admin.js';
import { withoutHidden } from './hidden.js';
import { referencesOf } from './references.js';
import { servedBy } from './serves.js';
import { toAdmin } from './to-admin.js';

const newest: Features = new Set<Feature>([
  'credentials',
  'stream_routes',
  'stream_route_labels',
  'stream_route_name',
  'consumer_group_name',
  'plugin_config_name',
]);
const older: Features = new Set<Feature>(['stream_routes', 'stream_route_labels', 'credentials']);

const nothing: AdminObjects = {
  services: [],
  upstreams: [],
  routes: [],
  stream_routes: [],
  ssls: [],
  consumers: [],
  credentials: [],
  consumer_groups: [],
  plugin_configs: [],
  global_rules: [],
  plugin_metadata: [],
};

function read(objects: readonly AdminObject[], features: Features = newest): Translation {
  const lists: Record<Collection, AdminObject[]> = structuredClone(nothing) as Record<Collection, AdminObject[]>;
  for (const object of objects) lists[object.collection].push(object);
  return fromAdmin(lists, features);
}

function stored(collection: Collection, id: string, value: JsonObject, parent?: string): AdminObject {
  return { collection, id, value, ...(parent === undefined ? {} : { parent }) };
}

function resource(kind: Kind, id: string, body: JsonObject, parent?: string): Resource {
  const parentId = parent?.slice(parent.indexOf('/') + 1);
  const name = typeof body['name'] === 'string' ? body['name'] : id;
  return { kind, id, name, key: resourceKey(kind, id, parentId), body, ...(parent === undefined ? {} : { parent }) };
}

const bodyOf = (translation: Translation, key: string): JsonObject | undefined =>
  translation.state.resources.get(key)?.body;

describe('reading what a gateway stores', () => {
  const shop = stored('services', 's1', { id: 's1', name: 'shop' });

  it('turns node maps into lists with ports, IPv6 addresses in brackets among them', () => {
    const nodes = { 'b.test': 1, '10.0.0.1:8080': 2, '[::1]:80': 3, '[::2]': 4 };
    const upstream = stored('upstreams', 'u', { name: 'u', scheme: 'https', nodes });
    expect(bodyOf(read([upstream]), 'upstream/u')?.['nodes']).toEqual([
      { host: '10.0.0.1', port: 8080, weight: 2, priority: 0 },
      { host: '[::1]', port: 80, weight: 3, priority: 0 },
      { host: '[::2]', port: 443, weight: 4, priority: 0 },
      { host: 'b.test', port: 443, weight: 1, priority: 0 },
    ]);
  });

  it('takes an empty table for an empty list or object, wherever it stands', () => {
    const objects = [
      stored('services', 's1', { name: 'shop', plugins: [], hosts: {}, labels: [], upstream: { nodes: {} } }),
      stored('routes', 'r1', { uri: '/', service_id: 's1', plugins: { cors: [] } }),
    ];
    const translation = read(objects);
    expect(bodyOf(translation, 'service/s1')).toMatchObject({ plugins: {}, hosts: [], upstream: { nodes: [] } });
    expect(bodyOf(translation, 'route/r1')).toMatchObject({ plugins: { cors: {} } });
  });

  it('takes the single forms of lists, which win', () => {
    const value = { uri: '/a', uris: ['/b'], host: 'h', remote_addr: '127.0.0.1', service_id: 's1' };
    expect(bodyOf(read([shop, stored('routes', 'r1', value)]), 'route/r1')).toEqual({
      name: 'r1',
      uris: ['/a'],
      hosts: ['h'],
      remote_addrs: ['127.0.0.1'],
    });
  });

  it('leaves out empty lists that a file must not have', () => {
    const value = { uris: ['/a'], methods: [], hosts: [], service_id: 's1' };
    expect(bodyOf(read([shop, stored('routes', 'r1', value)]), 'route/r1')).toEqual({
      name: 'r1',
      uris: ['/a'],
      hosts: [],
    });
  });

  it('keeps references, also those stored as numbers, and a disabled status', () => {
    const value = { uris: ['/'], service_id: 's1', upstream_id: 7, plugin_config_id: 'p', status: 0, priority: 0 };
    expect(bodyOf(read([shop, stored('routes', 'r1', value)]), 'route/r1')).toMatchObject({
      upstream_id: '7',
      plugin_config_id: 'p',
      status: 0,
      priority: 0,
    });
    const enabled = { uris: ['/'], service_id: 's1', status: 1 };
    expect(bodyOf(read([shop, stored('routes', 'r1', enabled)]), 'route/r1')).not.toHaveProperty('status');
  });

  it('tells own, named and shared upstreams apart', () => {
    const { state } = read([
      stored('services', 's1', { name: 'shop', upstream_id: 's1' }),
      stored('services', 's2', { name: 'blog', upstream_id: 'u' }),
      stored('services', 's3', { name: 'gone', upstream_id: 's3' }),
      stored('upstreams', 's1', { id: 's1', name: 'shop', nodes: [], labels: { a: 'b' } }),
      stored('upstreams', 'n', { name: 'canary', nodes: [], labels: { __ADC_UPSTREAM_SERVICE_ID: 's1', a: 'b' } }),
      stored('upstreams', 'o', { name: 'old', nodes: [], labels: { __ADC_UPSTREAM_SERVICE_ID: 'none' } }),
      stored('upstreams', 'u', { name: 'shared', nodes: [] }),
    ]);
    expect([...state.resources.keys()]).toEqual([
      'service/s1',
      'service/s2',
      'service/s3',
      'upstream/n',
      'upstream/o',
      'upstream/u',
    ]);
    expect(state.resources.get('service/s1')?.body).toMatchObject({ upstream: { nodes: [], labels: { a: 'b' } } });
    expect(state.resources.get('service/s2')?.body).toEqual({ name: 'blog', upstream_id: 'u' });
    expect(state.resources.get('service/s3')?.body).toEqual({ name: 'gone' });
    expect(state.resources.get('upstream/n')).toMatchObject({ parent: 'service/s1', name: 'canary' });
    expect(state.resources.get('upstream/n')?.body['labels']).toEqual({ a: 'b' });
    expect(state.resources.get('upstream/o')?.parent).toBeUndefined();
    const lacking = [
      stored('services', 's1', { name: 'shop', upstream_id: 's1' }),
      stored('services', 's2', { name: 'blog' }),
      ...['s1', 's2'].map((id) => stored('upstreams', `of ${id}`, { labels: { __ADC_UPSTREAM_SERVICE_ID: id } })),
    ];
    for (const key of ['upstream/of s1', 'upstream/of s2']) {
      expect(read(lacking).state.resources.get(key)?.parent).toBeUndefined();
    }
  });

  it('says what it leaves out, and drops nothing silently', () => {
    const { state, notices } = read([
      shop,
      stored('routes', 'r1', { uri: '/', upstream_id: 'u' }),
      stored('routes', 'r2', { uri: '/', service_id: 'none' }),
      stored('routes', 'r3', { uri: '/', service_id: 's1', upstream: { nodes: {} }, script: 'return' }),
      stored('stream_routes', 't1', { server_port: 1 }),
      stored('ssls', 'x', { cert: 'c', sni: 'a.test', status: 0, desc: 'd' }),
      stored('consumers', 'ann', { username: 'ann' }),
      stored('credentials', 'c1', { plugins: { 'ldap-auth': {} } }, 'ann'),
      stored('credentials', 'c2', { plugins: {} }, 'ann'),
      stored('upstreams', 'u', { nodes: {}, tls: { client_cert: 'c', client_key: 'ciphertext' } }),
    ]);
    expect(notices.map(({ message }) => message.replace(/:.*|,.*/s, ''))).toEqual([
      'the client key of upstream "u" cannot be read from the gateway; fill it in where the upstream is configured',
      'route "r1" is not managed',
      'route "r2" is not managed',
      'route "r3" has "upstream"',
      'stream route "t1" is not managed',
      'ssl "x" has "desc"',
      'credential "c1" of consumer "ann" is not managed',
      'credential "c2" of consumer "ann" is not managed',
    ]);
    expect([...(state.outside ?? [])]).toEqual([
      ['route/r1', 'it belongs to no service'],
      ['route/r2', 'its service "none" does not exist'],
      ['stream_route/t1', 'it belongs to no service'],
      ['consumer_credential/ann/c1', 'it is of no plugin a configuration can name'],
      ['consumer_credential/ann/c2', 'it is of no plugin a configuration can name'],
    ]);
    expect(JSON.stringify([...state.resources])).not.toContain('ciphertext');
  });

  it('keeps what it leaves out for those who want its place, with what that refers to', () => {
    const upstream = { nodes: {}, tls: { client_cert_id: 'x' } };
    const split = { rules: [{ weighted_upstreams: [{ upstream_id: 7 }, { weight: 1 }] }] };
    const { state, notices } = read([
      shop,
      stored('routes', 'r1', { uri: '/', upstream, script: 'return', plugin_config_id: 'p' }),
      stored('routes', 'r2', { uri: '/', service_id: 'none', upstream_id: 'u', plugins: { 'traffic-split': split } }),
      stored('routes', 'r3', { uri: '/', service_id: 's1' }),
      stored('services', 's2', { upstream_id: 's2' }),
      stored('upstreams', 's2', upstream),
      stored('credentials', 'c', { plugins: { 'key-auth': { key: 'k' } } }, 'nobody'),
      stored('consumers', 'ann', {}),
      stored('credentials', 'c', { plugins: { 'their-own': { password: 'planted' } } }, 'ann'),
    ]);
    expect(state.resources.get('consumer_credential/ann/c')?.body).toEqual({ name: 'c', type: 'their-own' });
    expect(JSON.stringify([...state.resources])).not.toContain('planted');
    expect(state.resources.get('route/r1')).toMatchObject({ body: { uris: ['/'], plugin_config_id: 'p' } });
    expect(state.resources.get('route/r1')?.parent).toBeUndefined();
    expect(state.resources.get('route/r2')?.parent).toBe('service/none');
    expect(Object.fromEntries(state.references ?? [])).toEqual({
      'route/r1': ['plugin_config/p', 'ssl/x'],
      'route/r2': ['upstream/u', 'upstream/7'],
      'service/s2': ['upstream/s2', 'ssl/x'],
      'upstream/s2': ['ssl/x'],
    });
    expect(state.outside?.get('consumer_credential/nobody/c')).toBe('its consumer "nobody" does not exist');
    expect(notices.filter(({ onTakeOver }) => onTakeOver === true)).toEqual([
      {
        level: 'warning',
        message: 'route "r1" keeps "upstream", "script", which a configuration cannot hold',
        key: 'route/r1',
        onTakeOver: true,
      },
    ]);
  });

  it('merges global rules; the last rule that holds a plugin wins, and that is said', () => {
    const { state, notices } = read([
      stored('global_rules', 'b', { plugins: { cors: { max_age: 2 } } }),
      stored('global_rules', 'a', { plugins: { cors: { max_age: 1 }, 'key-auth': [] } }),
    ]);
    expect(state.resources.get('global_rule/cors')?.body).toEqual({ max_age: 2 });
    expect(state.resources.get('global_rule/key-auth')?.body).toEqual({});
    expect(notices).toMatchObject([{ level: 'warning', key: 'global_rule/cors' }]);
  });

  it('reads names from labels where there is no other, and ids where there is none at all', () => {
    const translation = read([
      shop,
      stored('stream_routes', 't1', { service_id: 's1', labels: { __ADC_NAME: 'my%20tcp', a: 'b' } }),
      stored('stream_routes', 't2', { service_id: 's1', labels: { __ADC_NAME: 'label' }, name: 'field' }),
      stored('consumer_groups', 'g', { plugins: {} }),
      stored('consumers', 'ann', {}),
      stored('credentials', 'c', { plugins: { 'key-auth': { key: 'k' } } }, 'ann'),
    ]);
    expect(bodyOf(translation, 'stream_route/t1')).toEqual({ name: 'my tcp', labels: { a: 'b' } });
    expect(bodyOf(translation, 'stream_route/t2')).toEqual({ name: 'field' });
    expect(bodyOf(translation, 'consumer_group/g')).toEqual({ name: 'g', plugins: {} });
    expect(bodyOf(translation, 'consumer_credential/ann/c')).toMatchObject({ name: 'c', type: 'key-auth' });
  });

  it('gives one order, whatever the order of the gateway', () => {
    const objects = ['b', 'a', 'c'].map((id) => stored('services', id, { name: id }));
    expect([...read(objects).state.resources.keys()]).toEqual(['service/a', 'service/b', 'service/c']);
  });
});

describe('what is written', () => {
  it('keeps a name in a label where the kind has none', () => {
    const route = resource('stream_route', 't', { name: 'my tcp', server_port: 9100 }, 'service/s1');
    expect(toAdmin(route, older)[0]?.value).toEqual({
      server_port: 9100,
      service_id: 's1',
      labels: { __ADC_NAME: 'my%20tcp' },
    });
    expect(toAdmin(route, newest)[0]?.value).toEqual({ name: 'my tcp', server_port: 9100, service_id: 's1' });
    const beforeLabels: Features = new Set<Feature>(['stream_routes']);
    expect(toAdmin(route, beforeLabels)[0]?.value).toEqual({ server_port: 9100, service_id: 's1' });
  });

  it('puts the first pair of an SSL in cert and key, the others in parallel lists', () => {
    const certificates = [1, 2, 3].map((number) => ({ certificate: `c${number}`, key: `k${number}` }));
    const ssl = resource('ssl', 'x', { snis: ['a'], certificates, ssl_protocols: ['TLSv1.3'] });
    expect(toAdmin(ssl, newest)[0]?.value).toEqual({
      id: 'x',
      status: 1,
      snis: ['a'],
      cert: 'c1',
      key: 'k1',
      certs: ['c2', 'c3'],
      keys: ['k2', 'k3'],
      ssl_protocols: ['TLSv1.3'],
    });
  });

  it('names headers of checks as gateways know them, and descriptions', () => {
    const body = {
      name: 'u',
      description: 'd',
      checks: { active: { http_request_headers: ['A: b'] } },
      labels: { tags: ['x'] },
    };
    expect(toAdmin(resource('upstream', 'u', body, 'service/s'), newest)[0]?.value).toEqual({
      name: 'u',
      desc: 'd',
      checks: { active: { req_headers: ['A: b'] } },
      labels: { tags: '["x"]', __ADC_UPSTREAM_SERVICE_ID: 's' },
    });
  });

  it('encodes ids and usernames in paths', () => {
    expect(objectPath(objectRef('credentials', 'a/b?c', 'an n'))).toBe(
      '/apisix/admin/consumers/an%20n/credentials/a%2Fb%3Fc',
    );
    expect(idOf(objectRef('upstreams', 'a/b'))).toBe('a/b');
  });

  it('refers to everything it needs, upstreams of a traffic split among it', () => {
    const split = { rules: [{ weighted_upstreams: [{ upstream_id: 'u2' }, { weight: 1 }] }] };
    const value = { service_id: 's', upstream_id: 'u', plugin_config_id: 'p', plugins: { 'traffic-split': split } };
    expect(referencesOf(stored('routes', 'r', value))).toEqual([
      'services/s',
      'upstreams/u',
      'plugin_configs/p',
      'upstreams/u2',
    ]);
    expect(referencesOf(stored('credentials', 'c', {}, 'ann'))).toEqual(['consumers/ann']);
    expect(referencesOf(stored('upstreams', 'u', { tls: { client_cert_id: 'x' } }))).toEqual(['ssls/x']);
  });

  it('says what traffic it answers', () => {
    expect(servedBy(stored('routes', 'r', { uris: ['/a', '/b'], host: 'h' }))).toEqual(['http h/a', 'http h/b']);
    expect(servedBy(stored('routes', 'r', { uri: '/a' }), ['s'])).toEqual(['http s/a']);
    expect(servedBy(stored('ssls', 'x', { snis: ['a', 'b'] }))).toEqual(['tls a', 'tls b']);
    const many = Array.from({ length: 100 }, (_, index) => `h${index}`);
    expect(servedBy(stored('routes', 'r', { uris: ['/a', '/b', '/c'], hosts: many }))).toEqual([
      'http */a',
      'http */b',
      'http */c',
    ]);
  });

  it('claims credentials without showing them', () => {
    const [claim] = claimsOfPlugins({ 'key-auth': { key: 'top-secret' }, cors: { key: 'x' } });
    expect(claim).toMatch(/^key-auth\/key\/[0-9a-f]{32}$/);
  });
});

describe('what no gateway gives back', () => {
  it('is taken out of certificates and upstreams, and the body stays itself where there is none', () => {
    const ssl = { snis: ['a'], certificates: [{ certificate: 'c', key: 'k' }] };
    expect(withoutHidden('ssl', ssl)).toEqual({ snis: ['a'], certificates: [{ certificate: 'c' }] });
    const upstream = { tls: { client_cert: 'c', client_key: 'k', verify: true } };
    const shown = { tls: { client_cert: 'c', verify: true } };
    expect(withoutHidden('upstream', upstream)).toEqual(shown);
    expect(withoutHidden('service', { upstream })).toEqual({ upstream: shown });
    for (const kind of ['ssl', 'upstream', 'service', 'route'] as const) {
      const body = { name: 'x' };
      expect(withoutHidden(kind, body)).toBe(body);
    }
  });
});

describe('reading what was written', () => {
  const text = fc.stringMatching(/^[a-z][a-z0-9 %é]{0,8}$/);
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const labels = fc.dictionary(word, fc.oneof(word, fc.array(word, { maxLength: 3 })), { minKeys: 1, maxKeys: 3 });
  const config = fc.dictionary(word, fc.oneof(fc.integer(), word, fc.boolean()), { minKeys: 1, maxKeys: 3 });
  const plugins = fc.dictionary(word, config, { maxKeys: 2 });
  const node = fc.record(
    {
      host: word,
      port: fc.integer({ min: 1, max: 65_535 }),
      weight: fc.nat(100),
      priority: fc.integer({ min: -2, max: 2 }),
      metadata: config,
    },
    { requiredKeys: ['host', 'port', 'weight', 'priority'] },
  );
  const upstreamFields = {
    description: text,
    labels,
    type: fc.constantFrom('roundrobin', 'chash'),
    hash_on: fc.constantFrom('vars', 'header'),
    key: word,
    scheme: fc.constantFrom('http', 'https'),
    retries: fc.nat(5),
    retry_timeout: fc.nat(5),
    timeout: fc.record({ connect: fc.nat(9), send: fc.nat(9), read: fc.nat(9) }),
    pass_host: fc.constantFrom('pass', 'node'),
    upstream_host: word,
    nodes: fc.array(node, { maxLength: 3 }),
    service_name: word,
    discovery_type: word,
    discovery_args: config,
    tls: fc.record({ client_cert: word, verify: fc.boolean(), client_cert_id: word }, { requiredKeys: ['verify'] }),
    keepalive_pool: fc.record({ size: fc.nat(9), idle_timeout: fc.nat(9), requests: fc.nat(9) }),
    checks: fc.record({
      active: fc.record({
        type: fc.constant('http'),
        timeout: fc.nat(9),
        concurrency: fc.nat(9),
        http_path: fc.constant('/h'),
        https_verify_certificate: fc.boolean(),
        req_headers: fc.array(word, { minLength: 1 }),
      }),
    }),
  };
  const upstream = fc.record(upstreamFields, { requiredKeys: ['type', 'scheme', 'pass_host'] });
  const record = (fields: Record<string, fc.Arbitrary<unknown>>, required: readonly string[]) =>
    fc.record(fields, { requiredKeys: [...required] }) as fc.Arbitrary<JsonObject>;
  const common = { name: text, description: text, labels };
  const reference = fc.constant('ref');

  const bodies: Readonly<Record<Kind, fc.Arbitrary<JsonObject>>> = {
    service: fc.oneof(
      record({ ...common, plugins, hosts: fc.array(word, { minLength: 1 }), upstream }, ['name']),
      record({ ...common, plugins, upstream_id: reference }, ['name']),
    ),
    upstream: record({ ...upstreamFields, name: text }, ['name', 'type', 'scheme', 'pass_host']),
    route: record(
      {
        ...common,
        uris: fc.array(word, { minLength: 1 }),
        hosts: fc.array(word, { minLength: 1 }),
        methods: fc.constant(['GET']),
        remote_addrs: fc.constant(['127.0.0.1']),
        priority: fc.integer(),
        timeout: upstreamFields.timeout,
        vars: fc.constant([['a', '==', 'b']] as Json),
        enable_websocket: fc.boolean(),
        filter_func: word,
        plugins,
        status: fc.constant(0),
        upstream_id: reference,
        plugin_config_id: reference,
      },
      ['name', 'uris'],
    ),
    stream_route: record(
      {
        ...common,
        plugins,
        remote_addr: word,
        server_addr: word,
        server_port: fc.nat(),
        sni: word,
        upstream_id: reference,
      },
      ['name'],
    ),
    ssl: record(
      {
        labels,
        type: fc.constantFrom('server', 'client'),
        snis: fc.array(word, { minLength: 1 }),
        certificates: fc.array(fc.record({ certificate: word }), { minLength: 1, maxLength: 3 }),
        client: fc.record({ ca: word, depth: fc.nat(3), skip_mtls_uri_regex: fc.constant(['/x']) }),
        ssl_protocols: fc.constant(['TLSv1.3']),
      },
      ['type', 'snis', 'certificates'],
    ),
    consumer: record({ username: fc.constant('c'), description: text, labels, plugins, group_id: reference }, [
      'username',
    ]),
    consumer_credential: record({ ...common, type: fc.constantFrom('key-auth', 'jwt-auth'), config }, [
      'name',
      'type',
      'config',
    ]),
    consumer_group: record({ ...common, plugins }, ['name', 'plugins']),
    plugin_config: record({ ...common, plugins }, ['name', 'plugins']),
    global_rule: config,
    // Metadata is stored beside an id of its own.
    plugin_metadata: config.filter((metadata) => !('id' in metadata)),
  };

  const parents: Readonly<Partial<Record<Kind, string>>> = {
    route: 'service/owner',
    stream_route: 'service/owner',
    consumer_credential: 'consumer/owner',
  };
  const owner = [stored('services', 'owner', { name: 'owner' }), stored('consumers', 'owner', { username: 'owner' })];

  for (const kind of Object.keys(bodies) as Kind[]) {
    for (const [name, features] of [['newest', newest] as const, ['older', older] as const]) {
      it(`gives the same ${kind} on the ${name} gateways`, () => {
        fc.assert(
          fc.property(bodies[kind], (body) => {
            const written = resource(kind, 'c', body, parents[kind]);
            const { state } = read([...owner, ...toAdmin(written, features)], features);
            expect(state.resources.get(written.key)?.body).toEqual(body);
            expect(canonical(kind, state.resources.get(written.key)?.body ?? {})).toEqual(canonical(kind, body));
          }),
          { numRuns: 60 },
        );
      });
    }
  }
});
