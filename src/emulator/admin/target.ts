import { type Collection, collections } from '../store.js';
import type { Rules } from '../versions.js';

/** What a path below `/apisix/admin` points at. */
export type Target =
  | { readonly type: 'collection'; readonly collection: Collection; readonly within: string | undefined }
  | { readonly type: 'object'; readonly collection: Collection; readonly id: string; readonly rest: readonly string[] }
  | { readonly type: 'schema'; readonly segments: readonly string[] }
  | { readonly type: 'plugins'; readonly segments: readonly string[] }
  | { readonly type: 'validate' }
  | { readonly type: 'unknown'; readonly name: string };

/** Where the Admin API begins. */
export const adminPath = '/apisix/admin';

/** The segments of a path below `/apisix/admin`, decoded; nothing for a path outside. */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (path !== adminPath && !path.startsWith(`${adminPath}/`)) return undefined;
  return path
    .slice(adminPath.length + 1)
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Finds what a path points at. */
export function targetOf(segments: readonly string[], rules: Rules): Target {
  const [name = '', id, third, fourth] = segments;
  if (name === 'schema') return { type: 'schema', segments: segments.slice(1) };
  if (name === 'plugins') return { type: 'plugins', segments: segments.slice(1) };
  if (name === 'configs' && id === 'validate' && rules.validatesConfigs) return { type: 'validate' };
  const collection = collections.find((known) => known === name);
  if (collection === undefined || collection === 'credentials') return { type: 'unknown', name };
  if (id === undefined) return { type: 'collection', collection, within: undefined };
  if (collection === 'secrets') {
    // A secret's id has two parts: its manager and its name.
    if (third === undefined) return { type: 'collection', collection, within: id };
    return { type: 'object', collection, id: `${id}/${third}`, rest: segments.slice(3) };
  }
  if (collection === 'consumers' && third === 'credentials' && rules.hasCredentials) {
    if (fourth === undefined) return { type: 'collection', collection: 'credentials', within: id };
    return { type: 'object', collection: 'credentials', id: `${id}/${fourth}`, rest: segments.slice(4) };
  }
  return { type: 'object', collection, id, rest: segments.slice(2) };
}

/** The key an object is stored under, as answers show it. */
export function keyOf(collection: Collection, id: string): string {
  if (collection !== 'credentials') return `/apisix/${collection}/${id}`;
  const cut = id.indexOf('/');
  return `/apisix/consumers/${id.slice(0, cut)}/credentials/${id.slice(cut + 1)}`;
}
