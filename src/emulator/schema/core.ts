import type { Collection } from '../store.js';
import type { Rules } from '../versions.js';
import { addresses, flag, list, mapOf, number, requiring, shape, text, when, whole } from './build.js';
import type { Schema } from './schema.js';
import { upstreamSchema } from './upstream.js';

/** The collections that have a core schema. */
export type SchemaCollection = Exclude<Collection, 'plugin_metadata'>;

/** The core schemas of a gateway, by collection. */
export type CoreSchemas = Readonly<Record<SchemaCollection, Schema>>;

/** An id: text or a positive whole number. */
export const idSchema: Schema = {
  anyOf: [text({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' }), whole({ minimum: 1 })],
};

const times = { create_time: whole(), update_time: whole() };
const plugins: Schema = { type: 'object' };
const description = text({ maxLength: 256 });
const status = whole({ enum: [1, 0], default: 1 });
const address = text({ anyOf: addresses });
const positive = number({ exclusiveMinimum: 0 });
const httpMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'];

/** What the schemas of one version have in common. */
export interface CoreParts {
  readonly rules: Rules;
  /** Unknown fields are refused. */
  readonly strict: Schema;
  readonly name: Schema;
  readonly labels: Schema;
  readonly host: Schema;
  readonly timeout: Schema;
}

/** The schemas of the core objects, as a gateway of some version checks them. */
export function coreSchemas(rules: Rules): CoreSchemas {
  const parts = coreParts(rules);
  const upstream = upstreamSchema(parts);
  return {
    routes: routeSchema(parts, upstream),
    services: serviceSchema(parts, upstream),
    upstreams: upstream,
    ssls: sslSchema(parts),
    consumers: consumerSchema(parts),
    credentials: credentialSchema(parts),
    consumer_groups: groupSchema(parts),
    plugin_configs: pluginConfigSchema(parts),
    global_rules: globalRuleSchema(parts),
    stream_routes: streamRouteSchema(parts, upstream),
    protos: protoSchema(parts),
    secrets: { type: 'object' },
  };
}

/** The parts that the schemas of a version share. */
export function coreParts(rules: Rules): CoreParts {
  return {
    rules,
    strict: rules.since('3.10.0') ? { additionalProperties: false } : {},
    name: text({ minLength: 1, maxLength: rules.since('3.15.0') ? 256 : 100 }),
    labels: mapOf('.*', text({ minLength: 1, maxLength: rules.since('3.10.0') ? 256 : 64, pattern: '^\\S+$' })),
    host: text({
      pattern: rules.since('3.15.0') ? '^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$' : '^\\*?[0-9a-zA-Z-._\\[\\]:]+$',
    }),
    timeout: shape({ connect: positive, send: positive, read: positive }, { required: ['connect', 'send', 'read'] }),
  };
}

function routeSchema(parts: CoreParts, upstream: Schema): Schema {
  const { name, labels, host, timeout, strict } = parts;
  const eitherOrNone = (one: string, many: string): Schema => ({
    oneOf: [{ not: { anyOf: requiring([one], [many]) } }, { required: [one] }, { required: [many] }],
  });
  const targets = ['plugins', 'upstream', 'upstream_id', 'service_id'];
  return shape(
    {
      id: idSchema,
      name,
      desc: description,
      labels,
      ...times,
      uri: text({ minLength: 1, maxLength: 4096 }),
      uris: list(text(), { minItems: 1, uniqueItems: true }),
      host,
      hosts: list(host, { minItems: 1, uniqueItems: true }),
      methods: list(text({ enum: httpMethods }), { uniqueItems: true }),
      priority: whole({ default: 0 }),
      remote_addr: address,
      remote_addrs: list(address, { minItems: 1, uniqueItems: true }),
      vars: list(),
      filter_func: text({ minLength: 10, pattern: '^function' }),
      timeout,
      enable_websocket: flag(),
      status,
      plugins,
      plugin_config_id: idSchema,
      service_id: idSchema,
      upstream_id: idSchema,
      upstream,
      script: text({ minLength: 10, maxLength: 102_400 }),
      script_id: idSchema,
    },
    {
      allOf: [
        { oneOf: requiring(['uri'], ['uris']) },
        eitherOrNone('host', 'hosts'),
        eitherOrNone('remote_addr', 'remote_addrs'),
      ],
      anyOf: requiring(
        ...targets.map((target) => [target, 'uri']),
        ...targets.map((target) => [target, 'uris']),
        ['script', 'uri'],
        ['script', 'uris'],
      ),
      not: { anyOf: requiring(['script', 'plugins'], ['script', 'plugin_config_id']) },
      ...strict,
    },
  );
}

function serviceSchema(parts: CoreParts, upstream: Schema): Schema {
  const { name, labels, host, strict } = parts;
  return shape(
    {
      id: idSchema,
      name,
      desc: description,
      labels,
      ...times,
      hosts: list(host, { minItems: 1, uniqueItems: true }),
      enable_websocket: flag(),
      plugins,
      upstream_id: idSchema,
      upstream,
      script: text({ minLength: 10, maxLength: 102_400 }),
    },
    strict,
  );
}

function sslSchema(parts: CoreParts): Schema {
  const { rules, labels, host, strict } = parts;
  const reference = text({ pattern: '^\\$(secret|env|ENV)://' });
  const pem = (minLength: number): Schema => {
    const plain = text({ minLength, maxLength: 65_536 });
    // References stand in a schema of their own in the versions between.
    return rules.since('3.10.0') && !rules.since('3.18.0') ? { oneOf: [plain, reference] } : plain;
  };
  const cert = pem(128);
  const key = pem(rules.since('3.18.0') ? 64 : 128);
  const exact = text({ minLength: 128, maxLength: 65_536 });
  return shape(
    {
      id: idSchema,
      ...(rules.since('3.13.0') ? { desc: description } : {}),
      labels,
      ...times,
      ...(rules.since('3.10.0')
        ? {}
        : { validity_start: whole(), validity_end: whole(), exptime: whole({ minimum: 1_588_262_400 }) }),
      type: text({ enum: ['server', 'client'], default: 'server' }),
      sni: host,
      snis: list(host, { minItems: 1 }),
      cert,
      key,
      certs: list(cert),
      keys: list(key),
      client: shape(
        {
          ca: exact,
          depth: whole({ minimum: 0, default: 1 }),
          ...(rules.since('3.10.0') ? { skip_mtls_uri_regex: list(text(), { minItems: 1, uniqueItems: true }) } : {}),
        },
        { required: ['ca'] },
      ),
      ...(rules.since('3.10.0')
        ? { ssl_protocols: list({ enum: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] }, { uniqueItems: true, maxItems: 3 }) }
        : {}),
      ...(rules.since('3.18.0')
        ? {
            ocsp_stapling: shape({
              enabled: flag(false),
              skip_verify: flag(false),
              cache_ttl: whole({ minimum: 60, default: 3600 }),
            }),
          }
        : {}),
      status,
    },
    {
      ...when(
        { properties: { type: { enum: ['server'] } } },
        { oneOf: requiring(['sni', 'key', 'cert'], ['snis', 'key', 'cert']) },
        { required: ['key', 'cert'] },
      ),
      ...strict,
    },
  );
}

function consumerSchema(parts: CoreParts): Schema {
  const { rules, labels, strict } = parts;
  return shape(
    {
      ...(rules.since('3.18.0') ? { id: idSchema } : {}),
      username: text({
        minLength: 1,
        maxLength: rules.since('3.15.0') ? 256 : 100,
        pattern: rules.since('3.13.0') ? '^[a-zA-Z0-9_\\-]+$' : '^[a-zA-Z0-9_]+$',
      }),
      group_id: idSchema,
      desc: description,
      labels,
      ...times,
      plugins,
    },
    { required: ['username'], ...strict },
  );
}

function credentialSchema(parts: CoreParts): Schema {
  const { rules, name, labels, strict } = parts;
  const qualified = text({
    minLength: 15,
    maxLength: 128,
    pattern: '^[a-zA-Z0-9-_]+/credentials/[a-zA-Z0-9-_.]+$',
  });
  return shape(
    {
      id: rules.since('3.18.0') ? { oneOf: [idSchema, qualified] } : idSchema,
      name,
      desc: description,
      labels,
      ...times,
      plugins: { type: 'object', maxProperties: 1 },
    },
    strict,
  );
}

function groupSchema(parts: CoreParts): Schema {
  const { rules, name, labels, strict } = parts;
  return shape(
    { id: idSchema, ...(rules.since('3.13.0') ? { name } : {}), desc: description, labels, ...times, plugins },
    { required: ['id', 'plugins'], ...strict },
  );
}

function pluginConfigSchema(parts: CoreParts): Schema {
  const { rules, labels, strict } = parts;
  return shape(
    { id: idSchema, ...(rules.since('3.10.0') ? { name: text() } : {}), desc: description, labels, ...times, plugins },
    { required: ['id', 'plugins'], ...strict },
  );
}

function globalRuleSchema(parts: CoreParts): Schema {
  const required = parts.rules.since('3.10.0') ? ['id', 'plugins'] : ['plugins'];
  return shape({ id: idSchema, ...times, plugins }, { required, ...parts.strict });
}

function streamRouteSchema(parts: CoreParts, upstream: Schema): Schema {
  const { rules, name, labels, host, strict } = parts;
  const logger = shape({ name: text(), filter: list(), conf: { type: 'object' } }, { ...strict });
  return shape(
    {
      id: idSchema,
      ...(rules.since('3.13.0') ? { name } : {}),
      desc: description,
      ...(rules.since('3.10.0') ? { labels } : {}),
      ...times,
      remote_addr: address,
      server_addr: address,
      server_port: rules.since('3.10.0') ? whole({ minimum: 1, maximum: 65_535 }) : whole(),
      sni: host,
      upstream,
      upstream_id: idSchema,
      ...(rules.since('3.10.0') ? { service_id: idSchema } : {}),
      plugins,
      protocol: shape(
        {
          name: text(),
          superior_id: idSchema,
          conf: { type: 'object' },
          logger: list({ ...withoutType(logger), dependencies: { name: ['conf'] } }),
        },
        { required: ['name'] },
      ),
    },
    strict,
  );
}

function protoSchema(parts: CoreParts): Schema {
  const { rules, name, labels, strict } = parts;
  return shape(
    {
      id: idSchema,
      ...(rules.since('3.10.0') ? { name, labels } : {}),
      desc: description,
      ...times,
      content: text({ minLength: 1, maxLength: 1_048_576 }),
    },
    { required: ['content'], ...strict },
  );
}

function withoutType(schema: Schema): Schema {
  const { type: _type, ...rest } = schema;
  return rest;
}
