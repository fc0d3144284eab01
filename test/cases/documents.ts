import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/model/json.js';
import type { Abilities } from './gateway-case.js';

const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../support/pem', name), 'utf8');

/** Certificates and keys of the test names. */
export const certificates = {
  shop: { certificate: pem('shop.crt'), key: pem('shop.key') },
  blog: { certificate: pem('blog.crt'), key: pem('blog.key') },
} as const;

const node = (host: string, port = 8080, weight = 1): JsonObject => ({ host, port, weight });

/** Every field an upstream can have, nodes apart from discovery. */
export const fullUpstream: JsonObject = {
  description: 'where the shop runs',
  labels: { team: 'shop', stage: 'test' },
  type: 'chash',
  hash_on: 'header',
  key: 'x-user',
  scheme: 'https',
  retries: 2,
  retry_timeout: 3,
  timeout: { connect: 1, send: 2, read: 3 },
  pass_host: 'rewrite',
  upstream_host: 'shop.internal',
  keepalive_pool: { size: 100, idle_timeout: 30, requests: 500 },
  tls: { client_cert: certificates.shop.certificate, client_key: certificates.shop.key, verify: true },
  nodes: [
    { host: '10.0.0.1', port: 8443, weight: 2, priority: 0, metadata: { zone: 'a' } },
    { host: 'fd00::1', port: 8443, weight: 1, priority: -1 },
  ],
  checks: {
    active: {
      type: 'https',
      timeout: 2,
      concurrency: 5,
      host: 'health.internal',
      port: 8444,
      http_path: '/health',
      https_verify_certificate: false,
      http_request_headers: ['User-Agent: check'],
      http_method: 'POST',
      http_req_body: '{"deep":true}',
      healthy: { interval: 2, successes: 3, http_statuses: [200, 204] },
      unhealthy: { interval: 2, http_failures: 4, tcp_failures: 3, timeouts: 2, http_statuses: [500, 503] },
    },
    passive: {
      type: 'https',
      healthy: { successes: 4, http_statuses: [200, 201] },
      unhealthy: { http_failures: 3, tcp_failures: 3, timeouts: 4, http_statuses: [500, 502] },
    },
  },
};

/** Every field a route can have, references aside. */
export const fullRoute: JsonObject = {
  name: 'list items',
  description: 'the list of the shop',
  labels: { team: 'shop', tags: ['a', 'b'] },
  uris: ['/items', '/items/*'],
  hosts: ['shop.test', '*.shop.test'],
  methods: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE'],
  remote_addrs: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1'],
  vars: [['arg_page', '>', '1'], 'OR', ['http_x_beta', '==', 'yes']],
  priority: -3,
  timeout: { connect: 3, send: 3, read: 3 },
  enable_websocket: true,
  status: 0,
  plugins: {
    'limit-count': { count: 10, time_window: 60, rejected_code: 429, key: 'remote_addr' },
    cors: { allow_origins: 'https://shop.test', allow_methods: 'GET,POST' },
    'proxy-rewrite': { headers: { set: { 'x-from': 'adc' } } },
  },
};

/** Every field of every kind, as far as the gateway has it. */
export function everything(abilities: Abilities): JsonObject {
  return {
    services: [
      {
        name: 'shop',
        description: 'all of the shop',
        labels: { team: 'shop', tags: ['x', 'y'] },
        hosts: ['shop.test'],
        plugins: { 'limit-req': { rate: 5, burst: 2, key: 'remote_addr' }, 'request-id': {} },
        upstream: fullUpstream,
        upstreams: [
          {
            id: 'canary-upstream',
            name: 'canary',
            description: 'one per cent',
            labels: { team: 'shop' },
            nodes: [node('10.0.0.9')],
          },
        ],
        routes: [
          fullRoute,
          {
            name: 'with function',
            uris: ['/f'],
            filter_func: 'function(vars) return vars["arg_a"] == "b" end',
            plugin_config_id: 'common',
          },
          { name: 'elsewhere', uris: ['/elsewhere'], upstream_id: 'shared pool' },
        ],
      },
      {
        id: 'explicit-id',
        name: 'blog',
        upstream: {
          type: 'least_conn',
          scheme: 'grpcs',
          tls: { client_cert_id: 'client-cert' },
          nodes: [node('10.1.0.1')],
        },
        routes: [{ id: 'blog-root', name: 'root', uris: ['/blog'] }],
      },
      {
        name: 'discovered',
        upstream: {
          type: 'ewma',
          discovery_type: 'dns',
          service_name: 'users.internal',
          discovery_args: { namespace_id: 'public' },
        },
      },
      {
        name: 'bare',
        plugins: { mocking: { response_example: 'hello', response_status: 200 } },
        routes: [{ name: 'mock', uris: ['/mock'] }],
      },
      { name: 'through the shared pool', upstream_id: 'shared pool', routes: [{ name: 'shared', uris: ['/shared'] }] },
      ...(abilities.streamRoutesOnServices
        ? [
            {
              name: 'tcp gateway',
              upstream: { scheme: 'tcp', nodes: [node('10.2.0.1', 3306)] },
              stream_routes: [
                {
                  name: 'mysql main',
                  description: 'the database',
                  labels: { team: 'data' },
                  remote_addr: '10.0.0.0/8',
                  server_addr: '127.0.0.1',
                  server_port: 9100,
                  sni: 'db.test',
                  plugins: { 'ip-restriction': { whitelist: ['10.0.0.0/8'] } },
                },
                { id: 'to-the-pool-route', name: 'to-the-pool', server_port: 9101, upstream_id: 'shared pool' },
              ],
            },
          ]
        : []),
    ],
    ssls: [
      {
        type: 'server',
        labels: { team: 'shop' },
        snis: ['shop.test', '*.shop.test'],
        certificates: [certificates.shop, certificates.blog],
        ssl_protocols: ['TLSv1.2', 'TLSv1.3'],
        client: { ca: certificates.blog.certificate, depth: 2, skip_mtls_uri_regex: ['/health.*'] },
      },
      { id: 'client-cert', type: 'client', snis: ['blog.test'], certificates: [certificates.blog] },
    ],
    consumers: [
      {
        username: 'ann',
        description: 'the first',
        labels: { team: 'shop' },
        plugins: { 'key-auth': { key: 'ann-key' } },
        group_id: 'gold',
        ...(abilities.credentials
          ? {
              credentials: [
                {
                  name: 'key',
                  description: 'a key',
                  labels: { use: 'ci' },
                  type: 'key-auth',
                  config: { key: 'ann-second-key' },
                },
                {
                  id: 'basic-of-ann',
                  name: 'basic',
                  type: 'basic-auth',
                  config: { username: 'ann', password: 'ann-password' },
                },
                {
                  name: 'jwt',
                  type: 'jwt-auth',
                  config: { key: 'ann-jwt', secret: '0123456789abcdef0123456789abcdef' },
                },
                { name: 'hmac', type: 'hmac-auth', config: { key_id: 'ann-hmac', secret_key: 'ann-hmac-secret' } },
              ],
            }
          : {}),
      },
      { username: 'bob_2', plugins: { 'basic-auth': { username: 'bob', password: 'bob-password' } } },
      ...(abilities.bareConsumers ? [{ username: 'carl' }] : []),
    ],
    consumer_groups: [
      {
        id: 'gold-group',
        name: 'gold',
        description: 'those who pay',
        labels: { tier: '1' },
        plugins: { 'limit-count': { count: 1000, time_window: 1, rejected_code: 429 } },
        consumers: [{ username: 'dora', plugins: { 'key-auth': { key: 'dora-key' } } }],
      },
    ],
    upstreams: [
      {
        id: 'shared',
        name: 'shared pool',
        description: 'used by many',
        labels: { team: 'core' },
        nodes: [node('10.3.0.1'), node('10.3.0.2')],
      },
    ],
    plugin_configs: [
      {
        id: 'common-plugins',
        name: 'common',
        description: 'for all',
        labels: { team: 'core' },
        plugins: { gzip: {}, 'response-rewrite': { headers: { set: { 'x-by': 'adc' } } } },
      },
    ],
    global_rules: {
      prometheus: { prefer_name: true },
      'real-ip': { source: 'http_x_forwarded_for', trusted_addresses: ['10.0.0.0/8'] },
    },
    plugin_metadata: { 'http-logger': { log_format: { host: '$host', client_ip: '$remote_addr' } } },
  };
}
