import { deriveId, deriveNestedId, deriveSslId } from '../../model/ids.js';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import type { LabelSelector } from '../../model/labels.js';
import { resourceKey, type Resource, type ResourceKey } from '../../model/resource.js';
import type { Finding, Part, Place } from './findings.js';
import { duplicate, kindOf, type Merged } from './merge.js';
import {
  indexNamedUpstreams,
  indexReferences,
  resolveReference,
  type ReferenceIndex,
  type Targets,
} from './references.js';

/** What flattening needs to know. */
export interface FlattenOptions {
  /** Written into every kind that carries labels. */
  readonly labels: LabelSelector;
  /** Tells whether the consumers that stand in consumer groups are wanted. */
  readonly wants: (kind: 'consumer') => boolean;
  /** Whether wrong shapes are reported here; not needed where the schema already did. */
  readonly reportShapes: boolean;
}

/** The flat resources, and what was found on the way. */
export interface Flattened {
  readonly resources: ReadonlyMap<ResourceKey, Resource>;
  readonly findings: readonly Finding[];
}

/** A resource as it stands in the document: its object, its path, its name. */
interface Entry {
  readonly value: JsonObject;
  readonly path: JsonPath;
  readonly name: string;
}

/** Where siblings of one name are counted. */
type Siblings = Map<string, { readonly path: JsonPath; readonly explicit: boolean }>;

/**
 * Lays a document out as flat resources: ids derived, parents and references resolved, labels added. Duplicates and
 * references to nothing are findings.
 */
export function flatten(
  merged: Merged,
  document: JsonObject,
  parts: readonly Part[],
  options: FlattenOptions,
): Flattened {
  const flattener = new Flattener(merged, indexReferences(merged.document), parts, options);
  flattener.addDocument(document);
  return { resources: flattener.resources, findings: flattener.findings };
}

class Flattener {
  readonly resources = new Map<ResourceKey, Resource>();
  readonly findings: Finding[] = [];
  readonly #merged: Merged;
  readonly #index: ReferenceIndex;
  readonly #parts: readonly Part[];
  readonly #options: FlattenOptions;
  readonly #places = new Map<ResourceKey, JsonPath>();
  readonly #usernames: Siblings = new Map();
  readonly #hasLabels: boolean;

  constructor(merged: Merged, index: ReferenceIndex, parts: readonly Part[], options: FlattenOptions) {
    this.#merged = merged;
    this.#index = index;
    this.#parts = parts;
    this.#options = options;
    this.#hasLabels = Object.keys(options.labels).length > 0;
  }

  addDocument(document: JsonObject): void {
    for (const entry of this.#named(document['upstreams'], ['upstreams'], 'name', 'upstream')) {
      this.#add('upstream', this.#idOf(entry, deriveId(entry.name)), entry, {
        ...this.#upstreamBody(entry.value),
        ...this.#labelled(entry),
      });
    }
    for (const entry of this.#named(document['plugin_configs'], ['plugin_configs'], 'name', 'plugin_config')) {
      this.#add('plugin_config', this.#idOf(entry, deriveId(entry.name)), entry, {
        ...without(entry.value, idOnly),
        ...this.#labelled(entry),
      });
    }
    for (const entry of this.#named(document['services'], ['services'], 'name', 'service')) this.#addService(entry);
    this.#addSsls(document['ssls']);
    for (const entry of this.#named(document['consumer_groups'], ['consumer_groups'], 'name', 'consumer_group')) {
      this.#addConsumerGroup(entry);
    }
    const consumers = this.#named(document['consumers'], ['consumers'], 'username', 'consumer', this.#usernames);
    for (const entry of consumers) this.#addConsumer(entry);
    this.#addPlugins(document['global_rules'], 'global_rules', 'global_rule');
    this.#addPlugins(document['plugin_metadata'], 'plugin_metadata', 'plugin_metadata');
  }

  #addService(entry: Entry): void {
    const { value, path, name } = entry;
    const id = this.#idOf(entry, deriveId(name));
    const own = indexNamedUpstreams(value['upstreams'], name);
    const upstreams = [this.#index.upstreams, own];
    const upstream = value['upstream'];
    if (isJsonObject(upstream)) this.#checkLabels(upstream['labels'], [...path, 'upstream', 'labels']);
    else if (upstream !== undefined) {
      this.#shape(`Invalid input: expected a mapping, received ${kindOf(upstream)}`, [...path, 'upstream']);
    }
    const parent = this.#add('service', id, entry, {
      ...without(value, serviceNesting),
      ...(isJsonObject(upstream) ? { upstream: this.#upstreamBody(upstream) } : {}),
      ...this.#reference(entry, 'upstream_id', upstreams, 'upstreams'),
      ...this.#labelled(entry),
    });
    for (const child of this.#named(value['upstreams'], [...path, 'upstreams'], 'name', 'upstream')) {
      const body = { ...this.#upstreamBody(child.value), ...this.#labelled(child) };
      this.#add('upstream', this.#idOf(child, deriveNestedId(name, child.name)), child, body, parent);
    }
    for (const child of this.#named(value['routes'], [...path, 'routes'], 'name', 'route')) {
      const body = {
        ...without(child.value, idOnly),
        ...this.#reference(child, 'upstream_id', upstreams, 'upstreams'),
        ...this.#reference(child, 'plugin_config_id', [this.#index.pluginConfigs], 'plugin_configs'),
        ...this.#labelled(child),
      };
      this.#add('route', this.#idOf(child, deriveNestedId(name, child.name)), child, body, parent);
    }
    for (const child of this.#named(value['stream_routes'], [...path, 'stream_routes'], 'name', 'stream_route')) {
      const body = {
        ...without(child.value, idOnly),
        ...this.#reference(child, 'upstream_id', upstreams, 'upstreams'),
        ...this.#labelled(child),
      };
      this.#add('stream_route', this.#idOf(child, deriveNestedId(name, child.name)), child, body, parent);
    }
  }

  #addSsls(value: Json | undefined): void {
    const siblings: Siblings = new Map();
    for (const { value: ssl, path } of this.#objects(value, ['ssls'])) {
      const snis = ssl['snis'];
      if (!Array.isArray(snis) || !snis.every((sni) => typeof sni === 'string')) {
        this.#shape('Invalid input: expected "snis" to be a list of strings', path);
        continue;
      }
      const entry: Entry = { value: ssl, path, name: snis.join(',') };
      this.#countSibling(siblings, entry, 'ssl');
      this.#add('ssl', this.#idOf(entry, deriveSslId(snis)), entry, {
        ...without(ssl, idOnly),
        ...this.#labelled(entry),
      });
    }
  }

  #addConsumerGroup(entry: Entry): void {
    const id = this.#idOf(entry, deriveId(entry.name));
    this.#add('consumer_group', id, entry, { ...without(entry.value, groupNesting), ...this.#labelled(entry) });
    const path = [...entry.path, 'consumers'];
    const consumers = this.#named(entry.value['consumers'], path, 'username', 'consumer', this.#usernames);
    for (const consumer of consumers) {
      if (this.#options.wants('consumer')) this.#addConsumer(consumer, id);
    }
  }

  #addConsumer(entry: Entry, groupId?: string): void {
    const { value, path, name } = entry;
    const own = this.#reference(entry, 'group_id', [this.#index.consumerGroups], 'consumer_groups');
    if (groupId !== undefined && own['group_id'] !== undefined && own['group_id'] !== groupId) {
      this.#find('"group_id" names another consumer group than the one this consumer stands in', [...path, 'group_id']);
    }
    const parent = this.#add('consumer', name, entry, {
      ...without(value, consumerNesting),
      ...own,
      ...(groupId === undefined ? {} : { group_id: groupId }),
      ...this.#labelled(entry),
    });
    const credentials = this.#named(value['credentials'], [...path, 'credentials'], 'name', 'consumer_credential');
    for (const child of credentials) {
      const body = { ...without(child.value, idOnly), ...this.#labelled(child) };
      this.#add('consumer_credential', this.#idOf(child, deriveNestedId(name, child.name)), child, body, parent);
    }
  }

  #addPlugins(value: Json | undefined, key: string, kind: Kind): void {
    if (!isJsonObject(value)) return;
    for (const [plugin, body] of Object.entries(value)) {
      const path = [key, plugin];
      if (isJsonObject(body)) this.#add(kind, plugin, { value: body, path, name: plugin }, body);
      else this.#shape(`Invalid input: expected a mapping, received ${kindOf(body)}`, path);
    }
  }

  #add(kind: Kind, id: string, entry: Entry, body: JsonObject, parent?: ResourceKey): ResourceKey {
    const key = resourceKey(kind, id, parent === undefined ? undefined : parent.slice(parent.indexOf('/') + 1));
    const existing = this.resources.get(key);
    if (existing !== undefined) {
      // Equal names were reported where they were counted.
      if (existing.name !== entry.name || existing.parent !== parent) {
        this.#find(
          `Duplicate id "${id}": ${kind} "${entry.name}" has the id of ${kind} "${existing.name}"`,
          [...entry.path, ...('id' in entry.value ? ['id'] : [])],
          this.#places.get(key),
        );
      } else if (entry.value['id'] !== undefined) {
        this.#duplicate(kind, entry, this.#places.get(key) ?? []);
      }
      return key;
    }
    // As the last part of a URL they would mean what is above it, the consumer of a credential for one.
    if (id === '.' || id === '..') {
      this.#find(`Invalid id: "${id}" cannot be part of a URL`, [
        ...entry.path,
        ...('id' in entry.value ? ['id'] : []),
      ]);
    }
    this.#places.set(key, entry.path);
    const { part, path } = this.#merged.placeOf(entry.path);
    const file = this.#parts[part]?.file;
    this.resources.set(key, {
      kind,
      key,
      id,
      name: entry.name,
      body,
      ...(parent === undefined ? {} : { parent }),
      ...(file === undefined ? {} : { source: { file, path } }),
    });
    return key;
  }

  #idOf(entry: Entry, derived: string): string {
    const id = entry.value['id'];
    if (id === undefined) return derived;
    if (typeof id === 'string' && id !== '') return id;
    this.#shape(`Invalid input: expected string, received ${kindOf(id)}`, [...entry.path, 'id']);
    return derived;
  }

  /** The body of an upstream: without id, and with the one name that request headers of checks have inside. */
  #upstreamBody(upstream: JsonObject): JsonObject {
    const body = without(upstream, idOnly);
    const checks = upstream['checks'];
    const active = isJsonObject(checks) ? checks['active'] : undefined;
    if (!isJsonObject(checks) || !isJsonObject(active) || active['http_request_headers'] === undefined) return body;
    const { http_request_headers: headers, ...rest } = active;
    return { ...body, checks: { ...checks, active: { req_headers: headers, ...rest } } };
  }

  /** The labels of a resource with those of the job over them; nothing where there are none to add. */
  #labelled({ value }: Entry): { labels?: JsonObject } {
    const own = value['labels'];
    if (!this.#hasLabels || (own !== undefined && !isJsonObject(own))) return {};
    return { labels: { ...own, ...this.#options.labels } };
  }

  #reference(
    entry: Entry,
    field: string,
    targets: readonly Targets[],
    collection: string,
  ): { [field: string]: string } {
    const value = entry.value[field];
    if (value === undefined) return {};
    const path = [...entry.path, field];
    if (typeof value !== 'string') {
      this.#shape(`Invalid input: expected string, received ${kindOf(value)}`, path);
      return {};
    }
    const id = resolveReference(value, targets);
    if (id === undefined) {
      this.#find(`"${value}" is neither the name of an entry of "${collection}" nor an id`, path);
      return {};
    }
    return { [field]: id };
  }

  /** The objects of a list, those that are none reported. */
  *#objects(value: Json | undefined, path: JsonPath): Generator<{ value: JsonObject; path: JsonPath }> {
    if (value === undefined) return;
    if (!Array.isArray(value)) {
      this.#shape(`Invalid input: expected a list, received ${kindOf(value)}`, path);
      return;
    }
    for (const [index, item] of (value as readonly Json[]).entries()) {
      if (isJsonObject(item)) {
        this.#checkLabels(item['labels'], [...path, index, 'labels']);
        yield { value: item, path: [...path, index] };
      } else this.#shape(`Invalid input: expected a mapping, received ${kindOf(item)}`, [...path, index]);
    }
  }

  /** The objects of a list that have a name, each name counted among its siblings. */
  *#named(
    value: Json | undefined,
    path: JsonPath,
    field: 'name' | 'username',
    kind: Kind,
    siblings: Siblings = new Map(),
  ): Generator<Entry> {
    for (const { value: object, path: at } of this.#objects(value, path)) {
      const name = object[field];
      if (typeof name !== 'string' || (name === '' && kind !== 'upstream')) {
        this.#shape(`Invalid input: expected "${field}" to be a string that is not empty`, at);
        continue;
      }
      const entry: Entry = { value: object, path: at, name };
      this.#countSibling(siblings, entry, kind);
      yield entry;
    }
  }

  /** Two siblings may share a name only where each says its id: they are then two objects, and neither is lost. */
  #countSibling(siblings: Siblings, entry: Entry, kind: Kind): void {
    const explicit = kind !== 'consumer' && typeof entry.value['id'] === 'string';
    const first = siblings.get(entry.name);
    if (first === undefined) siblings.set(entry.name, { path: entry.path, explicit });
    else if (!explicit || !first.explicit) this.#duplicate(kind, entry, first.path);
  }

  #duplicate(kind: Kind, entry: Entry, first: JsonPath): void {
    const place = this.#merged.placeOf(entry.path);
    this.findings.push({
      message: duplicate(kind, entry.name, this.#parts[place.part]?.file),
      place,
      first: this.#merged.placeOf(first),
    });
  }

  #checkLabels(labels: Json | undefined, path: JsonPath): void {
    if (labels === undefined) return;
    if (!isJsonObject(labels)) {
      this.#shape(`Invalid input: expected a mapping, received ${kindOf(labels)}`, path);
      return;
    }
    for (const [key, value] of Object.entries(labels)) {
      if (Array.isArray(value) && /\s/.test(JSON.stringify(value))) {
        this.#find(
          'A list of label values is stored as its JSON text, and a label value on a gateway must match ^\\S+$: ' +
            'no entry may hold white space',
          [...path, key],
        );
      }
    }
  }

  #find(message: string, path: JsonPath, first?: JsonPath): void {
    const place: Place = this.#merged.placeOf(path);
    this.findings.push({ message, place, ...(first === undefined ? {} : { first: this.#merged.placeOf(first) }) });
  }

  #shape(message: string, path: JsonPath): void {
    if (this.#options.reportShapes) this.#find(message, path);
  }
}

const idOnly: ReadonlySet<string> = new Set(['id']);
const serviceNesting: ReadonlySet<string> = new Set(['id', 'upstream', 'upstreams', 'routes', 'stream_routes']);
const groupNesting: ReadonlySet<string> = new Set(['id', 'consumers']);
const consumerNesting: ReadonlySet<string> = new Set(['credentials']);

/** A shallow copy without some keys. */
function without(object: JsonObject, keys: ReadonlySet<string>): JsonObject {
  const rest: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!keys.has(key) && value !== undefined) rest[key] = value;
  }
  return rest;
}
