/** A JSON value, as it came over the wire. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Tells whether a value is a JSON object: neither an array nor `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value under a key when it is an object, else an empty object. */
export function objectAt(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return isObject(found) ? found : {};
}

/** Reads an id, which the gateway accepts as text or as a positive integer. */
export function idAt(value: JsonObject, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}
