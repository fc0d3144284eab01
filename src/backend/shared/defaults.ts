import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { asList, asObject, isEmptyTable, isSame } from './values.js';

/** Decides whether a value satisfies a schema, for branches (`if`, `anyOf`, `oneOf`) that fill defaults of their own. */
export type Matches = (schema: JsonObject, value: Json) => boolean;

/**
 * Fills the defaults of a JSON Schema into a value, as a gateway does that stores them: at any depth, in
 * `then`/`else` branches, in `dependencies`, in the branch of `anyOf` or `oneOf` that fits, in items, in additional and
 * pattern properties. Fields that already stand are never changed. Pure; the same value where nothing was missing.
 */
export function fillDefaults(schema: JsonObject, value: Json, matches: Matches): Json {
  if (Array.isArray(value)) return fillItems(schema, value, matches);
  let filled: Json = isJsonObject(value) ? fillProperties(schema, value, matches) : value;
  for (const part of asList(schema['allOf']) ?? []) filled = fillWith(part, filled, matches);
  for (const keyword of ['anyOf', 'oneOf']) {
    const current = filled;
    const branch = (asList(schema[keyword]) ?? []).find((part) => isJsonObject(part) && matches(part, current));
    if (branch !== undefined) filled = fillWith(branch, filled, matches);
  }
  const condition = asObject(schema['if']);
  if (condition !== undefined) filled = fillWith(schema[matches(condition, filled) ? 'then' : 'else'], filled, matches);
  return filled;
}

function fillWith(schema: Json | undefined, value: Json, matches: Matches): Json {
  return isJsonObject(schema) ? fillDefaults(schema, value, matches) : value;
}

function fillItems(schema: JsonObject, list: readonly Json[], matches: Matches): Json {
  const items = schema['items'];
  let filled: readonly Json[] = list;
  if (isJsonObject(items)) {
    const each = list.map((item) => fillDefaults(items, item, matches));
    if (each.some((item, index) => item !== list[index])) filled = each;
  }
  // `nodes: {anyOf: [map, list]}`: which of the branches a list belongs to is plain from its type.
  for (const keyword of ['anyOf', 'oneOf']) {
    const branch = (asList(schema[keyword]) ?? []).find((part) => isJsonObject(part) && part['type'] === 'array');
    if (isJsonObject(branch)) return fillItems(branch, filled, matches);
  }
  return filled;
}

function fillProperties(schema: JsonObject, value: JsonObject, matches: Matches): JsonObject {
  const properties = asObject(schema['properties']) ?? {};
  const patterns = Object.entries(asObject(schema['patternProperties']) ?? {});
  const additional = schema['additionalProperties'];
  const found: Record<string, Json> = {};
  for (const [name, content] of Object.entries(value)) {
    let filled = content;
    if (Object.hasOwn(properties, name)) filled = fillWith(properties[name], content, matches);
    else {
      const pattern = patterns.find(([text]) => matchesPattern(text, name));
      filled = fillWith(pattern === undefined ? additional : pattern[1], content, matches);
    }
    if (filled !== content) found[name] = filled;
  }
  for (const [name, property] of Object.entries(properties)) {
    const initial = isJsonObject(property) ? property['default'] : undefined;
    if (initial === undefined || Object.hasOwn(value, name)) continue;
    found[name] = fillWith(property, asTyped(property, initial), matches);
  }
  const filled = Object.keys(found).length === 0 ? value : { ...value, ...found };
  return fillDependencies(schema, filled, matches);
}

/** An empty default of a list is written as `{}` in the schemas that gateways give. */
function asTyped(property: Json | undefined, initial: Json): Json {
  return isEmptyTable(initial) && isJsonObject(property) && property['type'] === 'array' ? [] : initial;
}

function fillDependencies(schema: JsonObject, value: JsonObject, matches: Matches): JsonObject {
  let filled: Json = value;
  for (const [name, dependency] of Object.entries(asObject(schema['dependencies']) ?? {})) {
    if (isJsonObject(filled) && Object.hasOwn(filled, name)) filled = fillWith(dependency, filled, matches);
  }
  return isJsonObject(filled) ? filled : value;
}

/** Patterns are written for another engine; one that this engine does not understand matches nothing. */
function matchesPattern(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name);
  } catch {
    return false;
  }
}

/**
 * Tells whether a value satisfies the few keywords that branches are told apart by. A keyword that is not understood is
 * taken as satisfied: a branch is then tried that another keyword does not exclude.
 */
export function matchesSchema(schema: JsonObject, value: Json): boolean {
  if (!matchesType(schema['type'], value)) return false;
  if (schema['const'] !== undefined && !isSame(schema['const'], value)) return false;
  const allowed = asList(schema['enum']);
  if (allowed !== undefined && schema['enum'] !== undefined && !allowed.some((one) => isSame(one, value))) return false;
  const parts = (keyword: string): readonly JsonObject[] => (asList(schema[keyword]) ?? []).filter(isJsonObject);
  if (!parts('allOf').every((part) => matchesSchema(part, value))) return false;
  if (schema['anyOf'] !== undefined && !parts('anyOf').some((part) => matchesSchema(part, value))) return false;
  if (schema['oneOf'] !== undefined && !parts('oneOf').some((part) => matchesSchema(part, value))) return false;
  const not = asObject(schema['not']);
  if (not !== undefined && matchesSchema(not, value)) return false;
  return isJsonObject(value) ? matchesFields(schema, value) : matchesItems(schema, value);
}

function matchesFields(schema: JsonObject, value: JsonObject): boolean {
  if (!(asList(schema['required']) ?? []).every((name) => typeof name === 'string' && Object.hasOwn(value, name))) {
    return false;
  }
  return Object.entries(asObject(schema['properties']) ?? {}).every(([name, property]) => {
    const content = value[name];
    return content === undefined || !isJsonObject(property) || matchesSchema(property, content);
  });
}

function matchesItems(schema: JsonObject, value: Json): boolean {
  const items = asObject(schema['items']);
  return items === undefined || !Array.isArray(value) || value.every((item: Json) => matchesSchema(items, item));
}

function matchesType(type: Json | undefined, value: Json): boolean {
  if (type === undefined) return true;
  if (Array.isArray(type)) return type.some((one: Json) => matchesType(one, value));
  switch (type) {
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
