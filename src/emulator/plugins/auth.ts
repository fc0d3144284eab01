import { flag, list, shape, text, whole, word } from '../schema/build.js';
import type { Schema } from '../schema/schema.js';
import type { Rules } from '../versions.js';
import type { PluginMaker } from './define.js';

function anonymous(rules: Rules): Readonly<Record<string, Schema>> {
  return rules.since('3.13.0') ? { anonymous_consumer: text({ minLength: 1 }) } : {};
}

function realm(rules: Rules, byDefault: string): Readonly<Record<string, Schema>> {
  if (!rules.since('3.15.0')) return {};
  return { realm: text({ default: byDefault, minLength: 1, maxLength: 128, pattern: '^[ -!#-[\\]-~]+$' }) };
}

const keyAuth: PluginMaker = (rules) => ({
  priority: 2500,
  type: 'auth',
  schema: shape({
    header: text({ default: 'apikey' }),
    query: text({ default: 'apikey' }),
    hide_credentials: flag(false),
    ...anonymous(rules),
    ...realm(rules, 'key'),
  }),
  consumer_schema: shape({ key: text() }, { required: ['key'], encrypt_fields: ['key'] }),
});

const basicAuth: PluginMaker = (rules) => ({
  priority: 2520,
  type: 'auth',
  schema: shape({
    hide_credentials: flag(false),
    ...(rules.since('3.18.0') ? anonymous(rules) : {}),
    ...realm(rules, 'basic'),
  }),
  consumer_schema: shape(
    { username: text(), password: text() },
    { required: ['username', 'password'], encrypt_fields: ['password'] },
  ),
});

const jwtAuth: PluginMaker = (rules) => ({
  priority: 2510,
  type: 'auth',
  schema: shape({
    header: text({ default: 'authorization' }),
    query: text({ default: 'jwt' }),
    cookie: text({ default: 'jwt' }),
    hide_credentials: flag(false),
    ...(rules.since('3.13.0')
      ? { key_claim_name: text({ default: 'key', minLength: 1 }), store_in_ctx: flag(false) }
      : {}),
    ...(rules.since('3.18.0') ? { claims_to_verify: list(text({ enum: ['exp', 'nbf'] }), { uniqueItems: true }) } : {}),
    ...anonymous(rules),
    ...realm(rules, 'jwt'),
  }),
  consumer_schema: jwtConsumer(rules),
});

function jwtConsumer(rules: Rules): Schema {
  const symmetric = rules.since('3.18.0') ? ['HS256', 'HS384', 'HS512'] : ['HS256', 'HS512'];
  const asymmetric = rules.since('3.18.0')
    ? ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'EdDSA']
    : ['RS256', 'ES256'];
  const some = rules.since('3.13.0') ? text({ minLength: 1 }) : text();
  const publicKey = rules.since('3.18.0') ? text({ minLength: 1 }) : text();
  const keyPair: Schema = rules.since('3.13.0')
    ? { properties: { algorithm: { enum: asymmetric }, public_key: publicKey }, required: ['public_key'] }
    : {
        properties: { algorithm: { enum: asymmetric }, public_key: text(), private_key: text() },
        required: ['public_key', 'private_key'],
      };
  return shape(
    {
      key: some,
      secret: some,
      algorithm: word([...symmetric, ...asymmetric]),
      exp: whole({ minimum: 1, default: 86_400 }),
      base64_secret: flag(false),
      lifetime_grace_period: whole({ minimum: 0, default: 0 }),
    },
    {
      dependencies: {
        algorithm: { oneOf: [{ properties: { algorithm: { enum: symmetric, default: 'HS256' } } }, keyPair] },
      },
      encrypt_fields: rules.since('3.13.0') ? ['secret'] : ['secret', 'private_key'],
      required: ['key'],
    },
  );
}

const hmacAlgorithms = ['hmac-sha1', 'hmac-sha256', 'hmac-sha512'];

const hmacAuth: PluginMaker = (rules) => ({
  priority: 2530,
  type: 'auth',
  schema: rules.since('3.13.0') ? hmacSettings(rules) : shape({}),
  consumer_schema: rules.since('3.13.0')
    ? shape(
        { key_id: text({ minLength: 1, maxLength: 256 }), secret_key: text({ minLength: 1, maxLength: 256 }) },
        { required: ['key_id', 'secret_key'], encrypt_fields: ['secret_key'] },
      )
    : shape(
        {
          access_key: text({ minLength: 1, maxLength: 256 }),
          secret_key: text({ minLength: 1, maxLength: 256 }),
          algorithm: word(hmacAlgorithms, 'hmac-sha256'),
          clock_skew: whole({ default: 0 }),
          signed_headers: list(text({ minLength: 1, maxLength: 50 })),
          keep_headers: flag(false),
          encode_uri_params: flag(true),
          validate_request_body: flag(false),
          max_req_body: whole({ default: 524_288 }),
        },
        { required: ['access_key', 'secret_key'], encrypt_fields: ['secret_key'] },
      ),
});

function hmacSettings(rules: Rules): Schema {
  const header = text({ minLength: 1, maxLength: 50 });
  return shape({
    allowed_algorithms: list(text({ enum: hmacAlgorithms }), { minItems: 1, default: hmacAlgorithms }),
    clock_skew: whole({ minimum: 1, default: 300 }),
    signed_headers: list(header, rules.since('3.18.0') ? { default: ['date'] } : {}),
    validate_request_body: flag(false),
    hide_credentials: flag(false),
    ...(rules.since('3.18.0') ? { max_req_body_size: whole({ minimum: 1, default: 67_108_864 }) } : {}),
    ...anonymous(rules),
    ...realm(rules, 'hmac'),
  });
}

/** The plugins that recognise consumers. */
export const authPlugins: Readonly<Record<string, PluginMaker>> = {
  'key-auth': keyAuth,
  'basic-auth': basicAuth,
  'jwt-auth': jwtAuth,
  'hmac-auth': hmacAuth,
};
