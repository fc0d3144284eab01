import type { Kind } from '../../model/kinds.js';

/** A top-level key of a configuration: the kind it holds, and whether it is a list or a mapping by plugin name. */
export interface Collection {
  readonly key: string;
  readonly kind: Kind;
  readonly shape: 'list' | 'mapping';
}

/** Every top-level key, in the order in which a state lists what they hold. */
export const collections: readonly Collection[] = [
  { key: 'upstreams', kind: 'upstream', shape: 'list' },
  { key: 'plugin_configs', kind: 'plugin_config', shape: 'list' },
  { key: 'services', kind: 'service', shape: 'list' },
  { key: 'ssls', kind: 'ssl', shape: 'list' },
  { key: 'consumer_groups', kind: 'consumer_group', shape: 'list' },
  { key: 'consumers', kind: 'consumer', shape: 'list' },
  { key: 'global_rules', kind: 'global_rule', shape: 'mapping' },
  { key: 'plugin_metadata', kind: 'plugin_metadata', shape: 'mapping' },
];

/** Collections that exist on a gateway and not at the top of a file: where they belong instead. */
export const misplaced: ReadonlyMap<string, string> = new Map([
  ['routes', 'routes belong inside a service, under "routes"'],
  ['stream_routes', 'stream routes belong inside a service, under "stream_routes"'],
  ['consumer_credentials', 'credentials belong inside a consumer, under "credentials"'],
  ['credentials', 'credentials belong inside a consumer, under "credentials"'],
]);

/** Tells whether the include and exclude words leave a top-level collection in. An empty list is no list. */
export function isIncluded(
  kind: Kind,
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): boolean {
  if (include !== undefined && include.length > 0 && !include.includes(kind)) return false;
  return exclude === undefined || !exclude.includes(kind);
}
