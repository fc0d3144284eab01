import { flag, list, shape, text, whole, word } from '../schema/build.js';
import type { Schema } from '../schema/schema.js';
import type { Rules } from '../versions.js';
import type { PluginMaker } from './define.js';

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIGKLMNOPQRSTUVWXYZ0123456789';
const anyObject: Schema = { type: 'object' };
const expressions = list(list(), { minItems: 1 });

const requestId: PluginMaker = (rules) => ({
  priority: 12_015,
  schema: shape({
    header_name: text({ default: 'X-Request-Id' }),
    include_in_response: flag(true),
    algorithm: word(requestIdAlgorithms(rules)),
    range_id: {
      ...shape({
        char_set: text({ minLength: 6, default: letters }),
        length: whole({ minimum: 6, default: 16 }),
      }),
      ...(rules.since('3.15.0')
        ? { default: { char_set: letters, length: 16 } }
        : rules.since('3.10.0')
          ? { default: {} }
          : {}),
    },
  }),
});

function requestIdAlgorithms(rules: Rules): readonly string[] {
  if (rules.since('3.18.0')) return ['uuid', 'nanoid', 'range_id', 'ksuid', 'uuidv7'];
  if (rules.since('3.15.0')) return ['uuid', 'nanoid', 'range_id', 'ksuid'];
  return rules.since('3.10.0') ? ['uuid', 'nanoid', 'range_id'] : ['uuid', 'snowflake', 'nanoid', 'range_id'];
}

const prometheus: PluginMaker = (rules) => ({
  priority: 500,
  version: 0.2,
  schema: shape({ prefer_name: flag(false) }),
  ...(rules.since('3.18.0') ? { metadata_schema: prometheusMetadata } : {}),
});

const models = ['request_type', 'request_llm_model', 'llm_model'];
const byName = ['route', 'service', 'consumer', 'node', ...models];
const byId = ['route_id', 'service_id', 'consumer', 'node', ...models];
const byBoth = ['route', 'route_id', 'service', 'service_id', 'consumer', 'node', ...models];

/** The labels that each metric can do without. */
const labelsOfMetrics: Readonly<Record<string, readonly string[]>> = {
  http_status: [...byName, 'matched_uri', 'matched_host', 'response_source'],
  http_latency: byName,
  bandwidth: byName,
  llm_latency: byId,
  llm_prompt_tokens: byId,
  llm_completion_tokens: byId,
  llm_prompt_tokens_dist: byId,
  llm_completion_tokens_dist: byId,
  llm_active_connections: [...byBoth, 'matched_uri', 'matched_host'],
  ai_cache_hits_total: byBoth,
  ai_cache_misses_total: byBoth,
  ai_cache_bypasses_total: byBoth,
  ai_cache_embedding_latency: byBoth,
};

const prometheusMetadata = shape({
  disabled_labels: shape(
    Object.fromEntries(
      Object.entries(labelsOfMetrics).map(([metric, labels]) => [metric, list(text({ enum: labels }))]),
    ),
    { additionalProperties: false },
  ),
});

const httpLogger: PluginMaker = (rules) => ({
  priority: 410,
  schema: shape(
    {
      uri: text({ pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' }),
      auth_header: text(),
      timeout: whole({ minimum: 1, default: 3 }),
      ...logged(rules),
      // Older versions of the other loggers do not look into answers.
      include_resp_body: flag(false),
      include_resp_body_expr: expressions,
      concat_method: word(['json', 'new_line']),
      ssl_verify: flag(false),
      ...batch('http logger'),
    },
    { required: ['uri'], ...(rules.since('3.18.0') ? { encrypt_fields: ['auth_header'] } : {}) },
  ),
  metadata_schema: loggerMetadata(rules, true),
});

/** What a logger writes down of each request. */
function logged(rules: Rules): Readonly<Record<string, Schema>> {
  return {
    log_format: anyObject,
    include_req_body: flag(false),
    ...(rules.since('3.10.0')
      ? { include_req_body_expr: expressions, include_resp_body: flag(false), include_resp_body_expr: expressions }
      : {}),
    ...(rules.since('3.18.0')
      ? {
          log_format_extra: anyObject,
          max_req_body_bytes: whole({ minimum: 1, default: 524_288 }),
          max_resp_body_bytes: whole({ minimum: 1, default: 524_288 }),
        }
      : {}),
  };
}

const tcpLogger: PluginMaker = (rules) => ({
  priority: 405,
  schema: shape(
    {
      host: text(),
      port: whole({ minimum: 0 }),
      tls: flag(false),
      tls_options: text(),
      timeout: whole({ minimum: 1, default: 1000 }),
      ...logged(rules),
      ...batch('tcp logger'),
    },
    { required: ['host', 'port'] },
  ),
  metadata_schema: loggerMetadata(rules, true),
});

const udpLogger: PluginMaker = (rules) => ({
  priority: 400,
  schema: shape(
    {
      host: text(),
      port: whole({ minimum: 0 }),
      timeout: whole({ minimum: 1, default: 3 }),
      ...logged(rules),
      ...batch('udp logger'),
    },
    { required: ['host', 'port'] },
  ),
  metadata_schema: loggerMetadata(rules, true),
});

const syslog: PluginMaker = (rules) => ({
  priority: 401,
  schema: shape(
    {
      host: text(),
      port: whole(),
      sock_type: word(['tcp', 'udp']),
      tls: flag(false),
      timeout: whole({ minimum: 1, default: 3000 }),
      flush_limit: whole({ minimum: 1, default: 4096 }),
      drop_limit: whole({ default: 1_048_576 }),
      pool_size: whole({ minimum: 5, default: 5 }),
      ...logged(rules),
      ...batch('sys logger'),
    },
    { required: ['host', 'port'] },
  ),
  metadata_schema: loggerMetadata(rules, false),
});

const fileLogger: PluginMaker = (rules) => {
  const { include_req_body: _body, ...older } = logged(rules);
  return {
    priority: 399,
    schema: shape(
      {
        path: text(),
        ...(rules.since('3.10.0') ? { ...logged(rules), match: list(list(), { maxItems: 20 }) } : older),
        include_resp_body: flag(false),
        include_resp_body_expr: expressions,
      },
      rules.since('3.15.0') ? {} : { required: ['path'] },
    ),
    metadata_schema: fileLoggerMetadata(rules),
  };
};

function fileLoggerMetadata(rules: Rules): Schema {
  const { properties } = loggerMetadata(rules, true);
  const { max_pending_entries: _entries, ...kept } = properties ?? {};
  return shape({ ...kept, ...(rules.since('3.15.0') ? { path: text() } : {}) });
}

/** How loggers gather entries before they send them. */
function batch(name: string): Readonly<Record<string, Schema>> {
  return {
    name: text({ default: name }),
    max_retry_count: whole({ minimum: 0, default: 0 }),
    retry_delay: whole({ minimum: 0, default: 1 }),
    buffer_duration: whole({ minimum: 1, default: 60 }),
    inactive_timeout: whole({ minimum: 1, default: 5 }),
    batch_max_size: whole({ minimum: 1, default: 1000 }),
  };
}

function loggerMetadata(rules: Rules, bounded: boolean): Schema {
  const simple = { '@timestamp': '$time_iso8601', client_ip: '$remote_addr', host: '$host' };
  return shape({
    log_format: rules.since('3.10.0') ? anyObject : { type: 'object', default: simple },
    ...(rules.since('3.18.0')
      ? { log_format_extra: anyObject, max_pending_entries: whole({ minimum: 1, default: 8192 }) }
      : rules.since('3.15.0') && bounded
        ? { max_pending_entries: whole({ minimum: 1 }) }
        : {}),
  });
}

const gzip: PluginMaker = () => ({
  priority: 995,
  schema: shape({
    types: {
      anyOf: [list(text({ minLength: 1 }), { minItems: 1 }), { enum: ['*'] }],
      default: ['text/html'],
    },
    min_length: whole({ minimum: 1, default: 20 }),
    comp_level: whole({ minimum: 1, maximum: 9, default: 1 }),
    http_version: { enum: [1.1, 1], default: 1.1 },
    buffers: {
      ...shape({ number: whole({ minimum: 1, default: 32 }), size: whole({ minimum: 1, default: 4096 }) }),
      default: { number: 32, size: 4096 },
    },
    vary: flag(),
  }),
});

/** The plugins that watch and serve what comes through. */
export const operationPlugins: Readonly<Record<string, PluginMaker>> = {
  'request-id': requestId,
  prometheus,
  'http-logger': httpLogger,
  'tcp-logger': tcpLogger,
  'udp-logger': udpLogger,
  syslog,
  'file-logger': fileLogger,
  gzip,
};
