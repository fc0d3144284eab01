import { flag, list, number, requiring, shape, text, when, whole, word } from '../schema/build.js';
import type { Schema } from '../schema/schema.js';
import type { Rules } from '../versions.js';
import type { PluginMaker } from './define.js';

type Properties = Readonly<Record<string, Schema>>;

const rejection: Properties = {
  rejected_code: whole({ minimum: 200, maximum: 599, default: 503 }),
  rejected_msg: text({ minLength: 1 }),
  allow_degradation: flag(false),
};

const passwordText = text({ minLength: 0 });

/** Connections to Redis that are kept open. */
function keepalive(rules: Rules): Properties {
  if (!rules.since('3.15.0')) return {};
  return {
    redis_keepalive_pool: whole({ minimum: 1, default: 100 }),
    redis_keepalive_timeout: whole({ minimum: 1000, default: 10_000 }),
  };
}

function redis(rules: Rules, more: Properties): Schema {
  return {
    properties: {
      redis_host: text({ minLength: 2 }),
      redis_port: whole({ minimum: 1, default: 6379 }),
      redis_password: passwordText,
      redis_database: whole({ minimum: 0, default: 0 }),
      redis_timeout: whole({ minimum: 1, default: 1000 }),
      ...(rules.since('3.10.0')
        ? { redis_username: text({ minLength: 1 }), redis_ssl: flag(false), redis_ssl_verify: flag(false) }
        : {}),
      ...keepalive(rules),
      ...more,
    },
    required: ['redis_host'],
  };
}

function redisCluster(rules: Rules, more: Properties): Schema {
  return {
    properties: {
      redis_cluster_name: text(),
      redis_cluster_nodes: list(text({ minLength: 2, maxLength: 100 }), { minItems: rules.since('3.10.0') ? 1 : 2 }),
      redis_password: passwordText,
      redis_timeout: whole({ minimum: 1, default: 1000 }),
      redis_cluster_ssl: flag(false),
      redis_cluster_ssl_verify: flag(false),
      ...keepalive(rules),
      ...more,
    },
    required: ['redis_cluster_nodes', 'redis_cluster_name'],
  };
}

const redisSentinel: Schema = {
  properties: {
    redis_sentinels: list(
      shape(
        { host: text({ minLength: 2 }), port: whole({ minimum: 1, maximum: 65_535 }) },
        { required: ['host', 'port'], additionalProperties: false },
      ),
      { minItems: 1 },
    ),
    redis_master_name: text({ minLength: 1 }),
    redis_role: word(['master', 'slave']),
    redis_username: text({ minLength: 1 }),
    redis_password: passwordText,
    redis_database: whole({ minimum: 0, default: 0 }),
    redis_connect_timeout: whole({ minimum: 1, default: 1000 }),
    redis_read_timeout: whole({ minimum: 1, default: 1000 }),
    redis_keepalive_timeout: whole({ minimum: 1, default: 60_000 }),
    sentinel_username: text({ minLength: 1 }),
    sentinel_password: passwordText,
  },
  required: ['redis_sentinels', 'redis_master_name'],
};

function policyIs(policy: string): Schema {
  return { properties: { policy: { enum: [policy] } } };
}

/** What each policy asks for besides. */
function byPolicy(rules: Rules, more: Properties, last?: Schema): Schema {
  return when(policyIs('redis'), redis(rules, more), when(policyIs('redis-cluster'), redisCluster(rules, more), last));
}

const keyTtl: Properties = { key_ttl: whole({ default: 3600 }) };

const limitCount: PluginMaker = (rules) => ({
  priority: 1002,
  version: rules.since('3.10.0') ? 0.5 : 0.4,
  schema: rules.since('3.18.0') ? limitCountByRules(rules) : limitCountBefore(rules),
  ...(rules.since('3.13.0')
    ? {
        metadata_schema: shape({
          limit_header: text({ default: 'X-RateLimit-Limit' }),
          remaining_header: text({ default: 'X-RateLimit-Remaining' }),
          reset_header: text({ default: 'X-RateLimit-Reset' }),
        }),
      }
    : {}),
});

const countKeys: Properties = {
  group: text(),
  key: text({ default: 'remote_addr' }),
  key_type: word(['var', 'var_combination', 'constant']),
  ...rejection,
  show_limit_quota_header: flag(true),
};

function limitCountBefore(rules: Rules): Schema {
  const positive = whole({ exclusiveMinimum: 0 });
  // A gateway checks properties in an order of its own, which decides what it complains of first.
  const amounts: Properties =
    rules.base === '3.15.0' || rules.base === '3.2.2'
      ? { time_window: positive, count: positive }
      : { count: positive, time_window: positive };
  return shape(
    { ...amounts, ...countKeys, policy: word(['local', 'redis', 'redis-cluster']) },
    { required: ['count', 'time_window'], ...byPolicy(rules, rules.base === '3.15.0' ? keyTtl : {}) },
  );
}

function limitCountByRules(rules: Rules): Schema {
  const amount: Schema = { oneOf: [whole({ exclusiveMinimum: 0 }), text()] };
  const rule = shape(
    { count: amount, time_window: amount, key: text(), header_prefix: text() },
    { required: ['count', 'time_window', 'key'] },
  );
  return shape(
    {
      count: amount,
      time_window: amount,
      ...countKeys,
      rules: list(rule),
      policy: word(['local', 'redis', 'redis-cluster', 'redis-sentinel']),
      sync_interval: number({ default: -1 }),
      window_type: word(['fixed', 'sliding']),
    },
    {
      oneOf: requiring(['count', 'time_window'], ['rules']),
      encrypt_fields: ['redis_password', 'sentinel_password'],
      ...byPolicy(rules, {}, when(policyIs('redis-sentinel'), redisSentinel)),
    },
  );
}

const limitReq: PluginMaker = (rules) => ({
  priority: 1001,
  schema: shape(
    {
      rate: number({ exclusiveMinimum: 0 }),
      burst: number({ minimum: 0 }),
      key: text(),
      key_type: word(['var', 'var_combination']),
      ...rejection,
      nodelay: flag(false),
      ...sharedPolicy(rules),
    },
    { required: ['rate', 'burst', 'key'], ...redisPolicies(rules, rules.base === '3.15.0' ? keyTtl : {}) },
  ),
});

const limitConn: PluginMaker = (rules) => {
  const byRules = rules.since('3.18.0');
  const conn: Schema = byRules ? { oneOf: [whole({ exclusiveMinimum: 0 }), text()] } : whole({ exclusiveMinimum: 0 });
  const burst: Schema = byRules ? { oneOf: [whole({ minimum: 0 }), text()] } : whole({ minimum: 0 });
  const rule = shape({ conn, burst, key: text() }, { required: ['conn', 'burst', 'key'] });
  return {
    priority: 1003,
    schema: shape(
      {
        conn,
        burst,
        default_conn_delay: number({ exclusiveMinimum: 0 }),
        only_use_default_delay: flag(false),
        key: text(),
        key_type: word(['var', 'var_combination']),
        ...rejection,
        ...(byRules ? { rules: list(rule) } : {}),
        ...sharedPolicy(rules),
      },
      {
        ...(byRules
          ? { oneOf: requiring(['conn', 'burst', 'default_conn_delay', 'key'], ['default_conn_delay', 'rules']) }
          : { required: ['conn', 'burst', 'default_conn_delay', 'key'] }),
        ...redisPolicies(rules, rules.since('3.15.0') ? keyTtl : {}),
      },
    ),
  };
};

function sharedPolicy(rules: Rules): Properties {
  return rules.since('3.10.0') ? { policy: word(['redis', 'redis-cluster', 'local'], 'local') } : {};
}

function redisPolicies(rules: Rules, more: Properties): Schema {
  if (!rules.since('3.10.0')) return {};
  return { ...byPolicy(rules, more), ...(rules.since('3.18.0') ? { encrypt_fields: ['redis_password'] } : {}) };
}

/** The plugins that limit how much comes through. */
export const limitPlugins: Readonly<Record<string, PluginMaker>> = {
  'limit-count': limitCount,
  'limit-req': limitReq,
  'limit-conn': limitConn,
};
