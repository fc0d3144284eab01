import type { Json, JsonObject } from './json.js';

/**
 * Tells whether two JSON values mean the same: the order of object keys does not matter, the order of lists does.
 * Allocates nothing, so that comparing what is equal costs only the walk.
 */
export function equalJson(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    return Array.isArray(right) && equalLists(left as readonly Json[], right as readonly Json[]);
  }
  return !Array.isArray(right) && equalObjects(left as JsonObject, right as JsonObject);
}

function equalLists(left: readonly Json[], right: readonly Json[]): boolean {
  const { length } = left;
  if (length !== right.length) return false;
  for (let index = 0; index < length; index += 1) {
    const one = left[index] as Json;
    const other = right[index] as Json;
    if (one !== other && !equalJson(one, other)) return false;
  }
  return true;
}

function equalObjects(left: JsonObject, right: JsonObject): boolean {
  let keys = 0;
  // `for in` goes by the engine's own list of keys, where Object.keys would copy it, and what it names is read without a
  // lookup; asking for each key whether it is an own one costs as much as reading it.
  for (const key in left) {
    const one = left[key] as Json;
    const other = right[key];
    keys += 1;
    if (one === other) continue;
    // What an object inherits is a function, and equal to nothing here; only its prototype is an object itself.
    if (typeof one !== 'object' || typeof other !== 'object') return false;
    if (key === '__proto__' && !Object.hasOwn(right, key)) return false;
    if (!equalJson(one, other)) return false;
  }
  for (const _ in right) keys -= 1;
  return keys === 0;
}
