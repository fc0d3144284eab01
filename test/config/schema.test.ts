import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configurationJsonSchema } from '../../scripts/generators/json-schema.js';
import { AdcError } from '../../src/model/errors.js';
import { formatPath, type JsonObject } from '../../src/model/json.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import { anyConfiguration } from '../support/arbitrary.js';

/** Lints a document and gives `path: message` of every problem. */
function lint(document: unknown): string[] {
  try {
    resolveConfiguration(document, { lint: true, managedBy: false });
    return [];
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return error.problems.map(({ path, message }) => `${formatPath(path ?? [])}: ${message}`);
  }
}

const bodyOf = (document: unknown, key: string): JsonObject | undefined => {
  const { state } = resolveConfiguration(document, { lint: true, managedBy: false });
  return [...state.resources.values()].find((resource) => resource.key.startsWith(key))?.body;
};

const nodes = [{ host: 'a', port: 80, weight: 1 }];
const upstream = { nodes };
const service = (fields: object) => ({ services: [{ name: 's', ...fields }] });
const route = (fields: object) => service({ routes: [{ name: 'r', uris: ['/'], ...fields }] });
const withUpstream = (fields: object) => service({ upstream: { nodes, ...fields } });
const ssl = (fields: object) => ({
  ssls: [{ snis: ['a.test'], certificates: [{ certificate: '$env://C', key: '$env://K' }], ...fields }],
});
const consumer = (fields: object) => ({ consumers: [{ username: 'u', ...fields }] });
const credential = (fields: object) =>
  consumer({ credentials: [{ name: 'c', type: 'key-auth', config: { key: 'k' }, ...fields }] });

describe('what is accepted', () => {
  test.each<[string, unknown]>([
    ['nothing at all', {}],
    [
      'empty collections',
      {
        services: [],
        ssls: [],
        consumers: [],
        consumer_groups: [],
        upstreams: [],
        plugin_configs: [],
        global_rules: {},
        plugin_metadata: {},
      },
    ],
    ['an empty list of nodes', withUpstream({ nodes: [] })],
    ['nodes beside an empty discovery type', withUpstream({ discovery_type: '', service_name: '' })],
    ['discovery', service({ upstream: { discovery_type: 'dns', service_name: 'x', discovery_args: { a: null } } })],
    ['a service without an upstream', service({})],
    ['an empty path prefix', service({ path_prefix: '' })],
    ['upstreams beside upstream', service({ upstream, upstreams: [{ name: 'n', nodes }] })],
    ['upstreams beside upstream_id', service({ upstream_id: 'u1', upstreams: [{ name: 'n', nodes }] })],
    ['a named upstream with an empty name', service({ upstream, upstreams: [{ name: '', nodes }] })],
    ['null inside a plugin', route({ plugins: { p: { a: null, b: [null] } } })],
    ['null inside vars', route({ vars: [['a', '==', null]] })],
    ['an empty uri', route({ uris: [''] })],
    ['addresses and ranges', route({ remote_addrs: ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'] })],
    ['a negative priority', route({ priority: -5 })],
    ['a disabled route', route({ status: 0 })],
    ['references', route({ upstream_id: 'u1', plugin_config_id: 'p1' })],
    [
      'a stream route',
      service({ stream_routes: [{ name: 'r', server_port: '3306', sni: 'a', remote_addr: 'x', upstream_id: 'u' }] }),
    ],
    ['labels of all kinds', service({ labels: { a: '', b: 'x', c: ['x', 'y'], d: [] } })],
    [
      'request headers by either name',
      withUpstream({ checks: { active: { req_headers: ['A: b'], http_method: 'HEAD', http_req_body: '' } } }),
    ],
    [
      'references without anything after the slashes',
      ssl({ certificates: [{ certificate: '$secret://', key: '$env://' }], client: { ca: '$env://' } }),
    ],
    ['a username of any form', { consumers: [{ username: 'a b@c' }] }],
    ['a group by id', consumer({ group_id: 'g' })],
    ['an id of 256 characters', service({ id: 'a'.repeat(256) })],
    ['nodes with fractions of priority', withUpstream({ nodes: [{ ...nodes[0], priority: -1.5, metadata: {} }] })],
  ])('%s', (_, document) => {
    expect(lint(document)).toEqual([]);
  });
});

describe('what is refused, and in which words', () => {
  const exclusive = 'Upstream must either explicitly specify nodes or use service discovery and not both';
  const nothing = 'null is not allowed; leave the field out, or write [] or {} if nothing is meant to be there';
  test.each<[string, unknown, string | RegExp]>([
    ['a document that is null', null, /: null is not a configuration/],
    ['a document that is a list', [], /must be a mapping .* not a list/],
    ['a document that is a scalar', 'x', /must be a mapping .* not a string/],
    [
      'a collection that is null',
      { services: null },
      'services: null is not allowed; write [] if nothing is meant to be there',
    ],
    ['a mapping collection that is null', { global_rules: null }, /global_rules: null is not allowed; write \{\}/],
    [
      'a collection of the wrong shape',
      { services: {} },
      'services: Invalid input: expected a list, received a mapping',
    ],
    ['an unknown collection', { foo: [] }, 'foo: The configuration contains an unknown key "foo"'],
    ['routes at the top', { routes: [] }, /unknown key "routes": routes belong inside a service/],
    ['an unknown field', service({ x: 1 }), 'services[0]: Unrecognized key: "x"'],
    [
      'a word of the Admin API',
      route({ uri: '/' }),
      'services[0].routes[0]: Unrecognized key: "uri"; the field is "uris" here',
    ],
    ['a word of the Admin API that has no other', ssl({ desc: 'x' }), 'ssls[0]: Unrecognized key: "desc"'],
    ['a field with a prototype name', service({ constructor: 1 }), 'services[0]: Unrecognized key: "constructor"'],
    [
      'the key __proto__',
      JSON.parse('{"global_rules":{"__proto__":{}}}'),
      /global_rules.__proto__: the key "__proto__" cannot be used/,
    ],
    ['a null field', service({ hosts: null }), `services[0].hosts: ${nothing}`],
    ['a null number', withUpstream({ retries: null }), `services[0].upstream.retries: ${nothing}`],
    ['a null plugin', route({ plugins: { p: null } }), `services[0].routes[0].plugins.p: ${nothing}`],
    ['a plugin that is a list', route({ plugins: { p: [] } }), /plugins\.p: Invalid input: expected a mapping/],
    ['a missing name', { services: [{}] }, 'services[0].name: Required field is missing: expected a string'],
    ['an empty name', { services: [{ name: '' }] }, /services\[0\]\.name: Too small/],
    [
      'a name that is a number',
      { services: [{ name: 1 }] },
      'services[0].name: Invalid input: expected string, received number; put it in quotes',
    ],
    ['an id with a slash', service({ id: 'a/b' }), /services\[0\]\.id: Invalid id/],
    ['an id that is too long', service({ id: 'a'.repeat(257) }), /services\[0\]\.id: Too big/],
    ['an id in the default upstream', withUpstream({ id: 'x' }), 'services[0].upstream: Unrecognized key: "id"'],
    [
      'a port out of range',
      withUpstream({ nodes: [{ host: 'a', port: 70000, weight: 1 }] }),
      /nodes\[0\]\.port: Too big/,
    ],
    [
      'a port that is a fraction',
      withUpstream({ nodes: [{ host: 'a', port: 1.5, weight: 1 }] }),
      /nodes\[0\]\.port: Invalid input: expected int/,
    ],
    [
      'a port that is a word',
      withUpstream({ nodes: [{ host: 'a', port: 'abc', weight: 1 }] }),
      /nodes\[0\]\.port: Invalid input: expected number, received NaN/,
    ],
    [
      'a number that is an empty string',
      withUpstream({ retries: '' }),
      /retries: Invalid input: expected number, received string/,
    ],
    [
      'a number that is a boolean',
      withUpstream({ retries: true }),
      /retries: Invalid input: expected number, received boolean/,
    ],
    ['a number that is a list', withUpstream({ retries: [] }), /retries: Invalid input: expected number/],
    [
      'a boolean that is a string',
      route({ enable_websocket: 'true' }),
      /enable_websocket: Invalid input: expected boolean/,
    ],
    ['too many retries', withUpstream({ retries: 65536 }), /retries: Too big/],
    [
      'a label that is a number',
      service({ labels: { a: 1 } }),
      'services[0].labels.a: Invalid input: expected a string or a list of strings',
    ],
    ['a label list with white space', service({ labels: { a: ['x y'] } }), /services\[0\]\.labels\.a: .*\^\\S\+\$/],
    [
      'a label list with white space in an upstream',
      withUpstream({ labels: { a: ['x y'] } }),
      /services\[0\]\.upstream\.labels\.a: .*\^\\S\+\$/,
    ],
    [
      'a timeout that lacks a part',
      route({ timeout: { connect: 1, send: 1 } }),
      /timeout\.read: Required field is missing/,
    ],
    ['a timeout of zero', route({ timeout: { connect: 0, send: 1, read: 1 } }), /timeout\.connect: Too small/],
    [
      'nodes and discovery',
      withUpstream({ discovery_type: 'dns', service_name: 'x' }),
      `services[0].upstream: ${exclusive}`,
    ],
    ['neither nodes nor discovery', service({ upstream: {} }), `services[0].upstream: ${exclusive}`],
    ['half a discovery', service({ upstream: { service_name: 'x' } }), `services[0].upstream: ${exclusive}`],
    [
      'an active count of zero',
      withUpstream({ checks: { active: { healthy: { successes: 0 } } } }),
      /successes: Too small/,
    ],
    ['passive checks alone', withUpstream({ checks: { passive: {} } }), /checks\.active: Required field is missing/],
    [
      'two names of the request headers',
      withUpstream({ checks: { active: { req_headers: ['a'], http_request_headers: ['a'] } } }),
      /checks\.active: "http_request_headers" and "req_headers" are two names/,
    ],
    [
      'an interval in passive checks',
      withUpstream({ checks: { active: {}, passive: { healthy: { interval: 1 } } } }),
      /passive\.healthy: Unrecognized key: "interval"/,
    ],
    [
      'routes and stream routes',
      service({ routes: [], stream_routes: [] }),
      'services[0]: HTTP routes and Stream routes are mutually exclusive and should not exist in the same service',
    ],
    ['a path prefix without a slash', service({ path_prefix: 'x' }), 'services[0]: Path prefix must start with "/"'],
    [
      'upstreams alone',
      service({ upstreams: [] }),
      'services[0]: The default upstream must be set with "upstream" when multiple upstreams are set via "upstreams"',
    ],
    [
      'upstream and upstream_id',
      service({ upstream, upstream_id: 'x' }),
      'services[0]: "upstream" and "upstream_id" exclude each other; write one of them',
    ],
    [
      'a route without uris',
      service({ routes: [{ name: 'r' }] }),
      /routes\[0\]\.uris: Required field is missing: expected a list/,
    ],
    ['no uris', route({ uris: [] }), /uris: Too small/],
    ['an unknown method', route({ methods: ['get'] }), /methods\[0\]: Invalid option/],
    ['no methods', route({ methods: [] }), /methods: Too small/],
    [
      'an address that is none',
      route({ remote_addrs: ['10.0.0.300', '10.0.0.0/33', '::1/129', 'fe80::1%eth0', '1.1.1.1/8/9'] }),
      /remote_addrs\[4\]: Must be IP or CIDR, accepts both IPv4 and IPv6/,
    ],
    ['a status of 2', route({ status: 2 }), /status: Too big/],
    ['an inline upstream of a route', route({ upstream }), 'services[0].routes[0]: Unrecognized key: "upstream"'],
    [
      'an ssl without certificates',
      ssl({ certificates: [] }),
      'ssls[0].certificates: SSL must contain at least one certificate',
    ],
    [
      'a short certificate',
      ssl({ certificates: [{ certificate: 'x', key: '$env://' }] }),
      'ssls[0].certificates[0].certificate: Must be a certificate string or a secret reference',
    ],
    [
      'a short key',
      ssl({ certificates: [{ certificate: '$env://', key: 'x' }] }),
      'ssls[0].certificates[0].key: Must be a certificate private key string or a secret reference',
    ],
    ['a client ssl without snis', ssl({ type: 'client', snis: [] }), /snis: Too small/],
    ['an old protocol', ssl({ ssl_protocols: ['SSLv3'] }), /ssl_protocols\[0\]: Invalid option/],
    [
      'a credential of another type',
      credential({ type: 'ldap-auth' }),
      'consumers[0].credentials[0].type: Consumer credential only supports "key-auth", "basic-auth", "jwt-auth" and "hmac-auth" types',
    ],
    [
      'a credential without config',
      credential({ config: undefined }),
      /config: Required field is missing: expected a mapping/,
    ],
    ['an id of a consumer', consumer({ id: 'x' }), 'consumers[0]: Unrecognized key: "id"'],
    ['a plugin config without plugins', { plugin_configs: [{ name: 'p' }] }, /plugins: Required field is missing/],
    [
      'a number that JSON lacks',
      route({ plugins: { p: { a: Number.NaN } } }),
      /plugins\.p\.a: NaN is not a number that JSON can hold/,
    ],
  ])('%s', (_, document, expected) => {
    const problems = lint(document);
    expect(problems.join('\n')).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  test('every problem at once, cross-field rules beside wrong types', () => {
    const document = {
      services: [
        { name: 5, upstream: { nodes: 'x', service_name: 'y' }, routes: [{ uris: [1] }], stream_routes: [] },
        { name: 't', foo: 1, bar: 2 },
      ],
      consumers: [{ username: 'u' }, { username: 'u' }],
      baz: 1,
    };
    expect(lint(document).toSorted()).toEqual([
      'baz: The configuration contains an unknown key "baz"',
      'consumers[1]: Duplicate consumer "u" was found (first at consumers[0])',
      'services[0].name: Invalid input: expected string, received number; put it in quotes',
      'services[0].routes[0].name: Required field is missing: expected a string',
      'services[0].routes[0].uris[0]: Invalid input: expected string, received number; put it in quotes',
      'services[0].upstream.nodes: Invalid input: expected a list, received a string',
      'services[0].upstream: Upstream must either explicitly specify nodes or use service discovery and not both',
      'services[0]: HTTP routes and Stream routes are mutually exclusive and should not exist in the same service',
      'services[1]: Unrecognized key: "bar"',
      'services[1]: Unrecognized key: "foo"',
    ]);
  });
});

describe('what lint writes', () => {
  test('a bare upstream gets type, scheme, pass_host and the priority of its nodes, and nothing else', () => {
    expect(bodyOf(withUpstream({}), 'service/')).toEqual({
      name: 's',
      upstream: { type: 'roundrobin', scheme: 'http', pass_host: 'pass', nodes: [{ ...nodes[0], priority: 0 }] },
    });
  });

  test('defaults appear where their parent is', () => {
    const body = bodyOf(
      withUpstream({
        checks: { active: { healthy: {}, unhealthy: {} }, passive: { healthy: {}, unhealthy: {} } },
        keepalive_pool: {},
      }),
      'service/',
    );
    const statuses = [429, 404, 500, 501, 502, 503, 504, 505];
    expect(body?.['upstream']).toMatchObject({
      keepalive_pool: { size: 320, idle_timeout: 60, requests: 1000 },
      checks: {
        active: {
          type: 'http',
          timeout: 1,
          concurrency: 10,
          http_path: '/',
          https_verify_certificate: true,
          healthy: { http_statuses: [200, 302], successes: 2, interval: 1 },
          unhealthy: { http_statuses: statuses, http_failures: 5, tcp_failures: 2, timeouts: 3, interval: 1 },
        },
        passive: {
          type: 'http',
          healthy: { http_statuses: [200, 302], successes: 2 },
          unhealthy: { http_statuses: statuses, http_failures: 5, tcp_failures: 2, timeouts: 3 },
        },
      },
    });
    expect(bodyOf(ssl({ client: { ca: '$env://CA' } }), 'ssl/')).toMatchObject({
      type: 'server',
      client: { depth: 1 },
    });
  });

  test('a count of zero in passive checks is one that a gateway takes', () => {
    const passive = { healthy: { successes: 0 }, unhealthy: { http_failures: 0, tcp_failures: 0, timeouts: 0 } };
    const body = bodyOf(withUpstream({ checks: { active: {}, passive } }), 'service/');
    expect(body?.['upstream']).toMatchObject({ checks: { passive } });
  });

  test('strings that hold numbers become numbers', () => {
    const body = bodyOf(
      withUpstream({ nodes: [{ host: 'a', port: '443', weight: ' 7 ' }], retries: '0x50', retry_timeout: '1e2' }),
      'service/',
    );
    expect(body?.['upstream']).toMatchObject({ nodes: [{ port: 443, weight: 7 }], retries: 80, retry_timeout: 100 });
  });

  test('request headers of checks have one name inside', () => {
    const body = bodyOf(withUpstream({ checks: { active: { http_request_headers: ['A: b'] } } }), 'service/');
    const upstream = body?.['upstream'] as { checks: { active: object } };
    expect(upstream.checks.active).toMatchObject({ req_headers: ['A: b'] });
    expect(upstream.checks.active).not.toHaveProperty('http_request_headers');
  });

  test('without lint nothing is filled in or coerced, and wrong shapes are still said', () => {
    const raw = { services: [{ name: 's', upstream: { nodes: [{ host: 'a', port: '80' }], foo: 1 } }] };
    const { state } = resolveConfiguration(raw, { lint: false, managedBy: false });
    expect([...state.resources.values()][0]?.body).toEqual(raw.services[0]);
    const broken = {
      services: [
        { name: 's', routes: {}, upstream: 5, stream_routes: [7] },
        { name: 5 },
        'x',
        { name: 'i', id: 5, labels: [] },
      ],
      ssls: [{ snis: 'a' }],
      consumers: null,
      global_rules: { p: null },
    };
    let problems: readonly { readonly message: string }[] = [];
    try {
      resolveConfiguration(broken, { lint: false, managedBy: true });
    } catch (error) {
      problems = (error as AdcError).problems;
    }
    expect(problems).toHaveLength(10);
  });
});

test('the JSON Schema for editors accepts what the schemas accept, and refuses unknown keys', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(configurationJsonSchema());
  fc.assert(
    fc.property(anyConfiguration, (document) => {
      validate(document);
      expect(validate.errors ?? []).toEqual([]);
    }),
    { numRuns: 100 },
  );
  expect(validate({ services: [{ name: 's', x: 1 }] })).toBe(false);
  expect(
    validate({ services: [{ name: 's', upstream: { nodes: [{ host: 'a', port: '${PORT}', weight: 1 }] } }] }),
  ).toBe(true);
  expect(validate({ services: [{ name: 's', upstream: { nodes: [{ host: 'a', port: 'x', weight: 1 }] } }] })).toBe(
    false,
  );
});
