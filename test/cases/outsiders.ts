import { expect } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { certificates } from './documents.js';
import type { GatewayCase } from './gateway-case.js';

const node = (host: string): JsonObject => ({ host, port: 8080, weight: 1 });
const nodes = { type: 'roundrobin', nodes: { '10.5.0.1:80': 1 } };
const service = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  name: id,
  upstream: { nodes: [node('10.0.0.1')] },
  ...more,
});
const emptied: JsonObject = { services: [], upstreams: [], plugin_configs: [], consumer_groups: [], ssls: [] };
const limits = {
  'limit-count': { count: 1, time_window: 60, rejected_code: 429, policy: 'local', key: 'remote_addr' },
};

/** What stands on a gateway outside of any configuration's reach, beside what a configuration has. */
export const outsiderCases: readonly GatewayCase[] = [
  {
    name: 'a route outside services whose id is desired is taken over, field by field',
    async run(bench) {
      await bench.plant('upstreams/theirs', { ...nodes, name: 'theirs' });
      await bench.plant('routes/r', { uri: '/theirs', name: 'r', upstream_id: 'theirs', desc: 'by hand' });
      await bench.plant('routes/kept', { uri: '/kept', upstream_id: 'theirs' });
      const document = { services: [service('s', { routes: [{ id: 'r', name: 'r', uris: ['/mine'] }] })] };
      expect(await bench.diff(document)).toEqual(['create service s', 'update route r']);
      expect(await bench.updates(document)).toEqual([
        'update route r takes over (it belongs to no service): service_id, description, upstream_id, uris.0',
      ]);
      const kept = await bench.stored('routes/kept');
      expect((await bench.sync(document)).applied).toEqual(['create service s', 'update route r']);
      expect(await bench.stored('routes/r')).toMatchObject({ uris: ['/mine'], service_id: 's' });
      expect(await bench.stored('routes/r')).not.toHaveProperty('upstream_id');
      expect((await bench.sync({ services: [] })).applied).toEqual(['delete route r', 'delete service s']);
      expect(await bench.stored('routes/kept')).toEqual(kept);
      expect((await bench.dump())['services']).toEqual([]);
    },
  },
  {
    name: 'a stream route outside services whose id is desired is taken over',
    suits: (abilities) => abilities.streamRoutesOnServices,
    async run(bench) {
      await bench.plant('stream_routes/t', { server_port: 9100, upstream: nodes });
      await bench.plant('stream_routes/kept', { server_port: 9101, upstream: nodes });
      const document = {
        services: [
          service('s', {
            upstream: { scheme: 'tcp', nodes: [node('10.0.0.1')] },
            stream_routes: [{ id: 't', name: 't', server_port: 9100 }],
          }),
        ],
      };
      expect(await bench.updates(document)).toEqual([
        'update stream_route t takes over (it belongs to no service): service_id',
      ]);
      const kept = await bench.stored('stream_routes/kept');
      await bench.sync(document);
      expect(await bench.stored('stream_routes/t')).toMatchObject({ service_id: 's' });
      await bench.sync({ services: [] });
      expect(await bench.stored('stream_routes/kept')).toEqual(kept);
    },
  },
  {
    name: 'a credential of a plugin that no configuration can name is taken over',
    suits: (abilities) => abilities.credentials,
    async run(bench) {
      const consumer = (credentials: readonly JsonObject[]): JsonObject => ({
        consumers: [{ username: 'ann', credentials }],
      });
      await bench.sync(consumer([]));
      await bench.plant('consumers/ann/credentials/c', { desc: 'theirs', plugins: {} });
      await bench.plant('consumers/ann/credentials/kept', { plugins: {} });
      expect(await bench.diff(consumer([]))).toEqual([]);
      const desired = consumer([{ id: 'c', name: 'c', type: 'key-auth', config: { key: 'mine' } }]);
      expect(await bench.updates(desired)).toEqual([
        'update consumer_credential c takes over (it is of no plugin a configuration can name): config, description, type',
      ]);
      await bench.sync(desired);
      await bench.sync(consumer([]));
      expect(await bench.stored('consumers/ann/credentials/c')).toBeUndefined();
      expect(await bench.stored('consumers/ann/credentials/kept')).toBeDefined();
    },
  },
  {
    name: 'what only strangers use is left alone for ever, until they are gone',
    async run(bench) {
      const pair = certificates.shop;
      const document = {
        services: [
          service('tls-too', {
            upstream: { scheme: 'https', nodes: [node('10.0.0.5')], tls: { client_cert_id: 'cert-too' } },
          }),
          service('s', { upstreams: [{ id: 'named', name: 'named', nodes: [node('10.0.0.2')] }] }),
          service('split'),
        ],
        upstreams: [
          { id: 'shared', name: 'shared', nodes: [node('10.0.0.3')] },
          { id: 'tls', name: 'tls', scheme: 'https', nodes: [node('10.0.0.4')], tls: { client_cert_id: 'cert' } },
        ],
        plugin_configs: [{ id: 'config', name: 'config', plugins: { cors: {} } }],
        consumer_groups: [],
        ssls: ['cert', 'cert-too'].map((id) => ({
          id,
          type: 'client',
          snis: [`${id}.test`],
          certificates: [pair],
        })),
      };
      await bench.sync(document);
      const planted: Readonly<Record<string, JsonObject>> = {
        'routes/own': { uri: '/own', upstream_id: 's' },
        'routes/named': { uri: '/named', upstream_id: 'named' },
        'routes/shared': { uri: '/shared', upstream_id: 'shared', plugin_config_id: 'config' },
        'routes/tls': { uri: '/tls', upstream_id: 'tls' },
        'routes/tls-too': { uri: '/tls-too', upstream_id: 'tls-too' },
        'routes/split': {
          uri: '/split',
          upstream_id: 's',
          plugins: {
            'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: 'split', weight: 1 }, { weight: 1 }] }] },
          },
        },
      };
      for (const [path, value] of Object.entries(planted)) await bench.plant(path, value);
      const held = await Promise.all(Object.keys(planted).map((path) => bench.stored(path)));
      expect(await bench.diff(document)).toEqual([]);
      const summary = await bench.sync(emptied);
      expect([...summary.applied].sort()).toEqual([
        'delete service s',
        'delete service split',
        'delete service tls-too',
      ]);
      for (let round = 0; round < 2; round += 1) {
        expect((await bench.sync(emptied)).applied).toEqual([]);
        expect((await bench.sync({ services: [] })).applied).toEqual([]);
      }
      for (const path of ['upstreams/s', 'upstreams/split', 'upstreams/named', 'upstreams/shared', 'upstreams/tls'])
        expect([path, (await bench.stored(path)) === undefined]).toEqual([path, false]);
      expect(await bench.stored('plugin_configs/config')).toBeDefined();
      expect(await bench.stored('ssls/cert')).toBeDefined();
      expect(await bench.stored('ssls/cert-too')).toBeDefined();
      expect(await Promise.all(Object.keys(planted).map((path) => bench.stored(path)))).toEqual(held);

      for (const path of Object.keys(planted)) await bench.uproot(path);
      const last = await bench.sync(emptied);
      expect([...last.applied].sort()).toEqual([
        'delete plugin_config config',
        'delete ssl cert-too.test',
        'delete ssl cert.test',
        'delete upstream named',
        'delete upstream s',
        'delete upstream shared',
        'delete upstream split',
        'delete upstream tls',
        'delete upstream tls-too',
      ]);
    },
  },
  {
    name: 'a named upstream that a stranger uses stays although its service loses all upstreams',
    async run(bench) {
      const named = { id: 'named', name: 'named', nodes: [node('10.0.0.2')] };
      await bench.sync({ services: [service('s', { upstreams: [named] })] });
      await bench.plant('routes/lone', { uri: '/lone', upstream_id: 'named' });
      const document = { services: [{ id: 's', name: 's', plugins: { mocking: { response_example: 'x' } } }] };
      expect((await bench.sync(document)).applied).toEqual(['update service s']);
      expect((await bench.sync({ ...document, upstreams: [] })).applied).toEqual([]);
      expect(await bench.stored('upstreams/named')).toBeDefined();
      await bench.uproot('routes/lone');
      await bench.sync(document);
      expect(await bench.stored('upstreams/named')).toBeUndefined();
    },
  },
  {
    name: 'what a selector covers and only others use is left alone',
    async run(bench) {
      const mine = { labels: { owner: 'me' } };
      await bench.sync(
        {
          services: [service('s')],
          upstreams: [{ id: 'shared', name: 'shared', nodes: [node('10.0.0.3')] }],
          plugin_configs: [{ id: 'config', name: 'config', plugins: { cors: {} } }],
          consumer_groups: [{ id: 'group', name: 'group', plugins: limits }],
        },
        mine,
      );
      await bench.plant('services/theirs', { name: 'theirs', upstream_id: 'shared' });
      await bench.plant('services/too', { name: 'too', upstream_id: 's' });
      await bench.plant('routes/theirs', { uri: '/theirs', service_id: 'theirs', plugin_config_id: 'config' });
      await bench.plant('consumers/ann', {
        username: 'ann',
        group_id: 'group',
        plugins: { 'key-auth': { key: 'key-of-ann' } },
      });
      const nothing = { services: [], upstreams: [], plugin_configs: [], consumer_groups: [], consumers: [] };
      expect((await bench.syncLoosely(nothing, mine)).applied).toEqual(['delete service s']);
      for (let round = 0; round < 2; round += 1) {
        expect(await bench.diff(nothing, mine)).toEqual([]);
        expect(await bench.syncLoosely(nothing, mine)).toEqual({ applied: [], failed: [] });
      }
      for (const path of ['upstreams/shared', 'upstreams/s', 'plugin_configs/config', 'consumer_groups/group'])
        expect([path, (await bench.stored(path)) === undefined]).toEqual([path, false]);
    },
  },
  {
    name: 'a service that is taken over brings what is nested in it in one diff',
    async run(bench) {
      const mine = { labels: { owner: 'me' } };
      const route = (id: string): JsonObject => ({ id, name: id, uris: [`/${id}`] });
      await bench.sync({ services: [service('s', { routes: [route('kept'), route('gone')] })] });
      const document = { services: [service('s', { routes: [route('kept')] })] };
      expect(await bench.diff(document, mine)).toEqual(['update service s', 'update route kept', 'delete route gone']);
      expect((await bench.syncLoosely(document, mine)).failed).toEqual([]);
      expect(await bench.diff(document, mine)).toEqual([]);
    },
  },
  {
    name: 'an upstream of the file that has the id of the upstream of a service out of scope takes it over',
    async run(bench) {
      await bench.sync({ services: [service('theirs')] });
      const mine = { labels: { owner: 'me' } };
      const document = { services: [], upstreams: [{ id: 'theirs', name: 'pool', nodes: [node('10.0.0.2')] }] };
      expect(await bench.updates(document, mine)).toEqual([
        'update upstream pool takes over (it is the upstream of service "theirs", which is left alone): ' +
          'labels, name, nodes.0.host',
      ]);
      expect((await bench.syncLoosely(document, mine)).applied).toEqual(['update upstream pool']);
      expect(await bench.diff(document, mine)).toEqual([]);
      expect(await bench.stored('services/theirs')).toMatchObject({ upstream_id: 'theirs' });
    },
  },
  {
    name: 'a route whose service is missing is left alone, and goes in the sync that brings the service',
    async run(bench) {
      await bench.sync({ services: [service('s')] });
      for (const id of ['orphan', 'wanted', 'moved']) {
        await bench.plant(`routes/${id}`, { name: id, uri: `/${id}`, service_id: 's' });
      }
      // The oldest gateways cannot be made to.
      if (!(await bench.uproot('services/s'))) return;
      await bench.uproot('upstreams/s');
      const route = (id: string): JsonObject => ({ id, name: id, uris: [`/${id}`] });
      const before = await bench.stored('routes/orphan');
      expect((await bench.sync({ services: [] })).applied).toEqual([]);
      expect((await bench.sync({ services: [service('t', { routes: [route('moved')] })] })).applied).toEqual([
        'create service t',
        'update route moved',
      ]);
      expect(await bench.stored('routes/orphan')).toEqual(before);
      const document = {
        services: [service('t', { routes: [route('moved')] }), service('s', { routes: [route('wanted')] })],
      };
      expect(await bench.diff(document)).toEqual(['create service s', 'delete route orphan']);
      expect((await bench.sync(document)).applied).toEqual(['create service s', 'delete route orphan']);
      expect(await bench.stored('routes/orphan')).toBeUndefined();
    },
  },
];
