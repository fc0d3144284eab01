import type { JsonObject } from './json.js';

/** The collections of the Admin API, as their paths name them. */
export const collections = [
  'routes',
  'services',
  'upstreams',
  'ssls',
  'consumers',
  'credentials',
  'consumer_groups',
  'plugin_configs',
  'global_rules',
  'plugin_metadata',
  'stream_routes',
  'protos',
  'secrets',
] as const;

/** A collection of the Admin API. Credentials of all consumers are one collection here, with ids `ann/c1`. */
export type Collection = (typeof collections)[number];

/** One stored object. */
export interface Entry {
  readonly collection: Collection;
  /** The id within its collection: `r1`, `vault/1`, for credentials `ann/c1`. */
  readonly id: string;
  /** The object in plain text, as it was stored. */
  readonly value: JsonObject;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

/** One change of the store: what stood before and what stands now. */
export interface StoreEvent {
  readonly collection: Collection;
  readonly id: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** Told of each change at once, in order. */
export type StoreListener = (event: StoreEvent) => void;

/** The gateway's store: collections of objects under one revision counter, as etcd keeps it. */
export class Store {
  #revision: number;
  readonly #entries: ReadonlyMap<Collection, Map<string, Entry>> = new Map(
    collections.map((collection) => [collection, new Map<string, Entry>()]),
  );
  readonly #groups = new Map<string, Map<string, Entry>>();
  readonly #listeners: StoreListener[] = [];

  constructor(revision = 0) {
    this.#revision = revision;
  }

  /** The revision of the latest change. */
  get revision(): number {
    return this.#revision;
  }

  /** Calls a listener at every change from now on. */
  subscribe(listener: StoreListener): void {
    this.#listeners.push(listener);
  }

  get(collection: Collection, id: string): Entry | undefined {
    return this.#in(collection).get(id);
  }

  /** The objects of a collection, ordered by their creation. */
  entries(collection: Collection): IterableIterator<Entry> {
    return this.#in(collection).values();
  }

  /** The objects of a collection whose ids begin with `{group}/`: a consumer's credentials, a manager's secrets. */
  entriesWithin(collection: Collection, group: string): IterableIterator<Entry> {
    return (this.#groups.get(`${collection}/${group}`) ?? new Map<string, Entry>()).values();
  }

  count(collection: Collection): number {
    return this.#in(collection).size;
  }

  /** Creates or replaces an object. */
  put(collection: Collection, id: string, value: JsonObject): Entry {
    this.#revision += 1;
    const before = this.get(collection, id);
    const after: Entry = {
      collection,
      id,
      value,
      createdIndex: before?.createdIndex ?? this.#revision,
      modifiedIndex: this.#revision,
    };
    this.#set(after);
    this.#tell({ collection, id, before, after });
    return after;
  }

  /** Removes an object; `undefined` when there was none. */
  delete(collection: Collection, id: string): Entry | undefined {
    const before = this.get(collection, id);
    if (before === undefined) return undefined;
    this.#revision += 1;
    this.#in(collection).delete(id);
    this.#groups.get(groupOf(before))?.delete(id);
    this.#tell({ collection, id, before, after: undefined });
    return before;
  }

  /** Puts back what was saved: indexes and all. */
  restore(entries: Iterable<Entry>, revision: number): void {
    for (const entry of entries) {
      const before = this.get(entry.collection, entry.id);
      this.#set(entry);
      this.#tell({ collection: entry.collection, id: entry.id, before, after: entry });
    }
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Repeats a change that was saved: puts the object, or removes it. */
  replay(collection: Collection, id: string, entry: Entry | undefined, revision: number): void {
    if (entry === undefined) this.delete(collection, id);
    this.restore(entry === undefined ? [] : [entry], revision);
  }

  /** Removes everything. The revision goes on. */
  clear(): void {
    for (const collection of collections) {
      for (const id of this.#in(collection).keys()) this.delete(collection, id);
    }
  }

  #set(entry: Entry): void {
    this.#in(entry.collection).set(entry.id, entry);
    if (!entry.id.includes('/')) return;
    const group = groupOf(entry);
    const members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, new Map([[entry.id, entry]]));
    else members.set(entry.id, entry);
  }

  #in(collection: Collection): Map<string, Entry> {
    return this.#entries.get(collection) ?? new Map();
  }

  #tell(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function groupOf(entry: Entry): string {
  return `${entry.collection}/${entry.id.slice(0, entry.id.indexOf('/'))}`;
}
