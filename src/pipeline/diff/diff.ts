import type { Change, Creation, Deletion, DiffInput, FieldChange, Normalise, Update } from '../../model/change.js';
import { parentIdOf, type Resource } from '../../model/resource.js';
import { equalJson } from '../../model/equal.js';
import { fieldChanges } from './fields.js';
import { compareChanges } from './order.js';
import { outsideReason } from './scope.js';

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
  const { desired, current, unmanaged, normalise } = input;
  const changes: Change[] = [];
  for (const [key, wanted] of desired.resources) {
    const stored = current.resources.get(key);
    if (stored === undefined) {
      changes.push(creation(wanted));
      continue;
    }
    const fields = differingFields(stored, wanted, normalise);
    if (fields.length > 0)
      changes.push(update(stored, wanted, fields, unmanaged.get(key) ?? outsideReason(stored, current, desired)));
  }
  for (const [key, stored] of current.resources) {
    if (desired.resources.has(key) || unmanaged.has(key) || outsideReason(stored, current, desired) !== undefined)
      continue;
    changes.push(deletion(stored));
  }
  return changes.sort(compareChanges);
}

/** The fields in which two resources of one key differ; none where they mean the same. */
function differingFields(stored: Resource, wanted: Resource, normalise?: Normalise): readonly FieldChange[] {
  const moved = parentChange(stored, wanted);
  if (equalJson(stored.body, wanted.body)) return moved;
  const fields =
    normalise === undefined
      ? fieldChanges(stored.body, wanted.body)
      : fieldChanges(normalise(stored.kind, stored.body), normalise(wanted.kind, wanted.body));
  return moved.length === 0 ? fields : [...moved, ...fields];
}

/** The parent is no field of a body; it is shown under the name the Admin API gives it. */
function parentChange(stored: Resource, wanted: Resource): readonly FieldChange[] {
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
