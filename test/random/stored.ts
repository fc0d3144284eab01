import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { parentIdOf, type Resource } from '../../src/model/resource.js';

/** The objects of one gateway or instance, by `routes/<id>` and `consumers/<username>/credentials/<id>`. */
export type RawObjects = ReadonlyMap<string, JsonObject>;

const collectionOf: Readonly<Record<string, string>> = {
  service: 'services',
  upstream: 'upstreams',
  route: 'routes',
  stream_route: 'stream_routes',
  ssl: 'ssls',
  consumer: 'consumers',
  consumer_group: 'consumer_groups',
  plugin_config: 'plugin_configs',
  plugin_metadata: 'plugin_metadata',
};

/** Where a resource is stored. */
export function pathOf(resource: Resource): string {
  if (resource.kind === 'consumer_credential')
    return `consumers/${parentIdOf(resource) ?? ''}/credentials/${resource.id}`;
  return `${collectionOf[resource.kind] ?? resource.kind}/${resource.id}`;
}

/** The paths of what objects refer to, and of what those refer to in turn. Told without the tool's own mapping. */
export function usedBy(raw: RawObjects, paths: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...paths];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const value = raw.get(path);
    if (value === undefined) continue;
    for (const target of targetsIn(value)) {
      if (found.has(target)) continue;
      found.add(target);
      open.push(target);
    }
  }
  return found;
}

const fields: Readonly<Record<string, string>> = {
  service_id: 'services',
  upstream_id: 'upstreams',
  plugin_config_id: 'plugin_configs',
  group_id: 'consumer_groups',
  client_cert_id: 'ssls',
};

/** Wherever such a field stands in an object, it means that. */
function targetsIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(targetsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([field, item]) =>
    fields[field] !== undefined && (typeof item === 'string' || typeof item === 'number')
      ? [`${fields[field]}/${item}`]
      : targetsIn(item),
  );
}
