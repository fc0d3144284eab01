import type { Json } from './json.js';
import { isObject } from './json.js';
import type { Schema } from './schema/schema.js';

/** One plugin of a gateway, as `GET /plugins?all=true` shows it. */
export interface PluginDefinition {
  readonly schema: Schema;
  readonly consumer_schema?: Schema;
  readonly metadata_schema?: Schema;
  readonly priority?: number;
  readonly version?: number;
  /** `auth` marks the plugins that recognise consumers. */
  readonly type?: string;
}

/** Plugins by name. */
export type PluginDefinitions = Readonly<Record<string, PluginDefinition>>;

/**
 * Reads plugin schemas as a gateway's `GET /apisix/admin/plugins?all=true` returns them.
 *
 * @throws RangeError naming the first plugin whose entry has no `schema`.
 */
export function readDefinitions(given: object): PluginDefinitions {
  return Object.fromEntries(
    Object.entries(given as Record<string, Json>).map(([name, definition]): [string, PluginDefinition] => {
      if (!isObject(definition) || !isObject(definition['schema'])) {
        throw new RangeError(
          `plugin schemas: '${name}' has no schema (the answer of GET /apisix/admin/plugins?all=true is expected)`,
        );
      }
      return [name, definition as unknown as PluginDefinition];
    }),
  );
}
