import type { Change } from '../../model/change.js';
import type { Kind } from '../../model/kinds.js';

/** What is referred to comes before what refers to it. */
const dependencies: readonly Kind[] = [
  'ssl',
  'plugin_config',
  'consumer_group',
  'upstream',
  'service',
  'route',
  'stream_route',
  'consumer',
  'consumer_credential',
  'global_rule',
  'plugin_metadata',
];
const places: ReadonlyMap<Kind, number> = new Map(dependencies.map((kind, place) => [kind, place]));

/**
 * The order in which changes are shown and written, one in which they could be carried out: what is created and updated
 * after what it may refer to, then what is deleted, before what it may refer to; by name and key within a kind. Depends on
 * nothing else.
 */
export function compareChanges(left: Change, right: Change): number {
  const deletes = left.type === 'delete';
  if (deletes !== (right.type === 'delete')) return deletes ? 1 : -1;
  if (left.kind !== right.kind) {
    const byKind = (places.get(left.kind) ?? 0) - (places.get(right.kind) ?? 0);
    return deletes ? -byKind : byKind;
  }
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return 0;
}
