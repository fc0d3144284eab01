import { isObject, type Json } from '../json.js';
import type { Collection, Entry, Store } from '../store.js';
import { byId } from './lists.js';
import { keyOf } from './target.js';
import type { Visibility } from './visibility.js';

/**
 * Turns stored objects into the bytes one worker answers with. Each worker has its own order of keys, and answers the
 * same list with the same bytes while nothing changes: what was serialised is kept until it is written to.
 */
export class Serializer {
  readonly #seed: number;
  readonly #visibility: Visibility;
  readonly #entries = new WeakMap<Entry, string>();
  readonly #lists = new Map<Collection, Buffer>();

  constructor(store: Store, visibility: Visibility, seed: number) {
    this.#seed = seed;
    this.#visibility = visibility;
    store.subscribe((event) => this.#lists.delete(event.collection));
  }

  /** A collection as a whole: `{"total": n, "list": […]}`. */
  wholeList(store: Store, collection: Collection): Buffer {
    const kept = this.#lists.get(collection);
    if (kept !== undefined) return kept;
    const made = this.list([...store.entries(collection)].sort(byId), store.count(collection));
    this.#lists.set(collection, made);
    return made;
  }

  /** A list of some objects of a collection that holds `total`. */
  list(entries: readonly Entry[], total: number, empty: '[]' | '{}' = '[]'): Buffer {
    const members = entries.length === 0 ? empty : `[${entries.map((entry) => this.#listed(entry)).join(',')}]`;
    return Buffer.from(`{"total":${total},"list":${members}}`);
  }

  /** One object as a read answers it. */
  object(entry: Entry): string {
    return this.#serialize(entry, this.#visibility.read(entry));
  }

  #listed(entry: Entry): string {
    const kept = this.#entries.get(entry);
    if (kept !== undefined) return kept;
    const made = this.#serialize(entry, this.#visibility.listed(entry));
    this.#entries.set(entry, made);
    return made;
  }

  #serialize(entry: Entry, value: Json): string {
    return JSON.stringify(
      reorder(
        {
          key: keyOf(entry.collection, entry.id),
          value,
          createdIndex: entry.createdIndex,
          modifiedIndex: entry.modifiedIndex,
        },
        this.#seed,
      ),
    );
  }
}

/** The same value with the keys of every object in a worker's own order. */
function reorder(value: Json, seed: number): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => reorder(item, seed));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const ranked = keys.map((key) => ({ key, rank: hash(key, seed) })).sort((a, b) => a.rank - b.rank);
  return Object.fromEntries(ranked.map(({ key }) => [key, reorder(value[key] ?? null, seed)]));
}

function hash(text: string, seed: number): number {
  let state = 0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1);
  for (let index = 0; index < text.length; index += 1) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  return state >>> 0;
}
