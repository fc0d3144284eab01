import type { Collection } from '../store.js';

/** How one collection of the Admin API behaves. */
export interface AdminKind {
  readonly collection: Collection;
  /** The word that refusals use: `wrong route id`. */
  readonly word: string;
  /** The name of its schema: `/schema/{schema}`. */
  readonly schema: string;
  /** Methods it does not take. */
  readonly unsupported: readonly string[];
  /** How a refusal names an object of this collection that uses another one. */
  readonly userWord: string;
}

/** Every collection, by its name in the path. */
export const adminKinds: Readonly<Record<Collection, AdminKind>> = {
  routes: kind('routes', 'route', 'route', []),
  services: kind('services', 'service', 'service', []),
  upstreams: kind('upstreams', 'upstream', 'upstream', []),
  ssls: kind('ssls', 'ssl', 'ssl', []),
  consumers: kind('consumers', 'consumer', 'consumer', ['POST', 'PATCH']),
  credentials: kind('credentials', 'credential', 'credential', ['POST', 'PATCH']),
  consumer_groups: kind('consumer_groups', 'consumer group', 'consumer_group', ['POST']),
  plugin_configs: kind('plugin_configs', 'plugin config', 'plugin_config', ['POST']),
  global_rules: kind('global_rules', 'global rule', 'global_rule', ['POST']),
  plugin_metadata: kind('plugin_metadata', 'plugin_metadata', 'plugin_metadata', ['POST', 'PATCH']),
  stream_routes: kind('stream_routes', 'stream route', 'stream_route', ['PATCH']),
  protos: kind('protos', 'proto', 'proto', ['PATCH']),
  secrets: kind('secrets', 'secret', 'secret', ['POST']),
};

function kind(collection: Collection, word: string, schema: string, unsupported: readonly string[]): AdminKind {
  return { collection, word, schema, unsupported, userWord: schema };
}
