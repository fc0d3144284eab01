import { isObject, type Json, type JsonObject } from '../json.js';
import { refuse } from './refusal.js';

/**
 * Lays a patch over an object. Without a path the patch is merged into it, `null` removing a field; with one
 * (`PATCH /routes/r1/plugins/cors`) what stands there is replaced.
 *
 * @throws Refusal (400) when the patch is no object and there is no path, or the path leads through something that is none.
 */
export function patchValue(value: JsonObject, path: readonly string[], patch: Json): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) {
    if (!isObject(patch)) throw refuse(400, 'invalid configuration: wrong type: expected object');
    return merge(value, patch);
  }
  if (rest.length === 0) return patch === null ? without(value, name) : { ...value, [name]: patch };
  const inner = value[name] ?? {};
  if (!isObject(inner)) throw refuse(400, `invalid sub-path: /${path.join('/')}`);
  return { ...value, [name]: patchValue(inner, rest, patch) };
}

function merge(value: JsonObject, patch: JsonObject): JsonObject {
  const kept = Object.entries(value).filter(([name]) => patch[name] !== null);
  const laid = Object.entries(patch)
    .filter(([, inner]) => inner !== null)
    .map(([name, inner]): [string, Json | undefined] => {
      const before = value[name];
      return [name, isObject(before) && isObject(inner) ? merge(before, inner) : inner];
    });
  return Object.fromEntries([...kept, ...laid]);
}

function without(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([own]) => own !== name));
}
