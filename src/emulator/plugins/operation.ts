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

const prometheus: PluginMaker = () => ({
  priority: 500,
  version: 0.2,
  schema: shape({ prefer_name: flag(false) }),
});

const httpLogger: PluginMaker = (rules) => ({
  priority: 410,
  schema: shape(
    {
      uri: text({ pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' }),
      auth_header: text(),
      timeout: whole({ minimum: 1, default: 3 }),
      log_format: anyObject,
      ...(rules.since('3.18.0')
        ? {
            log_format_extra: anyObject,
            max_req_body_bytes: whole({ minimum: 1, default: 524_288 }),
            max_resp_body_bytes: whole({ minimum: 1, default: 524_288 }),
          }
        : {}),
      include_req_body: flag(false),
      ...(rules.since('3.10.0') ? { include_req_body_expr: expressions } : {}),
      include_resp_body: flag(false),
      include_resp_body_expr: expressions,
      concat_method: word(['json', 'new_line']),
      ssl_verify: flag(false),
      ...batch('http logger'),
    },
    { required: ['uri'], ...(rules.since('3.18.0') ? { encrypt_fields: ['auth_header'] } : {}) },
  ),
  metadata_schema: loggerMetadata(rules),
});

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

function loggerMetadata(rules: Rules): Schema {
  const simple = { '@timestamp': '$time_iso8601', client_ip: '$remote_addr', host: '$host' };
  return shape({
    log_format: rules.since('3.10.0') ? anyObject : { type: 'object', default: simple },
    ...(rules.since('3.18.0')
      ? { log_format_extra: anyObject, max_pending_entries: whole({ minimum: 1, default: 8192 }) }
      : rules.since('3.15.0')
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
  gzip,
};
