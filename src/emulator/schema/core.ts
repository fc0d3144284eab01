import type { Collection } from '../store.js';
import type { Rules } from '../versions.js';
import type { Schema } from './schema.js';

const id: Schema = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
    { type: 'integer', minimum: 1 },
  ],
};

/** The schemas of the core objects, as a gateway of some version checks them. */
export function coreSchemas(rules: Rules): Readonly<Record<Exclude<Collection, 'plugin_metadata'>, Schema>> {
  const username: Schema = {
    type: 'string',
    minLength: 1,
    pattern: rules.hasCredentials ? '^[a-zA-Z0-9_\\-]+$' : '^[a-zA-Z0-9_]+$',
  };
  const plain: Schema = { type: 'object', properties: { id, plugins: { type: 'object' } } };
  return {
    routes: plain,
    services: plain,
    upstreams: plain,
    ssls: plain,
    consumers: { type: 'object', properties: { username, plugins: { type: 'object' } }, required: ['username'] },
    credentials: { type: 'object', properties: { plugins: { type: 'object', maxProperties: 1 } } },
    consumer_groups: plain,
    plugin_configs: plain,
    global_rules: plain,
    stream_routes: plain,
    protos: plain,
    secrets: { type: 'object' },
  };
}
