import { objectAt, type JsonObject } from '../json.js';
import type { Collection, Entry, Store } from '../store.js';
import type { Rules } from '../versions.js';
import type { Serializer } from './serializer.js';
import { keyNotFound, Refusal } from './refusal.js';

/** What a list is asked for. */
export interface ListQuery {
  readonly collection: Collection;
  /** The consumer, or the secret manager, whose objects are listed. */
  readonly within: string | undefined;
  readonly query: URLSearchParams;
}

/**
 * The body of a list: `{"total": n, "list": […]}`, ordered by id; a page is ordered by creation.
 *
 * @throws Refusal (400) on a page size out of bounds, (404) for a consumer without credentials.
 */
export function listBody(store: Store, serializer: Serializer, rules: Rules, asked: ListQuery): Buffer {
  const { collection, within, query } = asked;
  const page = readPage(query);
  if (page === undefined && within === undefined && !filters(query, rules))
    return serializer.wholeList(store, collection);
  const matches = matcher(query, rules);
  const members = within === undefined ? store.entries(collection) : store.entriesWithin(collection, within);
  const found = [...members].filter((entry) => matches(entry.value));
  if (collection === 'credentials' && found.length === 0) throw keyNotFound();
  if (page === undefined) return serializer.list(found.sort(byId), found.length);
  const begin = (page.number - 1) * page.size;
  const shown = found.sort(byCreation).slice(begin, begin + page.size);
  return serializer.list(shown, found.length, shown.length === 0 ? '{}' : '[]');
}

/** The order of lists: by key, as the bytes of the store go. */
export function byId(a: Entry, b: Entry): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function byCreation(a: Entry, b: Entry): number {
  return a.createdIndex - b.createdIndex;
}

interface Page {
  readonly number: number;
  readonly size: number;
}

function readPage(query: URLSearchParams): Page | undefined {
  const number = query.get('page');
  const size = query.get('page_size');
  if (number === null || size === null) return undefined;
  const wanted = Number(number);
  if (!(wanted >= 1)) throw new Refusal(400, 'page must be greater than 0');
  const wide = Number(size);
  if (!(wide >= 10 && wide <= 500)) throw new Refusal(400, 'page_size must be between 10 and 500');
  return { number: Math.floor(wanted), size: Math.floor(wide) };
}

function filters(query: URLSearchParams, rules: Rules): boolean {
  return ['name', 'uri', 'label'].some((name) => query.has(name)) || (rules.filtersLists && query.has('filter'));
}

function matcher(query: URLSearchParams, rules: Rules): (value: JsonObject) => boolean {
  const tests: ((value: JsonObject) => boolean)[] = [];
  const name = query.get('name');
  if (name !== null) tests.push((value) => typeof value['name'] === 'string' && value['name'].includes(name));
  const label = query.get('label');
  if (label !== null) {
    // Only the key is looked at: `label=team:a` and `label=team` find the same.
    const key = label.split(':')[0] ?? label;
    tests.push((value) => Object.hasOwn(objectAt(value, 'labels'), key));
  }
  const uri = query.get('uri');
  if (uri !== null) tests.push((value) => urisOf(value).some((known) => known.includes(uri)));
  const filter = rules.filtersLists ? query.get('filter') : null;
  if (filter !== null) tests.push(filterTest(filter));
  return (value) => tests.every((test) => test(value));
}

function urisOf(value: JsonObject): readonly string[] {
  const uris = Array.isArray(value['uris']) ? (value['uris'] as readonly unknown[]) : [];
  return [value['uri'], ...uris].filter((uri) => typeof uri === 'string');
}

/** `filter=service_id%3Dx`: fields that must have these values, joined by `&`. */
function filterTest(filter: string): (value: JsonObject) => boolean {
  const wanted = [...new URLSearchParams(filter)];
  return (value) =>
    wanted.every(([field, text]) => {
      const found = value[field];
      return typeof found === 'object' ? false : String(found ?? '') === text;
    });
}
