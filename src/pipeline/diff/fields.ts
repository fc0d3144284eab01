import type { FieldChange } from '../../model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { equalJson } from '../../model/equal.js';

/**
 * Lists every field in which two bodies differ, from the old (`lhs`) to the new (`rhs`): N added, D removed, E edited,
 * A a list that grew or shrank at its end. Object keys are walked in code unit order, so that the list does not depend
 * on the order in which a gateway wrote them; list items are compared by position.
 */
export function fieldChanges(lhs: JsonObject, rhs: JsonObject): readonly FieldChange[] {
  const found: FieldChange[] = [];
  compareObjects(lhs, rhs, [], found);
  return found;
}

function compare(lhs: Json, rhs: Json, path: (string | number)[], found: FieldChange[]): void {
  if (lhs === rhs) return;
  if (Array.isArray(lhs) && Array.isArray(rhs)) {
    compareLists(lhs as readonly Json[], rhs as readonly Json[], path, found);
  } else if (isJsonObject(lhs) && isJsonObject(rhs)) {
    compareObjects(lhs, rhs, path, found);
  } else if (!equalJson(lhs, rhs)) {
    found.push({ kind: 'E', path: [...path], lhs, rhs });
  }
}

function compareObjects(lhs: JsonObject, rhs: JsonObject, path: (string | number)[], found: FieldChange[]): void {
  const added = Object.keys(rhs).filter((key) => !Object.hasOwn(lhs, key));
  for (const key of [...Object.keys(lhs), ...added].sort()) {
    path.push(key);
    if (!Object.hasOwn(rhs, key)) found.push({ kind: 'D', path: [...path], lhs: lhs[key] as Json });
    else if (!Object.hasOwn(lhs, key)) found.push({ kind: 'N', path: [...path], rhs: rhs[key] as Json });
    else compare(lhs[key] as Json, rhs[key] as Json, path, found);
    path.pop();
  }
}

function compareLists(
  lhs: readonly Json[],
  rhs: readonly Json[],
  path: (string | number)[],
  found: FieldChange[],
): void {
  const shared = Math.min(lhs.length, rhs.length);
  for (let index = 0; index < shared; index += 1) {
    path.push(index);
    compare(lhs[index] as Json, rhs[index] as Json, path, found);
    path.pop();
  }
  for (let index = shared; index < rhs.length; index += 1) {
    found.push({ kind: 'A', path: [...path], index, item: { kind: 'N', rhs: rhs[index] as Json } });
  }
  for (let index = shared; index < lhs.length; index += 1) {
    found.push({ kind: 'A', path: [...path], index, item: { kind: 'D', lhs: lhs[index] as Json } });
  }
}
