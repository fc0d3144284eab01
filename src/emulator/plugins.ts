import type { Json } from './json.js';
import { isObject } from './json.js';
import type { Schema } from './schema/schema.js';
import { soundSchema } from './schema/sound.js';

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
    Object.entries(given as Record<string, Json>).map(([name, definition]) => [name, readDefinition(name, definition)]),
  );
}

function readDefinition(name: string, given: Json): PluginDefinition {
  if (!isObject(given) || !isObject(given['schema'])) {
    throw new RangeError(
      `plugin schemas: '${name}' has no schema (the answer of GET /apisix/admin/plugins?all=true is expected)`,
    );
  }
  const { consumer_schema: consumer, metadata_schema: metadata, priority, version, type } = given;
  return {
    schema: soundSchema(given['schema']),
    ...(isObject(consumer) ? { consumer_schema: soundSchema(consumer) } : {}),
    ...(isObject(metadata) ? { metadata_schema: soundSchema(metadata) } : {}),
    ...(typeof priority === 'number' ? { priority } : {}),
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof type === 'string' ? { type } : {}),
  };
}
