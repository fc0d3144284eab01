import * as z from 'zod';
import type { Kind } from './kinds.js';
import {
  configurationSchema,
  consumerGroupSchema,
  consumerSchema,
  credentialSchema,
  pluginConfigSchema,
  routeSchema,
  serviceSchema,
  sharedUpstreamSchema,
  sslSchema,
  streamRouteSchema,
} from './schema.js';

/**
 * How the values of one place are treated: `secret` masks everything below, `open` masks by the names of fields,
 * `plugins` is a mapping of plugin names to open values, `plain` masks only what looks like a secret wherever it stands.
 */
export interface SecretRule {
  readonly mode: 'secret' | 'open' | 'plugins' | 'plain';
  readonly members?: ReadonlyMap<string, SecretRule>;
  readonly items?: SecretRule;
}

export const plainRule: SecretRule = { mode: 'plain' };
export const openRule: SecretRule = { mode: 'open' };
export const secretRule: SecretRule = { mode: 'secret' };
export const pluginsRule: SecretRule = { mode: 'plugins' };

/** Reads the rule of a schema off its marks. */
function ruleOf(schema: z.core.$ZodType): SecretRule {
  const mark = z.globalRegistry.get(schema)?.['secrets'];
  if (mark === 'secret') return secretRule;
  if (mark === 'open') return openRule;
  if (mark === 'plugins') return pluginsRule;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return ruleOf(schema.def.innerType);
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    return { mode: 'plain', members: new Map(Object.entries(shape).map(([key, member]) => [key, ruleOf(member)])) };
  }
  if (schema instanceof z.ZodArray) return { mode: 'plain', items: ruleOf(schema.element) };
  return plainRule;
}

/** The rule for a whole configuration. */
export const configurationRule: SecretRule = ruleOf(configurationSchema);

/** The rule for the body of each kind. */
export const secretRules: Readonly<Record<Kind, SecretRule>> = {
  service: ruleOf(serviceSchema),
  upstream: ruleOf(sharedUpstreamSchema),
  route: ruleOf(routeSchema),
  stream_route: ruleOf(streamRouteSchema),
  ssl: ruleOf(sslSchema),
  consumer: ruleOf(consumerSchema),
  consumer_credential: ruleOf(credentialSchema),
  consumer_group: ruleOf(consumerGroupSchema),
  plugin_config: ruleOf(pluginConfigSchema),
  global_rule: openRule,
  plugin_metadata: openRule,
};
