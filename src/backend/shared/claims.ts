import { hash } from 'node:crypto';
import type { Json, JsonObject } from '../../model/json.js';
import type { AdminObject } from './collections.js';
import { asObject, asText } from './values.js';

/** By authentication plugin, the field that tells consumers apart, and that gateways from 3.18 let stand only once. */
const identifyingFields: Readonly<Record<string, string>> = {
  'key-auth': 'key',
  'basic-auth': 'username',
  'jwt-auth': 'key',
  'hmac-auth': 'key_id',
  'jwe-decrypt': 'key',
  'ldap-auth': 'user_dn',
  'wolf-rbac': 'appid',
};

/** What a consumer or credential authenticates with: `key-auth/key/<hash>`. The values themselves are secrets. */
export function credentialClaims({ collection, value }: AdminObject): readonly string[] {
  if (collection !== 'consumers' && collection !== 'credentials') return [];
  return claimsOfPlugins(asObject(value['plugins']) ?? {});
}

/** As {@link credentialClaims}, of a mapping of plugins. */
export function claimsOfPlugins(plugins: JsonObject): readonly string[] {
  return Object.entries(plugins).flatMap(([plugin, config]: [string, Json]) => {
    const field = identifyingFields[plugin];
    const identity = field === undefined ? undefined : asText(asObject(config)?.[field]);
    return identity === undefined ? [] : [`${plugin}/${field}/${hash('sha256', identity).slice(0, 32)}`];
  });
}

/** The plugins of a global rule, of which each may stand in one rule only: `global_rule/<plugin>`. */
export function globalPluginClaims({ collection, value }: AdminObject): readonly string[] {
  if (collection !== 'global_rules') return [];
  return Object.keys(asObject(value['plugins']) ?? {}).map((plugin) => `global_rule/${plugin}`);
}
