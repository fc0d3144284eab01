import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { deriveId, deriveNestedId } from '../../model/ids.js';
import { idPattern } from '../../model/schema/scalars.js';

/** What a reference may name: the ids of a collection, and the ids by name. */
export interface Targets {
  readonly ids: ReadonlySet<string>;
  readonly byName: ReadonlyMap<string, string>;
}

/** The collections that are referred to. */
export interface ReferenceIndex {
  readonly upstreams: Targets;
  readonly pluginConfigs: Targets;
  readonly consumerGroups: Targets;
}

/** Ids and names of a list of resources. Tolerates anything: what is wrong is reported elsewhere. */
function indexList(list: Json | undefined, idOf: (name: string) => string): Targets {
  const ids = new Set<string>();
  const byName = new Map<string, string>();
  if (Array.isArray(list)) {
    for (const entry of list as readonly Json[]) {
      if (!isJsonObject(entry) || typeof entry['name'] !== 'string') continue;
      const name = entry['name'];
      const id = typeof entry['id'] === 'string' && entry['id'] !== '' ? entry['id'] : idOf(name);
      ids.add(id);
      if (!byName.has(name)) byName.set(name, id);
    }
  }
  return { ids, byName };
}

/** Indexes what a document's references may name; also what `--exclude-resource-type` leaves out may be named. */
export function indexReferences(document: JsonObject): ReferenceIndex {
  return {
    upstreams: indexList(document['upstreams'], deriveId),
    pluginConfigs: indexList(document['plugin_configs'], deriveId),
    consumerGroups: indexList(document['consumer_groups'], deriveId),
  };
}

/** Indexes the named upstreams of one service. */
export function indexNamedUpstreams(upstreams: Json | undefined, serviceName: string): Targets {
  return indexList(upstreams, (name) => deriveNestedId(serviceName, name));
}

/**
 * Gives the id that a reference means. An id wins over a name; earlier targets win over later ones. What names neither
 * may be an object that only the gateway has, if it can be an id at all: undefined where it cannot.
 */
export function resolveReference(value: string, targets: readonly Targets[]): string | undefined {
  if (targets.some(({ ids }) => ids.has(value))) return value;
  for (const { byName } of targets) {
    const id = byName.get(value);
    if (id !== undefined) return id;
  }
  return idPattern.test(value) && value.length <= 256 ? value : undefined;
}
