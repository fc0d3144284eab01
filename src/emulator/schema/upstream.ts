import { flag, list, mapOf, number, requiring, shape, text, whole } from './build.js';
import type { CoreParts } from './core.js';
import type { Schema } from './schema.js';

const id: Schema = {
  anyOf: [text({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' }), whole({ minimum: 1 })],
};
const port = whole({ minimum: 1, maximum: 65_535 });
const checkTypes = text({ enum: ['http', 'https', 'tcp'], default: 'http' });

function statuses(byDefault: readonly number[]): Schema {
  return list(whole({ minimum: 200, maximum: 599 }), { minItems: 1, uniqueItems: true, default: byDefault });
}

/** How often something happens before a node's health is judged anew. */
function times(minimum: number, byDefault: number): Schema {
  return whole({ minimum, maximum: 254, default: byDefault });
}

/** The schema of an upstream, which also stands inside routes, services, stream routes and traffic-split. */
export function upstreamSchema(parts: CoreParts): Schema {
  const { rules, strict, name, labels, host, timeout } = parts;
  return shape(
    {
      id,
      name,
      desc: text({ maxLength: 256 }),
      labels,
      create_time: whole(),
      update_time: whole(),
      type: text({ default: 'roundrobin' }),
      hash_on: text({ enum: ['vars', 'header', 'cookie', 'consumer', 'vars_combinations'], default: 'vars' }),
      key: text(),
      nodes: nodesSchema(parts),
      service_name: text({ minLength: 1, maxLength: 256 }),
      discovery_type: text(),
      discovery_args: shape({ namespace_id: text(), group_name: text() }),
      scheme: { enum: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'kafka'], default: 'http' },
      pass_host: text({ enum: ['pass', 'node', 'rewrite'], default: 'pass' }),
      upstream_host: host,
      retries: whole({ minimum: 0 }),
      retry_timeout: number({ minimum: 0 }),
      timeout,
      keepalive_pool: shape({
        size: whole({ minimum: 1, default: 320 }),
        idle_timeout: number({ minimum: 0, default: 60 }),
        requests: whole({ minimum: 1, default: 1000 }),
      }),
      tls: tlsSchema(rules.since('3.18.0') ? 64 : 128, rules.since('3.10.0')),
      checks: checksSchema(parts),
    },
    { oneOf: requiring(['nodes'], ['service_name', 'discovery_type']), ...strict },
  );
}

function nodesSchema(parts: CoreParts): Schema {
  const portRequired = !parts.rules.since('3.10.0');
  const node = shape(
    {
      host: parts.host,
      port: portRequired ? whole({ minimum: 1 }) : port,
      weight: whole({ minimum: 0 }),
      priority: whole({ default: 0 }),
      metadata: { type: 'object' },
    },
    { required: portRequired ? ['host', 'port', 'weight'] : ['host', 'weight'] },
  );
  return { anyOf: [mapOf('.*', whole({ minimum: 0 })), list(node)] };
}

function tlsSchema(shortestKey: number, current: boolean): Schema {
  const excluded: Schema = { not: { required: ['client_cert_id'] } };
  const both = (other: string): Schema => ({ required: [other], ...(current ? {} : excluded) });
  return shape(
    {
      client_cert_id: id,
      client_cert: text({ minLength: 128, maxLength: 65_536 }),
      client_key: text({ minLength: shortestKey, maxLength: 65_536 }),
      verify: flag(false),
    },
    {
      dependencies: {
        client_cert: both('client_key'),
        client_key: both('client_cert'),
        // A slip of the older gateways, which lets a pair stand beside an id.
        client_cert_id: { not: { required: [current ? 'client_cert' : 'client_client', 'client_key'] } },
      },
    },
  );
}

function checksSchema(parts: CoreParts): Schema {
  const { rules, host } = parts;
  const active = shape({
    type: checkTypes,
    timeout: number({ default: 1 }),
    concurrency: whole({ default: 10 }),
    host,
    port,
    http_path: text({ default: '/' }),
    ...(rules.since('3.18.0')
      ? {
          http_method: text({
            enum: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'],
            default: 'GET',
          }),
          http_req_body: text({ default: '' }),
        }
      : {}),
    https_verify_certificate: flag(true),
    req_headers: list(text({ uniqueItems: true }), { minItems: 1 }),
    healthy: shape({
      interval: whole({ minimum: 1, default: 1 }),
      http_statuses: statuses([200, 302]),
      successes: times(1, 2),
    }),
    unhealthy: shape({
      interval: whole({ minimum: 1, default: 1 }),
      http_statuses: statuses([429, 404, 500, 501, 502, 503, 504, 505]),
      http_failures: times(1, 5),
      tcp_failures: times(1, 2),
      timeouts: times(1, 3),
    }),
  });
  const passive = shape({
    type: checkTypes,
    healthy: shape({
      http_statuses: statuses([
        200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
      ]),
      successes: times(0, 5),
    }),
    unhealthy: shape({
      http_statuses: statuses([429, 500, 503]),
      http_failures: times(0, 5),
      tcp_failures: times(0, 2),
      timeouts: times(0, 7),
    }),
  });
  return shape(
    { active, passive },
    {
      anyOf: requiring(['active'], ['active', 'passive']),
      ...(rules.since('3.10.0') && !rules.since('3.15.0') ? { additionalProperties: false } : {}),
    },
  );
}
