import type { Change } from '../../model/change.js';
import { kinds } from '../../model/kinds.js';

const places: ReadonlyMap<string, number> = new Map(kinds.map((kind, place) => [kind, place]));

/** The order in which changes are shown and written: by kind, then name, then key. Depends on nothing else. */
export function compareChanges(left: Change, right: Change): number {
  if (left.kind !== right.kind) return (places.get(left.kind) ?? 0) - (places.get(right.kind) ?? 0);
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return 0;
}
