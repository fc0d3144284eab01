import { deriveId, deriveNestedId, deriveSslId } from '../../model/ids.js';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import type { LabelSelector } from '../../model/labels.js';
import { parentIdOf, resourceKey, type Resource, type ResourceKey } from '../../model/resource.js';
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

/** The first of the siblings of each name. */
type Siblings = Map<string, Entry>;

/** A body in the making. */
type Body = Record<string, Json>;

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
  /** Where the resources stand, in their order. */
  readonly #paths: JsonPath[] = [];
  #places: ReadonlyMap<ResourceKey, JsonPath> | undefined;
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
    this.#named(document['upstreams'], ['upstreams'], 'name', 'upstream', (entry) => {
      this.#add('upstream', this.#idOf(entry, deriveId(entry.name)), entry, this.#upstreamBody(entry.value));
    });
    this.#named(document['plugin_configs'], ['plugin_configs'], 'name', 'plugin_config', (entry) => {
      this.#add('plugin_config', this.#idOf(entry, deriveId(entry.name)), entry, without(entry.value, idOnly));
    });
    this.#named(document['services'], ['services'], 'name', 'service', (entry) => this.#addService(entry));
    this.#addSsls(document['ssls']);
    this.#named(document['consumer_groups'], ['consumer_groups'], 'name', 'consumer_group', (entry) => {
      this.#addConsumerGroup(entry);
    });
    const addConsumer = (entry: Entry) => this.#addConsumer(entry);
    this.#named(document['consumers'], ['consumers'], 'username', 'consumer', addConsumer, this.#usernames);
    this.#addPlugins(document['global_rules'], 'global_rules', 'global_rule');
    this.#addPlugins(document['plugin_metadata'], 'plugin_metadata', 'plugin_metadata');
  }

  #addService(entry: Entry): void {
    const { value, path, name } = entry;
    const id = this.#idOf(entry, deriveId(name));
    const upstreams = [this.#index.upstreams];
    if (value['upstreams'] !== undefined) upstreams.push(indexNamedUpstreams(value['upstreams'], name));
    const pluginConfigs = [this.#index.pluginConfigs];
    const service = without(value, serviceNesting);
    const upstream = value['upstream'];
    if (isJsonObject(upstream)) {
      this.#checkLabels(upstream['labels'], () => [...path, 'upstream', 'labels']);
      service['upstream'] = this.#upstreamBody(upstream);
    } else if (upstream !== undefined) {
      this.#shape(`Invalid input: expected a mapping, received ${kindOf(upstream)}`, [...path, 'upstream']);
    }
    this.#refer(service, entry, 'upstream_id', upstreams, 'upstreams');
    const parent = this.#add('service', id, entry, service);
    const idOf = (child: Entry) => this.#idOf(child, deriveNestedId(name, child.name));
    this.#named(value['upstreams'], [...path, 'upstreams'], 'name', 'upstream', (child) => {
      this.#add('upstream', idOf(child), child, this.#upstreamBody(child.value), parent);
    });
    this.#named(value['routes'], [...path, 'routes'], 'name', 'route', (child) => {
      const body = without(child.value, idOnly);
      this.#refer(body, child, 'upstream_id', upstreams, 'upstreams');
      this.#refer(body, child, 'plugin_config_id', pluginConfigs, 'plugin_configs');
      this.#add('route', idOf(child), child, body, parent);
    });
    this.#named(value['stream_routes'], [...path, 'stream_routes'], 'name', 'stream_route', (child) => {
      const body = without(child.value, idOnly);
      this.#refer(body, child, 'upstream_id', upstreams, 'upstreams');
      this.#add('stream_route', idOf(child), child, body, parent);
    });
  }

  #addSsls(value: Json | undefined): void {
    const siblings: Siblings = new Map();
    this.#objects(value, ['ssls'], (ssl, path) => {
      const snis = ssl['snis'];
      if (!Array.isArray(snis) || !snis.every((sni) => typeof sni === 'string')) {
        this.#shape('Invalid input: expected "snis" to be a list of strings', path);
        return;
      }
      const entry: Entry = { value: ssl, path, name: snis.join(',') };
      this.#countSibling(siblings, entry, 'ssl');
      this.#add('ssl', this.#idOf(entry, deriveSslId(snis)), entry, without(ssl, idOnly));
    });
  }

  #addConsumerGroup(entry: Entry): void {
    const id = this.#idOf(entry, deriveId(entry.name));
    this.#add('consumer_group', id, entry, without(entry.value, groupNesting));
    const path = [...entry.path, 'consumers'];
    const addConsumer = (consumer: Entry) => {
      if (this.#options.wants('consumer')) this.#addConsumer(consumer, id);
    };
    this.#named(entry.value['consumers'], path, 'username', 'consumer', addConsumer, this.#usernames);
  }

  #addConsumer(entry: Entry, groupId?: string): void {
    const { value, path, name } = entry;
    const body = without(value, consumerNesting);
    const own = this.#refer(body, entry, 'group_id', [this.#index.consumerGroups], 'consumer_groups');
    if (groupId !== undefined) {
      if (own !== undefined && own !== groupId) {
        const message = '"group_id" names another consumer group than the one this consumer stands in';
        this.#find(message, [...path, 'group_id']);
      }
      body['group_id'] = groupId;
    }
    const parent = this.#add('consumer', name, entry, body);
    this.#named(value['credentials'], [...path, 'credentials'], 'name', 'consumer_credential', (child) => {
      const id = this.#idOf(child, deriveNestedId(name, child.name));
      this.#add('consumer_credential', id, child, without(child.value, idOnly), parent);
    });
  }

  #addPlugins(value: Json | undefined, key: string, kind: Kind): void {
    if (!isJsonObject(value)) return;
    for (const [plugin, body] of Object.entries(value)) {
      const path = [key, plugin];
      if (isJsonObject(body)) this.#put(kind, plugin, { value: body, path, name: plugin }, body);
      else this.#shape(`Invalid input: expected a mapping, received ${kindOf(body)}`, path);
    }
  }

  /** Adds a resource that has labels. */
  #add(kind: Kind, id: string, entry: Entry, body: Body, parent?: ResourceKey): ResourceKey {
    const own = entry.value['labels'];
    if (this.#hasLabels && (own === undefined || isJsonObject(own))) {
      body['labels'] = { ...own, ...this.#options.labels };
    }
    return this.#put(kind, id, entry, body, parent);
  }

  #put(kind: Kind, id: string, entry: Entry, body: JsonObject, parent?: ResourceKey): ResourceKey {
    const isCredential = kind === 'consumer_credential' && parent !== undefined;
    const key = resourceKey(kind, id, isCredential ? parentIdOf({ parent }) : undefined);
    const existing = this.resources.get(key);
    if (existing !== undefined) {
      // Equal names were reported where they were counted.
      if (existing.name !== entry.name || existing.parent !== parent) {
        this.#find(
          `Duplicate id "${id}": ${kind} "${entry.name}" has the id of ${kind} "${existing.name}"`,
          [...entry.path, ...('id' in entry.value ? ['id'] : [])],
          this.#pathOf(key),
        );
      } else if (entry.value['id'] !== undefined) {
        this.#duplicate(kind, entry, this.#pathOf(key));
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
    this.#paths.push(entry.path);
    this.resources.set(key, this.#resource(kind, key, id, entry, body, parent));
    return key;
  }

  #resource(kind: Kind, key: ResourceKey, id: string, entry: Entry, body: JsonObject, parent?: ResourceKey): Resource {
    const { name } = entry;
    const { part, path } = this.#merged.placeOf(entry.path);
    const file = this.#parts[part]?.file;
    if (file === undefined) {
      return parent === undefined ? { kind, key, id, name, body } : { kind, key, id, name, body, parent };
    }
    const source = { file, path };
    return parent === undefined ? { kind, key, id, name, body, source } : { kind, key, id, name, body, parent, source };
  }

  /** Where a resource stands. What nobody asks for unless something is there twice is looked up then. */
  #pathOf(key: ResourceKey): JsonPath {
    if (this.#places?.size !== this.#paths.length) {
      this.#places = new Map([...this.resources.keys()].map((known, index) => [known, this.#paths[index] ?? []]));
    }
    return this.#places.get(key) ?? [];
  }

  #idOf(entry: Entry, derived: string): string {
    const id = entry.value['id'];
    if (id === undefined) return derived;
    if (typeof id === 'string' && id !== '') return id;
    this.#shape(`Invalid input: expected string, received ${kindOf(id)}`, [...entry.path, 'id']);
    return derived;
  }

  /** The body of an upstream: without id, and with the one name that request headers of checks have inside. */
  #upstreamBody(upstream: JsonObject): Body {
    const body = without(upstream, idOnly);
    const checks = upstream['checks'];
    const active = isJsonObject(checks) ? checks['active'] : undefined;
    if (!isJsonObject(checks) || !isJsonObject(active) || active['http_request_headers'] === undefined) return body;
    const { http_request_headers: headers, ...rest } = active;
    body['checks'] = { ...checks, active: { req_headers: headers, ...rest } };
    return body;
  }

  /**
   * Writes the id that a reference means into a body.
   *
   * @returns the id, where there is one
   */
  #refer(body: Body, entry: Entry, field: string, targets: readonly Targets[], collection: string): string | undefined {
    const value = entry.value[field];
    if (value === undefined) return undefined;
    if (typeof value !== 'string') {
      this.#shape(`Invalid input: expected string, received ${kindOf(value)}`, [...entry.path, field]);
      return undefined;
    }
    const id = resolveReference(value, targets);
    if (id === undefined) {
      const message = `"${value}" is neither the name of an entry of "${collection}" nor an id`;
      this.#find(message, [...entry.path, field]);
    } else body[field] = id;
    return id;
  }

  /** Visits the objects of a list; what is none is reported. */
  #objects(value: Json | undefined, path: JsonPath, visit: (object: JsonObject, path: JsonPath) => void): void {
    if (value === undefined) return;
    if (!Array.isArray(value)) {
      this.#shape(`Invalid input: expected a list, received ${kindOf(value)}`, path);
      return;
    }
    for (const [index, item] of (value as readonly Json[]).entries()) {
      const at = path.concat(index);
      if (isJsonObject(item)) {
        this.#checkLabels(item['labels'], () => [...at, 'labels']);
        visit(item, at);
      } else this.#shape(`Invalid input: expected a mapping, received ${kindOf(item)}`, at);
    }
  }

  /** Visits the objects of a list that have a name, each name counted among its siblings. */
  #named(
    value: Json | undefined,
    path: JsonPath,
    field: 'name' | 'username',
    kind: Kind,
    visit: (entry: Entry) => void,
    siblings: Siblings = new Map(),
  ): void {
    this.#objects(value, path, (object, at) => {
      const name = object[field];
      if (typeof name !== 'string' || (name === '' && kind !== 'upstream')) {
        this.#shape(`Invalid input: expected "${field}" to be a string that is not empty`, at);
        return;
      }
      const entry: Entry = { value: object, path: at, name };
      this.#countSibling(siblings, entry, kind);
      visit(entry);
    });
  }

  /** Two siblings may share a name only where each says its id: they are then two objects, and neither is lost. */
  #countSibling(siblings: Siblings, entry: Entry, kind: Kind): void {
    const first = siblings.get(entry.name);
    if (first === undefined) siblings.set(entry.name, entry);
    else if (kind === 'consumer' || !hasId(entry) || !hasId(first)) this.#duplicate(kind, entry, first.path);
  }

  #duplicate(kind: Kind, entry: Entry, first: JsonPath): void {
    const place = this.#merged.placeOf(entry.path);
    this.findings.push({
      message: duplicate(kind, entry.name, this.#parts[place.part]?.file),
      place,
      first: this.#merged.placeOf(first),
    });
  }

  #checkLabels(labels: Json | undefined, pathOf: () => JsonPath): void {
    if (labels === undefined) return;
    if (!isJsonObject(labels)) {
      this.#shape(`Invalid input: expected a mapping, received ${kindOf(labels)}`, pathOf());
      return;
    }
    for (const [key, value] of Object.entries(labels)) {
      if (Array.isArray(value) && /\s/.test(JSON.stringify(value))) {
        this.#find(
          'A list of label values is stored as its JSON text, and a label value on a gateway must match ^\\S+$: ' +
            'no entry may hold white space',
          [...pathOf(), key],
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

function hasId(entry: Entry): boolean {
  return typeof entry.value['id'] === 'string';
}

const idOnly: readonly string[] = ['id'];
const serviceNesting: readonly string[] = ['id', 'upstream', 'upstreams', 'routes', 'stream_routes'];
const groupNesting: readonly string[] = ['id', 'consumers'];
const consumerNesting: readonly string[] = ['credentials'];

/** A shallow copy without some keys, and without what is undefined. */
function without(object: JsonObject, omitted: readonly string[]): Body {
  const keys = Object.keys(object);
  // Copying a whole object is much faster than copying it key by key.
  if (!keys.some((key) => object[key] === undefined || omitted.includes(key))) return { ...object };
  const rest: Body = {};
  for (const key of keys) {
    const value = object[key];
    if (value !== undefined && !omitted.includes(key)) rest[key] = value;
  }
  return rest;
}
