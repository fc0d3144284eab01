import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldChange } from '../../src/model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import type { Kind } from '../../src/model/kinds.js';
import {
  mask,
  redactFieldChanges,
  redactJson,
  redactLine,
  redactResource,
  redactText,
  secretsIn,
  secretsOf,
} from '../../src/model/redaction.js';
import { isSecretName } from '../../src/model/secret-names.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import { anyConfiguration } from '../support/arbitrary.js';
import { deepFreeze } from '../support/deep-freeze.js';

const privateKey = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0planted\n-----END PRIVATE KEY-----\n';

/** One configuration with a secret, each with the word `planted` in it, in every place that is known to hold one. */
const planted = {
  services: [
    {
      name: 'visible-service',
      upstream: {
        nodes: [{ host: 'visible-host', port: 80, weight: 1 }],
        tls: { client_cert: 'visible-certificate', client_key: 'planted-client-key' },
        checks: {
          active: {
            req_headers: ['Authorization: Bearer planted-bearer', 'X-Api-Key: planted-header', 'Host: visible-header'],
          },
        },
      },
      upstreams: [{ name: 'n', nodes: [], tls: { client_cert: 'visible-certificate', client_key: 'planted-named' } }],
      plugins: {
        'openid-connect': {
          client_id: 'visible-client',
          client_secret: 'planted-oidc',
          session: { secret: 'planted-session' },
          discovery: 'https://visible-user:planted-userinfo@host/',
          token_endpoint: 'visible-endpoint',
          redis: { password: 'planted-redis' },
        },
        'ai-proxy': {
          auth: { header: { Authorization: 'planted-ai' }, query: { k: 'planted-query' } },
          options: { model: 'visible-model', max_tokens: 512 },
        },
      },
      routes: [
        {
          name: 'r',
          uris: ['/visible-path'],
          vars: [
            ['http_x_api_key', '==', 'planted-var'],
            ['OR', ['cookie_session', '~=', 'planted-cookie'], ['uri', '==', 'visible-var']],
          ],
          plugins: {
            'http-logger': {
              uri: 'http://log/?api_key=planted-parameter&a=visible-parameter',
              auth_header: 'planted-logger',
            },
            'kafka-logger': {
              key: 'visible-partition',
              brokers: [
                {
                  host: 'visible-broker',
                  sasl_config: { mechanism: 'PLAIN', user: 'visible-user', password: 'planted-sasl' },
                },
              ],
            },
            'proxy-rewrite': {
              headers: {
                set: { Authorization: 'Basic planted-basic', 'X-Token': 'planted-token', 'X-Visible': 'visible-value' },
              },
            },
            'limit-count': { count: 3, time_window: 60, key: 'visible_addr', redis_password: 'planted-limit' },
            'aws-lambda': {
              authorization: {
                apikey: 'planted-lambda',
                iam: { accesskey: 'planted-access', secretkey: 'planted-secretkey' },
              },
            },
            'google-cloud-logging': { auth_config: { private_key: 'planted-google' } },
            csrf: { key: 'planted-csrf' },
            'unknown-plugin': {
              nested: [
                { deep: { accessToken: 'planted-camel', pass_phrase: 'visible', passphrase: 'planted-phrase' } },
              ],
              pem: privateKey,
              header: { name: 'X-Api-Key', value: 'planted-pair' },
            },
            'traffic-split': { rules: [{ weighted_upstreams: [{ upstream: { nodes: {}, key: 'visible_hash' } }] }] },
            'serverless-pre-function': { functions: ['return "Bearer planted-function-token"'] },
          },
        },
      ],
    },
  ],
  ssls: [
    {
      snis: ['visible.test'],
      certificates: [
        { certificate: `visible${'c'.repeat(128)}`, key: privateKey },
        { certificate: '$env://visible_cert', key: '$env://visible_key' },
      ],
    },
  ],
  consumers: [
    {
      username: 'visible-user',
      plugins: { 'key-auth': { key: 'planted-plugin' } },
      credentials: [
        { name: 'visible-a', type: 'key-auth', config: { key: 'planted-key-auth' } },
        {
          name: 'visible-b',
          type: 'basic-auth',
          config: { username: 'visible-login', password: 'planted-basic-auth' },
        },
        {
          name: 'visible-c',
          type: 'jwt-auth',
          config: {
            key: 'planted-jwt-key',
            secret: 'planted-jwt',
            public_key: 'visible-public',
            algorithm: 'visible-HS256',
          },
        },
        { name: 'visible-d', type: 'hmac-auth', config: { key_id: 'visible-key-id', secret_key: 'planted-hmac' } },
        { name: 'visible-e', type: 'key-auth', config: { key: '$secret://visible/1/key' } },
      ],
    },
  ],
  consumer_groups: [{ name: 'g', plugins: { 'key-auth': { key: 'planted-group' } } }],
  plugin_configs: [{ name: 'p', plugins: { 'key-auth': { key: 'planted-config' } } }],
  upstreams: [{ name: 'u', nodes: [], tls: { client_cert: 'visible', client_key: 'planted-shared' } }],
  global_rules: { 'jwt-auth': { key: 'planted-rule', secret: 'planted-rule-secret' } },
  plugin_metadata: { 'http-logger': { log_format: { a: '$visible' }, api_token: 'planted-metadata' } },
};

const { state } = resolveConfiguration(deepFreeze(planted), { lint: true, managedBy: false });
const count = (text: string, word: string): number => text.split(word).length - 1;

describe('resources', () => {
  const redacted = [...state.resources.values()].map(({ kind, body }) => redactResource(kind, body));

  test('lose every secret and keep everything else', () => {
    const before = JSON.stringify([...state.resources.values()].map(({ body }) => body));
    const after = JSON.stringify(redacted);
    expect(after).not.toContain('planted');
    expect(count(after, 'visible')).toBe(count(before, 'visible'));
    expect(after).toContain('"max_tokens":512');
    expect(after).toContain('Bearer ***');
  });

  test('that hold no secret stay the same objects', () => {
    const body = { name: 'a', plugins: { cors: { allow_origins: '*' } }, labels: { key: 'x' } };
    expect(redactResource('route', body)).toBe(body);
  });

  test('of every configuration can be masked, without a change to them', () => {
    fc.assert(
      fc.property(anyConfiguration, (document) => {
        const resolved = resolveConfiguration(document, { lint: true, managedBy: false });
        for (const { kind, body } of resolved.state.resources.values()) {
          const once = redactResource(kind, deepFreeze(body));
          expect(shapeOf(once)).toEqual(shapeOf(body));
          expect(redactResource(kind, once)).toEqual(once);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** A value with its leaves gone: masking changes only leaves. */
function shapeOf(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(shapeOf);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, shapeOf(child)]));
  return null;
}

describe('changed fields', () => {
  const both = (path: (string | number)[], lhs: Json, rhs: Json): FieldChange => ({ kind: 'E', path, lhs, rhs });
  test.each<[Kind, FieldChange]>([
    ['ssl', both(['certificates', 0, 'key'], 'planted-1', 'planted-2')],
    [
      'ssl',
      { kind: 'A', path: ['certificates'], index: 1, item: { kind: 'N', rhs: { certificate: 'c', key: 'planted' } } },
    ],
    [
      'ssl',
      { kind: 'A', path: ['certificates'], index: 1, item: { kind: 'D', lhs: { certificate: 'c', key: 'planted' } } },
    ],
    ['service', both(['upstream', 'tls', 'client_key'], 'planted-1', 'planted-2')],
    ['service', { kind: 'N', path: ['upstream'], rhs: { tls: { client_key: 'planted' } } }],
    ['service', { kind: 'D', path: ['plugins'], lhs: { 'key-auth': { key: 'planted' } } }],
    ['route', both(['plugins', 'openid-connect', 'client_secret'], 'planted-1', 'planted-2')],
    ['route', both(['plugins', 'proxy-rewrite', 'headers', 'set', 'Authorization'], 'planted-1', 'planted-2')],
    ['consumer_credential', both(['config', 'key'], 'planted-1', 'planted-2')],
    ['consumer_credential', { kind: 'N', path: ['config'], rhs: { password: 'planted' } }],
    ['global_rule', both(['secret'], 'planted-1', 'planted-2')],
    ['plugin_metadata', { kind: 'N', path: ['access_token'], rhs: 'planted' }],
  ])('of a %s: %j', (kind, change) => {
    const text = JSON.stringify(redactFieldChanges(kind, deepFreeze([change])));
    expect(text).not.toContain('planted');
    expect(text).toContain(mask);
  });

  test('that are no secrets stay readable', () => {
    const fields = [
      both(['plugins', 'limit-count', 'key'], 'remote_addr', 'uri'),
      both(['upstream', 'key'], 'a', 'b'),
      both(['name'], 'key', 'token'),
    ];
    expect(redactFieldChanges('service', fields)).toEqual(fields);
  });
});

describe('requests and answers', () => {
  test('are masked by the names of their fields', () => {
    const wire: JsonObject = {
      id: 'visible',
      cert: 'visible',
      key: 'planted',
      keys: ['planted', 'planted'],
      upstream: {
        type: 'chash',
        hash_on: 'header',
        key: 'visible',
        tls: { client_cert: 'visible', client_key: 'planted' },
      },
      plugins: { 'key-auth': { key: 'planted' }, 'limit-req': { rate: 1, key: 'visible' } },
    };
    const text = JSON.stringify(redactJson({ list: [{ key: '/apisix/ssls/visible', value: wire }] }));
    expect(text).not.toContain('planted');
    expect(count(text, 'visible')).toBe(6);
    expect([...secretsIn(wire)]).toEqual(['planted']);
    // The path of an object in its store is no name of a secret, whatever it is the path of.
    const stored = { key: '/apisix/consumers/ann/credentials/1', value: { name: 'visible', plugins: wire['plugins'] } };
    expect(JSON.stringify(redactJson(stored as JsonObject))).toContain('"name":"visible"');
    expect(JSON.stringify(redactJson(stored as JsonObject))).not.toContain('planted');
  });
});

describe('texts', () => {
  const secrets = secretsOf(state);

  test('of others lose the secrets of a state, in every form', () => {
    for (const { body } of state.resources.values()) {
      const text = JSON.stringify(body);
      const masked = redactText(
        `400 Bad Request: ${text} ${JSON.stringify(text)} ${encodeURIComponent(text)}`,
        secrets,
      );
      expect(masked).not.toContain('planted');
    }
    expect(redactText(`bad key MIIEvQIBADANBgkqhkiG9w0planted here`, secrets)).toBe('bad key *** here');
  });

  test('lose what looks like a secret though nobody told', () => {
    for (const text of [
      'Authorization: Bearer planted-token',
      'http://user:planted@host:80/',
      'GET /x?a=1&access_token=planted',
      privateKey,
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.plantedplanted',
      'X-API-KEY: planted',
    ]) {
      expect(redactText(text)).not.toContain('planted');
      expect(redactText(text)).toContain(mask);
    }
  });

  test('without secrets stay as they are, references too', () => {
    for (const text of [
      'failed to fetch service info by service id [abc]',
      '$env://KEY',
      'http://host:80/a?b=c',
      'a Basic idea',
    ]) {
      expect(redactText(text)).toBe(text);
    }
    expect(secretsOf({ resources: new Map() }).size).toBe(0);
    expect([...secrets].filter((secret) => secret.startsWith('$'))).toEqual([]);
  });

  test('keep words that a short secret would tear apart', () => {
    expect(redactText('a bad request', ['a', 'ba', ''])).toBe('a bad request');
  });

  test('that are very long are masked too', () => {
    const long = `${'a'.repeat(200_000)}:${'A1b+'.repeat(50_000)} ${'-'.repeat(100_000)}`;
    redactText(long, ['planted']);
    redactLine(long);
    expect(redactText(`${long} Bearer planted`)).not.toContain('planted');
  });
});

test.each([
  ['key', true],
  ['api_key', true],
  ['apikey', true],
  ['X-Api-Key', true],
  ['clientSecret', true],
  ['accesskey', true],
  ['Authorization', true],
  ['Set-Cookie', true],
  ['sasl_password', true],
  ['key_type', false],
  ['key_id', false],
  ['public_key', false],
  ['token_endpoint', false],
  ['max_tokens', false],
  ['monkey', false],
  ['keepalive_pool', false],
  ['name', false],
  ['', false],
])('the name %s holds a secret: %s', (name, expected) => {
  expect(isSecretName(name)).toBe(expected);
});
