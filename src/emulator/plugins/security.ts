import { addresses, flag, list, requiring, shape, text, whole, word } from '../schema/build.js';
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

/** The plugins that decide who comes through. */
export const securityPlugins: Readonly<Record<string, PluginMaker>> = {
  cors,
  'ip-restriction': ipRestriction,
  'consumer-restriction': consumerRestriction,
  'real-ip': realIp,
};
