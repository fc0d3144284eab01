import { addresses, flag, list, requiring, shape, text, whole, word } from '../schema/build.js';
import { coreParts } from '../schema/core.js';
import type { PluginMaker } from './define.js';

const origins = '^(\\*|\\*\\*|null|\\w+://[^,]+(,\\w+://[^,]+)*)$';
const patterns = list(text({ minLength: 1, maxLength: 4096 }), { minItems: 1, uniqueItems: true });
const networks = list({ anyOf: addresses }, { minItems: 1 });
const names = list(text(), { minItems: 1 });

const cors: PluginMaker = (rules) => ({
  priority: 4000,
  schema: shape({
    allow_origins: text({ default: '*', pattern: origins }),
    allow_methods: text({ default: '*' }),
    allow_headers: text({ default: '*' }),
    expose_headers: text(rules.since('3.10.0') ? {} : { default: '*' }),
    max_age: whole({ default: 5 }),
    allow_credential: flag(false),
    allow_origins_by_regex: patterns,
    allow_origins_by_metadata: patterns,
    ...(rules.since('3.10.0')
      ? { timing_allow_origins: text({ pattern: origins }), timing_allow_origins_by_regex: patterns }
      : {}),
  }),
  metadata_schema: shape({
    allow_origins: { type: 'object', additionalProperties: text({ pattern: origins }) },
  }),
});

const ipRestriction: PluginMaker = (rules) => ({
  priority: 3000,
  schema: shape(
    {
      whitelist: networks,
      blacklist: networks,
      message: text({ minLength: 1, maxLength: 1024, default: 'Your IP address is not allowed' }),
      ...(rules.since('3.13.0') ? { response_code: whole({ minimum: 403, maximum: 404, default: 403 }) } : {}),
    },
    { oneOf: requiring(['whitelist'], ['blacklist']) },
  ),
});

const consumerRestriction: PluginMaker = () => ({
  priority: 2400,
  schema: shape(
    {
      type: word(['consumer_name', 'service_id', 'route_id', 'consumer_group_id']),
      whitelist: names,
      blacklist: names,
      allowed_by_methods: list(
        shape({
          user: text(),
          methods: list(
            text({ enum: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'] }),
            { minItems: 1 },
          ),
        }),
      ),
      rejected_code: whole({ minimum: 200, default: 403 }),
      rejected_msg: text(),
    },
    { anyOf: requiring(['blacklist'], ['whitelist'], ['allowed_by_methods']) },
  ),
});

const realIp: PluginMaker = () => ({
  priority: 23_000,
  schema: shape(
    { source: text({ minLength: 1 }), trusted_addresses: networks, recursive: flag(false) },
    { required: ['source'] },
  ),
});

const uriBlocker: PluginMaker = () => ({
  priority: 2900,
  schema: shape(
    {
      block_rules: list(text({ minLength: 1, maxLength: 4096 }), { uniqueItems: true }),
      rejected_code: whole({ minimum: 200, default: 403 }),
      rejected_msg: text({ minLength: 1 }),
      case_insensitive: flag(false),
    },
    { required: ['block_rules'] },
  ),
});

const uaRestriction: PluginMaker = (rules) => {
  const agents = list(text({ minLength: 1 }), { minItems: 1 });
  return {
    priority: 2999,
    schema: shape(
      {
        bypass_missing: flag(false),
        allowlist: agents,
        denylist: agents,
        message: text({ minLength: 1, maxLength: 1024, default: 'Not allowed' }),
      },
      rules.since('3.10.0') ? { oneOf: requiring(['allowlist'], ['denylist']) } : {},
    ),
  };
};

const refererRestriction: PluginMaker = (rules) => {
  const hosts = list(coreParts(rules).host, { minItems: 1 });
  return {
    priority: 2990,
    schema: shape(
      {
        bypass_missing: flag(false),
        whitelist: hosts,
        blacklist: hosts,
        message: text({ minLength: 1, maxLength: 1024, default: 'Your referer host is not allowed' }),
      },
      { oneOf: requiring(['whitelist'], ['blacklist']) },
    ),
  };
};

const csrf: PluginMaker = () => ({
  priority: 2980,
  schema: shape(
    { key: text(), expires: whole({ default: 7200 }), name: text({ default: 'apisix-csrf-token' }) },
    { required: ['key'], encrypt_fields: ['key'] },
  ),
});

const requestValidation: PluginMaker = (rules) => ({
  priority: 2800,
  type: 'validation',
  schema: shape(
    {
      header_schema: { type: 'object' },
      body_schema: { type: 'object' },
      rejected_code: whole({ minimum: 200, maximum: 599, default: 400 }),
      rejected_msg: text({ minLength: 1, maxLength: 256 }),
      ...(rules.since('3.18.0') ? { max_req_body_size: whole({ minimum: 1, default: 67_108_864 }) } : {}),
    },
    { anyOf: requiring(['header_schema'], ['body_schema']) },
  ),
});

/** The plugins that decide who comes through. */
export const securityPlugins: Readonly<Record<string, PluginMaker>> = {
  cors,
  'ip-restriction': ipRestriction,
  'consumer-restriction': consumerRestriction,
  'real-ip': realIp,
  'uri-blocker': uriBlocker,
  'ua-restriction': uaRestriction,
  'referer-restriction': refererRestriction,
  csrf,
  'request-validation': requestValidation,
};
