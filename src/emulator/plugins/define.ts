import type { PluginDefinition } from '../plugins.js';
import { flag, list, shape, text, whole } from '../schema/build.js';
import type { Schema } from '../schema/schema.js';
import type { Rules } from '../versions.js';

/** Makes the definition of a plugin for a gateway version; `undefined` where that version has none. */
export type PluginMaker = (rules: Rules) => Omit<PluginDefinition, 'version'> & { readonly version?: number };

/** Puts the settings every plugin takes, `_meta`, into the schema of one. */
export function withMeta(rules: Rules, schema: Schema): Schema {
  const meta = shape(
    {
      disable: flag(),
      error_response: { oneOf: [{ type: 'string' }, { type: 'object' }] },
      filter: list(),
      priority: whole(),
      ...(rules.since('3.13.0') ? { pre_function: text() } : {}),
    },
    rules.since('3.13.0') ? { additionalProperties: false } : {},
  );
  return { ...schema, properties: { ...schema.properties, _meta: meta } };
}
