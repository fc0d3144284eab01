import { isJsonObject, type Json, type JsonObject } from './json.js';
import type { Kind } from './kinds.js';
import { resourceKey, type ResourceKey } from './resource.js';

/** What something refers to. */
export interface Reference {
  readonly kind: Kind;
  readonly id: string;
}

/**
 * What an object refers to by its fields: those of a resource's body and those of the Admin API are the same here, but for
 * `service_id`, which a body does not have. References by name have to be resolved before.
 *
 * | what | refers to |
 * |---|---|
 * | route | service, upstream, plugin config |
 * | stream route | service, upstream |
 * | service | upstream |
 * | upstream, those inside others too | ssl (its client certificate) |
 * | consumer | consumer group |
 * | anything with plugins | upstreams (`traffic-split`) |
 */
export function referencesIn(kind: Kind, value: JsonObject): readonly Reference[] {
  // Their bodies are the plugin's own.
  if (kind === 'plugin_metadata') return [];
  const found: Reference[] = [];
  const refer = (to: Kind, id: Json | undefined): void => {
    const text = id === undefined ? undefined : textOf(id);
    if (text !== undefined) found.push({ kind: to, id: text });
  };
  refer('service', value['service_id']);
  refer('upstream', value['upstream_id']);
  refer('plugin_config', value['plugin_config_id']);
  refer('consumer_group', value['group_id']);
  const upstream = kind === 'upstream' ? value : objectOf(value['upstream']);
  refer('ssl', objectOf(upstream?.['tls'])?.['client_cert_id']);
  const split = objectOf(value['plugins'])?.['traffic-split'];
  if (split !== undefined) for (const id of splitUpstreams(split)) refer('upstream', id);
  return found;
}

/** The key of what is referred to. Credentials are never referred to. */
export function referenceKey({ kind, id }: Reference): ResourceKey {
  return resourceKey(kind, id);
}

/** The upstream ids in the configuration of a `traffic-split` plugin. */
function splitUpstreams(split: Json): readonly (Json | undefined)[] {
  const rules = listOf(objectOf(split)?.['rules']);
  return rules.flatMap((rule) =>
    listOf(objectOf(rule)?.['weighted_upstreams']).map((weighted) => objectOf(weighted)?.['upstream_id']),
  );
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** Ids may be stored as integers. */
function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}
