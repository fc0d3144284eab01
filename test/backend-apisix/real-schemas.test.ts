import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { startBench } from './gateway.js';

/** Real gateways' schemas are not part of the project: they are looked for beside it. */
const schemas = fileURLToPath(new URL('../../../shared/schemas/', import.meta.url));
const hasSchemas = existsSync(schemas);
if (!hasSchemas) process.stderr.write('no gateway schemas beside the project: syncing with them is skipped\n');

const nodes = [{ host: '10.0.0.1', port: 80, weight: 1 }];

/** Configurations of many plugins, as short as people write them: everything left out is a default somewhere. */
const configurations: Readonly<Record<string, JsonObject>> = {
  'api-breaker': { break_response_code: 502 },
  'authz-casbin': { model_path: '/m', policy_path: '/p', username: 'u' },
  'consumer-restriction': { whitelist: ['ann'] },
  cors: {},
  csrf: { key: 'a-secret-key' },
  'fault-injection': { abort: { http_status: 503 } },
  'forward-auth': { uri: 'http://auth.test', request_headers: ['A'], upstream_headers: ['A'], client_headers: ['A'] },
  'grpc-web': {},
  gzip: {},
  'http-logger': { uri: 'http://log.test' },
  'ip-restriction': { whitelist: ['10.0.0.0/8'] },
  'kafka-logger': { brokers: [{ host: 'k.test', port: 9092 }], kafka_topic: 't' },
  'key-auth': {},
  'limit-conn': { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' },
  'limit-count': { count: 1, time_window: 60, policy: 'redis', redis_host: 'r.test' },
  'limit-req': { rate: 1, burst: 0, key: 'remote_addr' },
  'openid-connect': { client_id: 'c', client_secret: 'a-secret', discovery: 'http://oidc.test' },
  prometheus: {},
  'proxy-cache': {},
  'proxy-mirror': { host: 'http://mirror.test' },
  'proxy-rewrite': { uri: '/x', headers: { set: { 'X-A': 'b' } } },
  redirect: { http_to_https: true },
  'referer-restriction': { whitelist: ['a.test'] },
  'request-id': {},
  'response-rewrite': { status_code: 200 },
  'serverless-pre-function': { functions: ['return function() end'] },
  'traffic-split': { rules: [{ weighted_upstreams: [{ upstream: { nodes: { '10.0.0.2:80': 1 } }, weight: 1 }] }] },
  'ua-restriction': { denylist: ['curl'] },
  'uri-blocker': { block_rules: ['a'] },
  zipkin: { endpoint: 'http://z.test', sample_ratio: 1 },
};

const clustered = {
  policy: 'redis-cluster',
  redis_cluster_nodes: ['a.test:1', 'b.test:1'],
  redis_cluster_name: 'c',
};

describe.skipIf(!hasSchemas).each(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])(
  'with the plugins of a real gateway %s',
  (version) => {
    it('what was synced does not differ, whatever the gateway stored of its defaults', async () => {
      const plugins = JSON.parse(readFileSync(`${schemas}plugins-${version}.json`, 'utf8')) as JsonObject;
      const bench = await startBench({ gatewayVersion: version, schemas: plugins });
      try {
        const known = Object.entries(configurations).filter(([name]) => plugins[name] !== undefined);
        const routes: readonly JsonObject[] = known.map(([name, config]) => ({
          name,
          uris: [`/${name}`],
          plugins: { [name]: config },
        }));
        const clusteredRoute = {
          name: 'clustered',
          uris: ['/clustered'],
          plugins: { 'limit-count': { count: 1, time_window: 60, ...clustered } },
        };
        const jwt = { 'jwt-auth': { key: 'ann', secret: '0123456789abcdef0123456789abcdef' } };
        const document = {
          services: [{ name: 's', upstream: { nodes }, routes: [...routes, clusteredRoute] }],
          consumers: [{ username: 'ann', plugins: { ...jwt, 'limit-count': { count: 1, time_window: 60 } } }],
          global_rules: { 'real-ip': { source: 'arg_ip' } },
          plugin_metadata: {
            'http-logger': { log_format: { host: '$host' } },
            'tcp-logger': { log_format: { host: '$host' } },
          },
        };
        const { failed, changes } = await bench.sync(document);
        expect(failed).toEqual([]);
        expect(changes.length).toBeGreaterThan(known.length);
        expect(await bench.diff(document)).toEqual([]);

        // A default that is written out is no difference; one that is changed is.
        const spelled = { ...document, global_rules: { 'real-ip': { source: 'arg_ip', recursive: false } } };
        expect(await bench.diff(spelled)).toEqual([]);
        const changed = { ...document, global_rules: { 'real-ip': { source: 'arg_ip', recursive: true } } };
        expect(await bench.diff(changed)).toEqual(['update global_rule real-ip']);
      } finally {
        await bench.close();
      }
    });
  },
);
