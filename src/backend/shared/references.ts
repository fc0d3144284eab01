import type { Json, JsonObject } from '../../model/json.js';
import type { ObjectRef } from '../../model/operation.js';
import { objectRef, type AdminObject } from './collections.js';
import { asList, asObject, asText } from './values.js';

/**
 * The objects a stored object refers to: its fields, and the upstreams that a `traffic-split` plugin names.
 *
 * | object | refers to |
 * |---|---|
 * | route | service, upstream, plugin config |
 * | stream route | service, upstream |
 * | service | upstream |
 * | upstream, inline ones too | ssl (its client certificate) |
 * | consumer | consumer group |
 * | credential | consumer |
 * | anything with plugins | upstreams (`traffic-split`) |
 */
export function referencesOf({ collection, parent, value }: AdminObject): readonly ObjectRef[] {
  const found = new Set<ObjectRef>();
  const refer = (
    to: 'services' | 'upstreams' | 'plugin_configs' | 'consumer_groups' | 'ssls',
    id: Json | undefined,
  ) => {
    const text = asText(id);
    if (text !== undefined) found.add(objectRef(to, text));
  };
  if (collection === 'credentials') found.add(objectRef('consumers', parent ?? ''));
  if (collection === 'plugin_metadata') return [];
  refer('services', value['service_id']);
  refer('upstreams', value['upstream_id']);
  refer('plugin_configs', value['plugin_config_id']);
  refer('consumer_groups', value['group_id']);
  refer(
    'ssls',
    asObject((collection === 'upstreams' ? value : asObject(value['upstream']))?.['tls'])?.['client_cert_id'],
  );
  for (const upstream of splitUpstreams(value)) refer('upstreams', upstream);
  return [...found];
}

/** The upstream ids in an object's `traffic-split` plugin. */
function splitUpstreams(value: JsonObject): readonly Json[] {
  const split = asObject(asObject(value['plugins'])?.['traffic-split']);
  if (split === undefined) return [];
  return (asList(split['rules']) ?? []).flatMap((rule) =>
    (asList(asObject(rule)?.['weighted_upstreams']) ?? []).flatMap((weighted) => {
      const id = asObject(weighted)?.['upstream_id'];
      return id === undefined ? [] : [id];
    }),
  );
}
