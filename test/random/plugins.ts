import type { JsonObject } from '../../src/model/json.js';
import type { World } from './world.js';
import type { Draw } from './draw.js';

type Maker = (draw: Draw, world: World) => JsonObject;

/** Where a counter is kept: the fields a policy asks for bring defaults of their own. */
function policy(draw: Draw): JsonObject {
  switch (draw.int(0, 3)) {
    case 1:
      return { policy: 'local' };
    case 2:
      return {
        policy: 'redis',
        redis_host: 'redis.test',
        ...draw.maybe(30, 'redis_port', () => 6380),
        ...draw.maybe(30, 'redis_password', () => 'pass-of-redis'),
      };
    case 3:
      return {
        policy: 'redis-cluster',
        redis_cluster_name: 'counts',
        redis_cluster_nodes: ['10.6.0.1:6379', '10.6.0.2:6379'],
      };
    default:
      return {};
  }
}

const headers = (draw: Draw): JsonObject => ({ 'x-one': draw.pick(['1', 'two', '$host']) });

const http: Readonly<Record<string, Maker>> = {
  'limit-count': (draw) => ({
    count: draw.int(1, 3),
    time_window: 60,
    ...draw.maybe(40, 'rejected_code', () => draw.pick([429, 503])),
    ...draw.maybe(30, 'key_type', () => draw.pick(['var', 'constant'])),
    ...policy(draw),
  }),
  'limit-conn': (draw, world) => ({
    conn: draw.int(1, 3),
    burst: draw.int(0, 1),
    default_conn_delay: draw.pick([0.1, 1]),
    key: 'remote_addr',
    ...(world.since('3.10.0') ? policy(draw) : {}),
  }),
  'limit-req': (draw, world) => ({
    rate: draw.pick([1, 0.5]),
    burst: draw.int(0, 2),
    key: 'remote_addr',
    ...(world.since('3.10.0') ? policy(draw) : {}),
  }),
  'proxy-rewrite': (draw) => {
    switch (draw.int(0, 3)) {
      case 0:
        return { uri: draw.pick(['/a', '/b']) };
      case 1:
        return { regex_uri: ['^/a/(.*)', '/$1'], host: 'inner.test' };
      case 2:
        return { headers: headers(draw) };
      default:
        return { headers: { set: headers(draw), ...draw.maybe(50, 'remove', () => ['x-gone']) } };
    }
  },
  redirect: (draw) =>
    draw.pick<JsonObject>([{ http_to_https: true }, { uri: '/to', ret_code: 301 }, { regex_uri: ['^/a', '/b'] }]),
  cors: (draw) => draw.pick<JsonObject>([{}, { allow_origins: 'https://a.test' }, { max_age: draw.int(1, 9) }]),
  'ip-restriction': (draw) => ({
    [draw.pick(['whitelist', 'blacklist'])]: [draw.pick(['10.0.0.0/8', '::1', '127.0.0.1'])],
    ...draw.maybe(30, 'message', () => 'no'),
  }),
  'fault-injection': (draw) => ({
    ...draw.maybe(50, 'delay', () => ({ duration: draw.pick([0.1, 2]) })),
    abort: { http_status: draw.pick([418, 503]), ...draw.maybe(40, 'vars', () => [[['arg_a', '==', 'b']]]) },
  }),
  'traffic-split': (draw, world) => ({
    rules: [
      {
        ...draw.maybe(50, 'match', () => [{ vars: [['http_x', '==', draw.pick(['1', '2'])]] }]),
        weighted_upstreams: [
          ...(world.splitTargets.length > 0 && draw.chance(60)
            ? [{ upstream_id: draw.pick(world.splitTargets), weight: draw.int(1, 4) }]
            : []),
          ...(draw.chance(50)
            ? [{ upstream: { type: 'roundrobin', nodes: { [draw.pick(['10.7.0.1:80', 'split.test:8080'])]: 1 } } }]
            : []),
          draw.chance(50) ? { weight: 1 } : {},
        ],
      },
    ],
  }),
  'response-rewrite': (draw) => ({ headers: { set: headers(draw) }, ...draw.maybe(30, 'status_code', () => 299) }),
  mocking: (draw) => ({ response_example: draw.pick(['a', 'b']), ...draw.maybe(30, 'with_mock_header', () => false) }),
  'api-breaker': (draw) => ({ break_response_code: 502, ...draw.maybe(40, 'unhealthy', () => ({ failures: 2 })) }),
  'proxy-cache': (draw) => draw.pick<JsonObject>([{}, { cache_ttl: 10, cache_http_status: [200] }]),
  'proxy-mirror': () => ({ host: 'http://mirror.test' }),
  'request-id': (draw) =>
    draw.pick<JsonObject>([{}, { algorithm: 'range_id', range_id: { length: 8 } }, { include_in_response: false }]),
  'http-logger': (draw) => ({ uri: 'http://log.test/a', ...draw.maybe(30, 'auth_header', () => 'secret-header') }),
  'tcp-logger': () => ({ host: 'log.test', port: 9000 }),
  gzip: (draw) => draw.pick<JsonObject>([{}, { types: '*' }, { buffers: { number: 8 } }]),
  csrf: (draw) => ({ key: draw.pick(['csrf-key-one', 'csrf-key-two']) }),
  'uri-blocker': () => ({ block_rules: ['root.exe'] }),
  'request-validation': (draw) => ({
    body_schema: {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'integer', default: draw.int(1, 3) }, b: { type: 'array', items: {} } },
    },
  }),
  'serverless-pre-function': (draw) => ({
    ...draw.maybe(50, 'phase', () => 'rewrite'),
    functions: ['return function(conf, ctx) end'],
  }),
  'key-auth': (draw) => draw.pick<JsonObject>([{}, { header: 'x-key' }]),
  'basic-auth': () => ({}),
  'jwt-auth': () => ({}),
  'hmac-auth': () => ({}),
  'consumer-restriction': (draw) => ({ whitelist: [draw.pick(['ann', 'bob'])] }),
  prometheus: (draw) => draw.pick<JsonObject>([{}, { prefer_name: true }]),
  'grpc-web': () => ({}),
  'client-control': (draw) => draw.pick<JsonObject>([{}, { max_body_size: 0 }]),
};

const stream: Readonly<Record<string, Maker>> = {
  'ip-restriction': http['ip-restriction'] ?? (() => ({})),
  'limit-conn': http['limit-conn'] ?? (() => ({})),
  'mqtt-proxy': () => ({ protocol_level: 4 }),
  prometheus: () => ({}),
};

const metadata: Readonly<Record<string, (draw: Draw) => JsonObject>> = {
  'http-logger': (draw) => ({ log_format: { host: draw.pick(['$host', '$server_name']) } }),
  'file-logger': (draw) => ({ log_format: { ip: draw.pick(['$remote_addr', '$host']) } }),
  cors: (draw) => ({ allow_origins: { key_one: draw.pick(['https://a.test', 'https://b.test']) } }),
  'tcp-logger': () => ({}),
};

function some(draw: Draw, world: World, makers: Readonly<Record<string, Maker>>, most: number): JsonObject {
  const names = Object.keys(makers);
  const chosen = new Set(Array.from({ length: draw.int(0, most) }, () => draw.pick(names)));
  return Object.fromEntries(
    [...chosen].map((name) => {
      const config = makers[name]?.(draw, world) ?? {};
      return [name, draw.chance(8) ? { ...config, _meta: { disable: draw.chance(50) } } : config];
    }),
  );
}

/** Plugins of a service, a route, a plugin config, a consumer group. */
export const httpPlugins = (draw: Draw, world: World): JsonObject => some(draw, world, http, 3);

/** As {@link httpPlugins}, for global rules: some plugins only make sense there once. */
export function globalPlugins(draw: Draw, world: World): JsonObject {
  const { 'traffic-split': _split, 'consumer-restriction': _consumer, ...makers } = http;
  return some(draw, world, makers, 3);
}

/** Plugins of a stream route. */
export const streamPlugins = (draw: Draw, world: World): JsonObject => some(draw, world, stream, 2);

/** Metadata of plugins. */
export const pluginMetadata = (draw: Draw, world: World): JsonObject => some(draw, world, metadata, 2);
