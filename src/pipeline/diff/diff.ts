import type { Change, Creation, Deletion, DiffInput, FieldChange, Pair, Update } from '../../model/change.js';
import { parentIdOf, type Resource } from '../../model/resource.js';
import { equalJson } from '../../model/equal.js';
import { fieldChanges } from './fields.js';
import { compareChanges } from './order.js';
import { outsideReason } from './scope.js';

/** Two states compared as they are. */
export interface RawDiff {
  /** What only one side has, as far as it is not left alone. */
  readonly changes: readonly (Creation | Deletion)[];
  /** What both sides have and is not the same. */
  readonly differing: readonly Pair[];
  /** What both sides have in different places, with bodies that are the same. */
  readonly moved: readonly Pair[];
}

/**
 * Compares two states and gives what must happen to the current one so that it becomes the desired one.
 *
 * Resources are matched by key. Bodies are compared as they are; only where they differ are the differing fields
 * worked out, and, with `normalise`, both sides normalised first: a difference that vanishes then is none. A route that
 * moved to another service differs in `service_id`, although its body does not hold it. What is unmanaged is never
 * deleted; where the desired state names it, it is updated and the change says that it takes it over. Pure: nothing
 * of the input is changed, and the order of the result depends on kinds, names and keys only.
 */
export function diff(input: DiffInput): readonly Change[] {
  return changesIn(compareRaw(input), input);
}

/** The first half of {@link diff}: finds what differs as it is. Works out no field. */
export function compareRaw({ desired, current, unmanaged }: DiffInput): RawDiff {
  const changes: (Creation | Deletion)[] = [];
  const differing: Pair[] = [];
  const moved: Pair[] = [];
  let matched = 0;
  for (const wanted of desired.resources.values()) {
    const stored = current.resources.get(wanted.key);
    if (stored === undefined) {
      changes.push(creation(wanted));
      continue;
    }
    matched += 1;
    if (!equalJson(stored.body, wanted.body)) differing.push({ current: stored, desired: wanted });
    else if (stored.parent !== wanted.parent) moved.push({ current: stored, desired: wanted });
  }
  // Nothing is left where every current resource had its match.
  if (matched === current.resources.size) return { changes, differing, moved };
  for (const [key, stored] of current.resources) {
    if (desired.resources.has(key) || unmanaged.has(key) || outsideReason(stored, current, desired) !== undefined)
      continue;
    changes.push(deletion(stored));
  }
  return { changes, differing, moved };
}

/** The second half of {@link diff}: the fields of what differed, normalised where `normalise` is given, in order. */
export function changesIn(
  { changes: found, differing, moved }: RawDiff,
  { desired, current, unmanaged, normalise }: DiffInput,
): readonly Change[] {
  const changes: Change[] = [...found];
  const addUpdate = ({ current: stored, desired: wanted }: Pair, fields: readonly FieldChange[]): void => {
    if (fields.length === 0) return;
    const takesOver = unmanaged.get(stored.key) ?? outsideReason(stored, current, desired);
    changes.push(update(stored, wanted, fields, takesOver));
  };
  for (const pair of differing) {
    const { lhs, rhs } = normalise?.(pair) ?? { lhs: pair.current.body, rhs: pair.desired.body };
    addUpdate(pair, [...parentChange(pair), ...fieldChanges(lhs, rhs)]);
  }
  for (const pair of moved) addUpdate(pair, parentChange(pair));
  return changes.sort(compareChanges);
}

/** The parent is no field of a body; it is shown under the name the Admin API gives it. */
function parentChange({ current: stored, desired: wanted }: Pair): readonly FieldChange[] {
  if (stored.parent === wanted.parent) return [];
  const lhs = parentIdOf(stored);
  const rhs = parentIdOf(wanted);
  const path = ['service_id'];
  if (lhs === undefined) return rhs === undefined ? [] : [{ kind: 'N', path, rhs }];
  return rhs === undefined ? [{ kind: 'D', path, lhs }] : [{ kind: 'E', path, lhs, rhs }];
}

function creation(desired: Resource): Creation {
  return { type: 'create', ...identity(desired), desired };
}

/** An update of a resource that both sides have. `takesOver`: why it was unmanaged so far. */
export function update(
  current: Resource,
  desired: Resource,
  fields: readonly FieldChange[],
  takesOver?: string,
): Update {
  const change: Update = { type: 'update', ...identity(desired), desired, current, fields };
  return takesOver === undefined ? change : { ...change, takesOver };
}

function deletion(current: Resource): Deletion {
  return { type: 'delete', ...identity(current), current };
}

function identity(resource: Resource): Pick<Change, 'key' | 'kind' | 'id' | 'name' | 'parentId'> {
  const { key, kind, id, name } = resource;
  const parentId = parentIdOf(resource);
  return parentId === undefined ? { key, kind, id, name } : { key, kind, id, name, parentId };
}
