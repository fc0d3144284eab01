import { equalJson } from '../../model/equal.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';

/** A value under construction. */
export type Draft = Record<string, Json>;

/** Tells whether a value is an empty list or an empty object: an empty Lua table may arrive as either. */
export function isEmptyTable(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** A value where a list belongs. */
export function asList(value: Json | undefined): readonly Json[] | undefined {
  if (Array.isArray(value)) return value;
  return isEmptyTable(value) ? [] : undefined;
}

/** A value where an object belongs. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  if (value === undefined) return undefined;
  if (isJsonObject(value)) return value;
  return isEmptyTable(value) ? {} : undefined;
}

/** A string, or the text of a number (ids may be stored as integers). */
export function asText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

/** Sets a field of a value under construction, also one that has the name of the prototype. */
export function setField(draft: Draft, field: string, content: Json): void {
  if (field !== '__proto__') draft[field] = content;
  else Object.defineProperty(draft, field, { value: content, enumerable: true, configurable: true, writable: true });
}

/** A copy of an object without some of its fields; the same object where it has none of them. */
export function omit(object: JsonObject, fields: readonly string[]): JsonObject {
  if (!fields.some((field) => field in object)) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !fields.includes(key)));
}

/** Tells whether two JSON values are the same, whatever the order of their keys; so are two that are absent. */
export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  return left === undefined || right === undefined ? left === right : equalJson(left, right);
}
