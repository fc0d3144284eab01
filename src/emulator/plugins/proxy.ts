import { flag, list, number, requiring, shape, text, whole, word } from '../schema/build.js';
import { idSchema } from '../schema/core.js';
import type { Schema } from '../schema/schema.js';
import type { PluginMaker } from './define.js';

function statuses(maximum: number, minimum: number, byDefault: readonly number[]): Schema {
  return list(whole({ minimum, maximum }), { minItems: 1, uniqueItems: true, default: byDefault });
}

const bodyLimit = whole({ minimum: 1, default: 67_108_864 });

const echo: PluginMaker = () => ({
  priority: 412,
  schema: shape(
    { before_body: text(), body: text(), after_body: text(), headers: { type: 'object', minProperties: 1 } },
    { anyOf: requiring(['before_body'], ['body'], ['after_body']), minProperties: 1 },
  ),
});

const publicApi: PluginMaker = () => ({ priority: 501, schema: shape({ uri: text() }) });

const clientControl: PluginMaker = () => ({
  priority: 22_000,
  schema: shape({ max_body_size: whole({ minimum: 0 }) }),
});

const apiBreaker: PluginMaker = () => ({
  priority: 1005,
  schema: shape(
    {
      break_response_code: whole({ minimum: 200, maximum: 599 }),
      break_response_body: text(),
      break_response_headers: list(
        shape({ key: text({ minLength: 1 }), value: text({ minLength: 1 }) }, { required: ['key', 'value'] }),
      ),
      max_breaker_sec: whole({ minimum: 3, default: 300 }),
      unhealthy: shape(
        { http_statuses: statuses(599, 500, [500]), failures: whole({ minimum: 1, default: 3 }) },
        { default: { http_statuses: [500], failures: 3 } },
      ),
      healthy: shape(
        { http_statuses: statuses(499, 200, [200]), successes: whole({ minimum: 1, default: 3 }) },
        { default: { http_statuses: [200], successes: 3 } },
      ),
    },
    { required: ['break_response_code'] },
  ),
});

const proxyMirror: PluginMaker = (rules) => ({
  priority: 1010,
  schema: shape(
    {
      host: text({
        pattern: `${rules.since('3.10.0') ? '^(http(s)?|grpc(s)?)' : '^http(s)?'}:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?$`,
      }),
      path: text({ pattern: '^/[^?&]+$' }),
      path_concat_mode: word(['replace', 'prefix']),
      sample_ratio: number({ minimum: 0.00001, maximum: 1, default: 1 }),
    },
    { required: ['host'] },
  ),
});

const proxyCache: PluginMaker = (rules) => {
  const variables = text({ pattern: '(^[^\\$].+$|^\\$[0-9a-zA-Z_]+$)' });
  return {
    priority: rules.since('3.10.0') ? 1085 : 1009,
    version: 0.2,
    schema: shape({
      cache_zone: text({ minLength: 1, maxLength: 100, default: 'disk_cache_one' }),
      cache_strategy: word(['disk', 'memory']),
      cache_key: list(variables, { minItems: 1, default: ['$host', '$request_uri'] }),
      cache_http_status: statuses(599, 200, [200, 301, 404]),
      cache_method: list(text({ enum: ['GET', 'POST', 'HEAD'] }), {
        minItems: 1,
        uniqueItems: true,
        default: ['GET', 'HEAD'],
      }),
      hide_cache_headers: flag(false),
      cache_control: flag(false),
      cache_bypass: list(variables, { minItems: 1 }),
      no_cache: list(variables, { minItems: 1 }),
      cache_ttl: whole({ minimum: 1, default: 300 }),
      ...(rules.since('3.18.0')
        ? { cache_set_cookie: flag(false), consumer_isolation: flag(true), max_resp_body_size: bodyLimit }
        : {}),
    }),
  };
};

const pbOptions = [
  ['enum_as_name', 'enum_as_value'],
  ['int64_as_number', 'int64_as_string', 'int64_as_hexstring'],
  ['auto_default_values', 'no_default_values', 'use_default_values', 'use_default_metatable'],
  ['enable_hooks', 'disable_hooks'],
];
const pbOption = list(text({ anyOf: pbOptions.map((options) => text({ enum: options })) }), {
  minItems: 1,
  default: ['enum_as_name', 'int64_as_number', 'auto_default_values', 'disable_hooks'],
});

const grpcTranscode: PluginMaker = (rules) => ({
  priority: 506,
  schema: shape(
    {
      proto_id: idSchema,
      service: text(),
      method: text(),
      deadline: number({ default: 0 }),
      pb_option: pbOption,
      show_status_in_body: flag(false),
      status_detail_type: text(),
      ...(rules.since('3.18.0') ? { max_resp_body_size: bodyLimit } : {}),
    },
    { required: ['proto_id', 'service', 'method'], additionalProperties: true },
  ),
});

const grpcWeb: PluginMaker = (rules) => ({
  priority: 505,
  schema: shape({
    ...(rules.since('3.10.0') ? { cors_allow_headers: text({ default: 'content-type,x-grpc-web,x-user-agent' }) } : {}),
    ...(rules.since('3.18.0') ? { max_req_body_size: bodyLimit } : {}),
  }),
});

/** The plugins that answer, copy, keep or translate what comes through. */
export const proxyPlugins: Readonly<Record<string, PluginMaker>> = {
  echo,
  'public-api': publicApi,
  'client-control': clientControl,
  'api-breaker': apiBreaker,
  'proxy-mirror': proxyMirror,
  'proxy-cache': proxyCache,
  'grpc-transcode': grpcTranscode,
  'grpc-web': grpcWeb,
};
