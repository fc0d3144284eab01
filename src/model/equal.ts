import { isJsonObject, type Json, type JsonObject } from './json.js';

/**
 * Tells whether two JSON values mean the same: the order of object keys does not matter, the order of lists does.
 * Allocates nothing, so that comparing what is equal costs only the walk.
 */
export function equalJson(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return Array.isArray(right) && equalLists(left as readonly Json[], right as readonly Json[]);
  }
  return isJsonObject(left) && isJsonObject(right) && equalObjects(left, right);
}

function equalLists(left: readonly Json[], right: readonly Json[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (!equalJson(left[index] as Json, right[index] as Json)) return false;
  }
  return true;
}

function equalObjects(left: JsonObject, right: JsonObject): boolean {
  let keys = 0;
  // `for in` reads the engine's cached key list where Object.keys would copy it.
  for (const key in left) {
    if (!Object.hasOwn(left, key)) continue;
    if (!Object.hasOwn(right, key) || !equalJson(left[key] as Json, right[key] as Json)) return false;
    keys += 1;
  }
  for (const key in right) if (Object.hasOwn(right, key)) keys -= 1;
  return keys === 0;
}
