import type { JsonObject } from '../../model/json.js';
import { jsonOf, type AdminClient, type AdminRequest } from '../shared/client.js';

/** The schemas of one gateway, asked for on first use and kept for the job. */
export interface Schemas {
  /** The schema of a kind, by the gateway's word (`route`); undefined where the gateway has none. */
  core(word: string): Promise<JsonObject | undefined>;
  /**
   * A plugin's schema; undefined where the gateway does not know the plugin.
   *
   * @param use `consumer`: the one for consumers and credentials, where it has one; `metadata`: that of its metadata;
   *   `stream`: the one for stream routes
   */
  plugin(name: string, use: PluginUse): Promise<JsonObject | undefined>;
}

/** Where a plugin stands. */
export type PluginUse = 'plugin' | 'consumer' | 'metadata' | 'stream';

/** Builds the schemas of a gateway. Makes no request yet. */
export function createSchemas(client: AdminClient): Schemas {
  const asked = new Map<string, Promise<JsonObject | undefined>>();
  const ask = (path: string): Promise<JsonObject | undefined> => {
    const known = asked.get(path) ?? fetchSchema(client, `/apisix/admin/schema/${path}`);
    asked.set(path, known);
    return known;
  };
  return {
    core: (word) => ask(word),
    plugin: async (name, use) => {
      const path = `plugins/${encodeURIComponent(name)}`;
      switch (use) {
        case 'metadata':
          return ask(`${path}?schema_type=metadata`);
        case 'consumer':
          // Plugins that do not authenticate are the same on a consumer as anywhere.
          return (await ask(`${path}?schema_type=consumer`)) ?? ask(path);
        case 'stream':
          return (await ask(`${path}?subsystem=stream`)) ?? ask(path);
        case 'plugin':
        default:
          return ask(path);
      }
    },
  };
}

/** A gateway answers 400 or 404 for a schema that it does not have, depending on version and kind. */
async function fetchSchema(client: AdminClient, path: string): Promise<JsonObject | undefined> {
  const request: AdminRequest = { method: 'GET', path };
  const response = await client.send(request);
  if (response.status === 400 || response.status === 404) return undefined;
  // A plugin without a schema of the type that was asked for is answered with nothing.
  if (response.status === 200 && response.body.byteLength === 0) return undefined;
  return jsonOf(client, request, response);
}
