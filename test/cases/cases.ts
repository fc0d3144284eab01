import { expect } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { certificates, everything, fullUpstream } from './documents.js';
import type { GatewayCase } from './gateway-case.js';
import { outsiderCases } from './outsiders.js';

const node = (host: string): JsonObject => ({ host, port: 8080, weight: 1 });
const service = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  upstream: { nodes: [node('10.0.0.1')] },
  ...more,
});

/** Replaces every occurrence of a string in a document. */
function replaceText(value: Json, from: string, to: string): Json {
  if (typeof value === 'string') return value === from ? to : value;
  if (Array.isArray(value)) return value.map((item: Json) => replaceText(item, from, to));
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceText(item, from, to)]));
  return value;
}

const editedEverything = (document: JsonObject): JsonObject =>
  replaceText(
    replaceText(replaceText(document, '10.0.0.1', '10.9.9.9'), 'shop', 'store'),
    'the list of the shop',
    'edited',
  ) as JsonObject;

/** The end-to-end cases, in no particular order; each starts from an empty gateway. */
export const cases: readonly GatewayCase[] = [
  {
    name: 'every field of every kind: created, found unchanged, edited, deleted',
    async run(bench) {
      const document = everything(bench.abilities);
      const created = await bench.sync(document);
      expect(created.applied.every((line) => line.startsWith('create '))).toBe(true);
      await bench.roundTrip();
      const edited = await bench.sync(editedEverything(document));
      expect(edited.applied.some((line) => line.startsWith('update '))).toBe(true);
      const emptied = await bench.sync({
        services: [],
        ssls: [],
        consumers: [],
        consumer_groups: [],
        upstreams: [],
        plugin_configs: [],
        global_rules: {},
        plugin_metadata: {},
      });
      expect(emptied.applied.every((line) => line.startsWith('delete '))).toBe(true);
      expect(await bench.dump()).toEqual({
        services: [],
        ssls: [],
        consumers: [],
        global_rules: {},
        plugin_metadata: {},
      });
    },
  },
  {
    name: 'one route changed is one change',
    async run(bench) {
      const routes = [
        { name: 'a', uris: ['/a'] },
        { name: 'b', uris: ['/b'] },
      ];
      await bench.sync({ services: [service('s', { routes })] });
      const summary = await bench.sync({
        services: [service('s', { routes: [routes[0]!, { name: 'b', uris: ['/b', '/b2'] }] })],
      });
      expect(summary.applied).toEqual(['update route b']);
    },
  },
  {
    name: 'a renamed service with derived ids is created anew with its children, and the old one goes',
    async run(bench) {
      const routes = [{ name: 'a', uris: ['/a'] }];
      await bench.sync({ services: [service('old', { routes })] });
      const summary = await bench.sync({ services: [service('new', { routes })] });
      expect([...summary.applied].sort()).toEqual([
        'create route a',
        'create service new',
        'delete route a',
        'delete service old',
      ]);
    },
  },
  {
    name: 'a renamed service with an explicit id keeps it, and children take their ids from the new name at once',
    async run(bench) {
      const routes = [{ name: 'a', uris: ['/a'] }];
      await bench.sync({ services: [service('old', { id: 'fixed', routes })] });
      const summary = await bench.sync({ services: [service('new', { id: 'fixed', routes })] });
      expect(summary.applied).toContain('update service new');
    },
  },
  {
    name: 'a route moves between services',
    async run(bench) {
      const route = { id: 'r', name: 'r', uris: ['/r'] };
      await bench.sync({ services: [service('a', { routes: [route] }), service('b')] });
      const summary = await bench.sync({ services: [service('a'), service('b', { routes: [route] })] });
      expect(summary.applied).toEqual(['update route r']);
    },
  },
  {
    name: 'a route moves to a new service while the old one goes',
    async run(bench) {
      const route = { id: 'r', name: 'r', uris: ['/r'] };
      await bench.sync({ services: [service('a', { routes: [route] })] });
      await bench.sync({ services: [service('b', { routes: [route] })] });
    },
  },
  {
    name: 'services gain, lose and lack an upstream',
    async run(bench) {
      const plugins = { mocking: { response_example: 'x' } };
      await bench.sync({
        services: [{ name: 'lacks', plugins }, service('loses', { plugins }), { name: 'gains', plugins }],
      });
      const summary = await bench.sync({
        services: [{ name: 'lacks', plugins }, { name: 'loses', plugins }, service('gains', { plugins })],
      });
      expect([...summary.applied].sort()).toEqual(['update service gains', 'update service loses']);
      await bench.sync({ services: [] });
    },
  },
  {
    name: 'named upstreams come and go with their service',
    async run(bench) {
      await bench.sync({
        services: [
          service('s', {
            upstreams: [
              { name: 'one', nodes: [node('10.0.0.2')] },
              { name: 'two', nodes: [node('10.0.0.3')] },
            ],
          }),
        ],
      });
      const summary = await bench.sync({
        services: [service('s', { upstreams: [{ name: 'two', nodes: [node('10.0.0.4')] }] })],
      });
      expect([...summary.applied].sort()).toEqual(['delete upstream one', 'update upstream two']);
      await bench.sync({ services: [] });
    },
  },
  {
    name: 'an equal inline upstream is no change; any change gives the service an upstream of its own',
    suits: (abilities) => abilities.resourcePaths,
    async run(bench) {
      await bench.admin('PUT', '/services/inline', {
        name: 'inline',
        upstream: { type: 'roundrobin', nodes: { '10.0.0.1:8080': 1 } },
      });
      const same = { services: [{ id: 'inline', name: 'inline', upstream: { nodes: [node('10.0.0.1')] } }] };
      expect(await bench.diff(same)).toEqual([]);
      const summary = await bench.sync({
        services: [{ id: 'inline', name: 'inline', upstream: { nodes: [node('10.0.0.2')] } }],
      });
      expect(summary.applied).toEqual(['update service inline']);
      const stored = (await bench.admin('GET', '/services/inline')).json as { value: JsonObject };
      expect(stored.value['upstream']).toBeUndefined();
      expect(stored.value['upstream_id']).toBe('inline');
      await bench.sync({ services: [] });
    },
  },
  {
    name: 'a service with an inline upstream that was not made by the tool can be deleted',
    suits: (abilities) => abilities.resourcePaths,
    async run(bench) {
      await bench.admin('PUT', '/services/foreign', {
        name: 'foreign',
        upstream: { nodes: { '10.0.0.1:80': 1 }, type: 'roundrobin' },
      });
      expect((await bench.sync({ services: [] })).applied).toEqual(['delete service foreign']);
    },
  },
  {
    name: 'global rules under other ids and several plugins in one rule are changed in place',
    suits: (abilities) => abilities.resourcePaths,
    async run(bench) {
      await bench.admin('PUT', '/global_rules/foreign', {
        plugins: { 'request-id': {}, cors: { allow_origins: 'https://a.test' } },
      });
      await bench.sync({ global_rules: { 'request-id': {}, cors: { allow_origins: 'https://b.test' } } });
      const rule = (await bench.admin('GET', '/global_rules/foreign')).json as { value: { plugins: JsonObject } };
      expect(Object.keys(rule.value.plugins).sort()).toEqual(['cors', 'request-id']);
      await bench.sync({ global_rules: { 'request-id': {} } });
      await bench.sync({ global_rules: { gzip: {} } });
      expect((await bench.admin('GET', '/global_rules/foreign')).status).toBe(404);
    },
  },
  {
    name: 'neighbours that are not managed are left alone',
    suits: (abilities) => abilities.resourcePaths,
    async run(bench) {
      await bench.admin('PUT', '/upstreams/alien', { type: 'roundrobin', nodes: { '10.5.0.1:80': 1 } });
      await bench.admin('PUT', '/routes/alien', { uri: '/alien', upstream_id: 'alien' });
      await bench.admin('PUT', '/plugin_configs/alien', { plugins: { cors: {} } });
      await bench.admin('PUT', '/consumer_groups/alien', {
        plugins: { 'limit-count': { count: 1, time_window: 1, rejected_code: 429 } },
      });
      await bench.admin('PUT', '/protos/alien', { content: 'syntax = "proto3"; message A { string a = 1; }' });
      await bench.sync({ services: [service('s', { routes: [{ name: 'r', uris: ['/r'] }] })] });
      await bench.sync({ services: [] });
      for (const path of [
        '/upstreams/alien',
        '/routes/alien',
        '/plugin_configs/alien',
        '/consumer_groups/alien',
        '/protos/alien',
      ]) {
        expect([path, (await bench.admin('GET', path)).status]).toEqual([path, 200]);
      }
    },
  },
  {
    name: 'a file that names upstreams, plugin configs and consumer groups manages them',
    async run(bench) {
      const plugins = { cors: { allow_origins: 'https://a.test' } };
      await bench.sync({
        services: [{ name: 's', upstream_id: 'u', routes: [{ name: 'r', uris: ['/r'], plugin_config_id: 'p' }] }],
        upstreams: [{ name: 'u', nodes: [node('10.0.0.1')] }],
        plugin_configs: [{ name: 'p', plugins }],
        consumer_groups: [{ name: 'g', plugins: { 'limit-count': { count: 1, time_window: 1, rejected_code: 429 } } }],
        consumers: [{ username: 'ann', group_id: 'g', plugins: { 'key-auth': { key: 'ann-key' } } }],
      });
      const summary = await bench.sync({
        services: [],
        upstreams: [],
        plugin_configs: [],
        consumer_groups: [],
        consumers: [],
      });
      expect([...summary.applied].sort()).toEqual([
        'delete consumer ann',
        'delete consumer_group g',
        'delete plugin_config p',
        'delete route r',
        'delete service s',
        'delete upstream u',
      ]);
    },
  },
  {
    name: 'shared upstreams that nothing uses stay when a later file does not mention them',
    async run(bench) {
      const upstreams = [
        { name: 'idle', nodes: [node('10.0.0.1')] },
        { id: 'by-id', name: 'explicit', nodes: [node('10.0.0.2')] },
      ];
      await bench.sync({ upstreams, services: [service('s')] });
      await bench.sync({ services: [service('s'), { name: 'idle', upstream_id: 'by-id' }] });
      await bench.sync({ services: [] });
      expect(await bench.diff({ upstreams })).toEqual([]);
    },
  },
  {
    name: 'a shared upstream has the id of a service with an upstream of its own',
    async run(bench) {
      const shared = (host: string): JsonObject => ({ upstreams: [{ name: 's', nodes: [node(host)] }] });
      const own = { services: [service('s', { routes: [{ name: 'r', uris: ['/r'] }] })] };
      await bench.sync({ ...own, ...shared('10.0.0.2') });
      await bench.sync({ ...own, ...shared('10.0.0.3') });
      expect((await bench.sync({ ...own, upstreams: [] })).applied).toEqual(['delete upstream s']);
      await bench.sync({ services: [], upstreams: [] });
      await bench.sync(own);
      expect((await bench.sync({ ...own, ...shared('10.0.0.2') })).applied).toEqual(['create upstream s']);
      await bench.sync({ services: [{ name: 's', upstream_id: 's' }], ...shared('10.0.0.2') });
      expect((await bench.sync({ services: [] })).applied).toEqual(['delete service s']);
      expect(await bench.diff(shared('10.0.0.2'))).toEqual([]);
    },
  },
  {
    name: 'services and upstreams have the same ids, as in many a first gateway',
    suits: (abilities) => abilities.resourcePaths,
    async run(bench) {
      await bench.admin('PUT', '/upstreams/1', { type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
      await bench.admin('PUT', '/upstreams/2', { type: 'roundrobin', nodes: { '10.0.0.2:80': 1 } });
      await bench.admin('PUT', '/services/1', { upstream: { type: 'roundrobin', nodes: { '10.0.0.9:80': 1 } } });
      await bench.admin('PUT', '/services/2', { upstream_id: '1' });
      await bench.admin('PUT', '/routes/1', { uri: '/1', service_id: '1' });
      await bench.admin('PUT', '/routes/2', { uri: '/2', service_id: '2', upstream_id: '2' });
      const dumped = await bench.dump();
      expect(await bench.diff(dumped)).toEqual([]);
      await bench.sync(replaceText(dumped, '10.0.0.9', '10.0.0.8') as JsonObject);
      await bench.sync({ services: dumped['services'] ?? [] });
      expect(((await bench.admin('GET', '/upstreams/1')).json as { value: JsonObject }).value['nodes']).toMatchObject({
        '10.0.0.1:80': 1,
      });
    },
  },
  {
    name: 'a label scope sees and deletes only its own',
    async run(bench) {
      const mine = { labels: { owner: 'a' } };
      const yours = { labels: { owner: 'b' } };
      await bench.sync({ services: [service('of a')] }, mine);
      await bench.sync({ services: [service('of b')] }, yours);
      expect((await bench.syncLoosely({ services: [] }, mine)).applied).toEqual(['delete service of a']);
      expect(await bench.diff({ services: [service('of b')] }, yours)).toEqual([]);
    },
  },
  {
    name: 'a desired resource whose id exists outside the scope is an update that takes it over',
    async run(bench) {
      await bench.sync({ services: [service('s')] });
      expect(await bench.diff({ services: [service('s')] }, { labels: { owner: 'a' } })).toEqual(['update service s']);
    },
  },
  {
    name: 'a type scope deletes only its types',
    async run(bench) {
      await bench.sync({
        services: [service('s')],
        consumers: [{ username: 'ann', plugins: { 'key-auth': { key: 'ann-key' } } }],
      });
      expect((await bench.syncLoosely({}, { include: ['consumer'] })).applied).toEqual(['delete consumer ann']);
      expect((await bench.syncLoosely({}, { exclude: ['service'] })).applied).toEqual([]);
      expect(await bench.diff({ services: [service('s')] })).toEqual([]);
    },
  },
  {
    name: 'consumers and their credentials',
    suits: (abilities) => abilities.credentials,
    async run(bench) {
      const credential = (name: string, key: string): JsonObject => ({ name, type: 'key-auth', config: { key } });
      await bench.sync({
        consumers: [
          { username: 'ann', credentials: [credential('a', 'key-a'), credential('b', 'key-b')] },
          { username: 'bob' },
        ],
      });
      const moved = await bench.sync({
        consumers: [
          { username: 'ann', credentials: [credential('a', 'key-a2')] },
          { username: 'bob', credentials: [credential('b', 'key-b')] },
        ],
      });
      expect(moved.failed).toEqual([]);
      const renamed = await bench.sync({
        consumers: [
          { username: 'eve', credentials: [credential('a', 'key-a2')] },
          { username: 'bob', credentials: [credential('b', 'key-b')] },
        ],
      });
      expect(renamed.failed).toEqual([]);
      expect((await bench.sync({ consumers: [] })).failed).toEqual([]);
    },
  },
  {
    name: 'two credentials swap their keys',
    suits: (abilities) => abilities.credentials,
    async run(bench) {
      const both = (first: string, second: string): JsonObject => ({
        consumers: [
          {
            username: 'ann',
            credentials: [
              { name: 'a', type: 'key-auth', config: { key: first } },
              { name: 'b', type: 'key-auth', config: { key: second } },
            ],
          },
        ],
      });
      await bench.sync(both('one', 'two'));
      await bench.sync(both('two', 'one'));
    },
  },
  {
    name: 'a consumer and its credential take over and swap what they authenticate with',
    suits: (abilities) => abilities.credentials,
    async run(bench) {
      const consumer = (own: string | undefined, credential: string): JsonObject => ({
        consumers: [
          {
            username: 'ann',
            ...(own === undefined ? {} : { plugins: { 'key-auth': { key: own } } }),
            credentials: [{ name: 'c', type: 'key-auth', config: { key: credential } }],
          },
        ],
      });
      await bench.sync(consumer(undefined, 'one'));
      await bench.sync(consumer('one', 'two'));
      await bench.sync(consumer('two', 'one'));
      await bench.sync(consumer('three', 'two'));
      await bench.sync(consumer(undefined, 'three'));
    },
  },
  {
    name: 'certificates: several pairs, a new certificate, a removed one',
    async run(bench) {
      const ssl = (...pairs: readonly (typeof certificates.shop)[]): JsonObject => ({
        ssls: [{ snis: ['shop.test'], certificates: pairs }],
      });
      await bench.sync(ssl(certificates.shop));
      expect((await bench.sync(ssl(certificates.shop, certificates.blog))).applied).toEqual(['update ssl shop.test']);
      expect((await bench.sync(ssl(certificates.blog))).applied).toEqual(['update ssl shop.test']);
      await bench.sync({ ssls: [] });
    },
  },
  {
    name: 'a client key of an upstream that the gateway hides is no difference and is not lost',
    async run(bench) {
      await bench.sync({ services: [{ name: 's', upstream: fullUpstream }] });
      const summary = await bench.sync({ services: [{ name: 's', upstream: { ...fullUpstream, retries: 7 } }] });
      expect(summary.applied).toEqual(['update service s']);
    },
  },
  {
    name: 'plugins whose defaults stand in branches of their schema',
    async run(bench) {
      await bench.sync({
        services: [
          service('s', {
            routes: [
              { name: 'count', uris: ['/count'], plugins: { 'limit-count': { count: 1, time_window: 60 } } },
              {
                name: 'conn',
                uris: ['/conn'],
                plugins: { 'limit-conn': { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' } },
              },
              { name: 'req', uris: ['/req'], plugins: { 'limit-req': { rate: 1, burst: 0, key: 'remote_addr' } } },
              { name: 'redirect', uris: ['/redirect'], plugins: { redirect: { http_to_https: true } } },
              {
                name: 'split',
                uris: ['/split'],
                plugins: {
                  'traffic-split': {
                    rules: [
                      {
                        weighted_upstreams: [
                          { upstream: { nodes: { '10.0.0.7:80': 1 }, type: 'roundrobin' }, weight: 1 },
                          { weight: 1 },
                        ],
                      },
                    ],
                  },
                },
              },
              { name: 'fault', uris: ['/fault'], plugins: { 'fault-injection': { abort: { http_status: 503 } } } },
              {
                name: 'function',
                uris: ['/function'],
                plugins: { 'serverless-pre-function': { functions: ['return function() end'] } },
              },
              {
                name: 'auth',
                uris: ['/auth'],
                plugins: { 'key-auth': {}, 'jwt-auth': {}, 'consumer-restriction': { whitelist: ['ann'] } },
              },
            ],
          }),
        ],
      });
    },
  },
  {
    name: 'an interrupted sync is completed by running it again',
    async run(bench) {
      const routes = Array.from({ length: 60 }, (_, index) => ({ name: `r${index}`, uris: [`/r${index}`] }));
      const document = { services: [service('s', { routes })] };
      const controller = new AbortController();
      const interrupted = bench.syncLoosely(document, { signal: controller.signal });
      setImmediate(() => controller.abort());
      await interrupted.catch(() => undefined);
      await bench.sync(document);
      await bench.sync({ services: [] });
    },
  },
  {
    name: 'a job comes so soon after another that the gateway has not forgotten yet what that one deleted',
    async run(bench) {
      const credential = { name: 'c', type: 'key-auth', config: { key: 'the-key' } };
      const consumer = (username: string): JsonObject =>
        bench.abilities.credentials
          ? { username, credentials: [credential] }
          : { username, plugins: { 'key-auth': { key: 'the-key' } } };
      const routes = [{ name: 'r', uris: ['/r'] }];
      for (let round = 0; round < 5; round += 1) {
        for (const document of [
          { services: [service('s', { routes })], consumers: [consumer('ann')] },
          { services: [service('s')], consumers: [] },
          { services: [], consumers: [consumer('bob')] },
          { services: [], consumers: [] },
        ])
          expect((await bench.syncLoosely(document)).failed).toEqual([]);
      }
    },
  },
  {
    name: 'a resource that the gateway refuses fails alone, and what depends on it is skipped',
    async run(bench) {
      const document = {
        services: [
          service('good', { routes: [{ name: 'fine', uris: ['/fine'] }] }),
          service('bad', {
            plugins: { 'limit-count': { count: 'many' } },
            routes: [{ name: 'orphan', uris: ['/orphan'] }],
          }),
        ],
      };
      const summary = await bench.syncLoosely(document);
      expect([...summary.applied].sort()).toEqual(expect.arrayContaining(['create route fine', 'create service good']));
      expect(summary.failed.join('\n')).toContain('create service bad');
      expect(summary.failed.join('\n')).toContain('limit-count');
      await bench.sync({ services: [service('good', { routes: [{ name: 'fine', uris: ['/fine'] }] })] });
    },
    suits: (abilities) => abilities.resourcePaths,
  },
  {
    name: 'ids at their limit',
    async run(bench) {
      const id = 'a'.repeat(64);
      await bench.sync({ services: [service('s', { id, routes: [{ id, name: 'r', uris: ['/r'] }] })] });
    },
  },
  {
    name: 'a large configuration',
    async run(bench) {
      const services = Array.from({ length: 50 }, (_, index) =>
        service(`s${index}`, {
          routes: Array.from({ length: 10 }, (__, route) => ({ name: `r${route}`, uris: [`/s${index}/r${route}`] })),
        }),
      );
      const summary = await bench.sync({ services });
      expect(summary.applied).toHaveLength(550);
      const emptied = await bench.sync({ services: [] });
      expect(emptied.applied).toHaveLength(550);
    },
  },
  ...outsiderCases,
];
