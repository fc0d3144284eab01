import { isObject, type Json, type JsonObject } from '../json.js';
import type { Schema } from './schema.js';

const numbers = new Set([
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
]);
const maps = new Set(['properties', 'patternProperties', 'dependencies']);
const lists = new Set(['anyOf', 'oneOf', 'allOf']);
const single = new Set(['not', 'if', 'then', 'else']);

/**
 * A schema as a gateway gives it, made sound: what a gateway's checker overlooks (a limit written as text, an empty
 * table in the place of an object, a stray word among properties) a strict one would refuse.
 */
export function soundSchema(given: JsonObject): Schema {
  const entries = Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
    const sound = value === undefined ? undefined : soundWord(name, value);
    return sound === undefined ? [] : [[name, sound]];
  });
  return Object.fromEntries(entries);
}

function soundWord(name: string, value: Json): unknown {
  if (numbers.has(name)) return Number.isFinite(Number(value)) ? Number(value) : undefined;
  if (maps.has(name)) return isObject(value) ? soundMap(name, value) : undefined;
  if (lists.has(name)) {
    const schemas = Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
    return schemas.length === 0 ? undefined : schemas.map(soundSchema);
  }
  if (single.has(name)) return isObject(value) ? soundSchema(value) : undefined;
  if (name === 'items') return soundItems(value);
  if (name === 'additionalProperties')
    return isObject(value) ? soundSchema(value) : value === false ? false : undefined;
  if (name === 'required') return stringsOf(value);
  if (name === 'enum') return Array.isArray(value) && value.length > 0 ? value : undefined;
  if (name === 'pattern') return typeof value === 'string' && isPattern(value) ? value : undefined;
  if (name === 'type') return typeof value === 'string' || Array.isArray(value) ? value : undefined;
  return name.startsWith('$') && name !== '$comment' ? undefined : value;
}

function soundMap(name: string, value: JsonObject): unknown {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
      if (name === 'patternProperties' && !isPattern(key)) return [];
      if (isObject(inner)) return [[key, soundSchema(inner)]];
      return name === 'dependencies' && Array.isArray(inner) ? [[key, inner]] : [];
    }),
  );
}

function soundItems(value: Json): unknown {
  if (isObject(value)) return soundSchema(value);
  const schemas = Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
  return schemas.length === 0 ? undefined : schemas.map(soundSchema);
}

function stringsOf(value: Json): readonly string[] | undefined {
  const names = Array.isArray(value)
    ? (value as readonly Json[]).filter((name): name is string => typeof name === 'string')
    : [];
  return names.length === 0 ? undefined : [...new Set(names)];
}

/** The gateways' patterns are those of PCRE: most, not all, are patterns here too. */
function isPattern(text: string): boolean {
  try {
    void new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
