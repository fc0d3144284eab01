import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { asList, asObject, isSame } from './values.js';

/** Tells whether a value satisfies a schema. */
export type Matcher = (value: Json) => boolean;

/**
 * Builds the function that tells whether a value satisfies the few keywords by which branches of a JSON Schema (`if`,
 * `anyOf`, `oneOf`) are told apart. A keyword that is not understood is taken as satisfied: a branch is then tried that
 * another keyword does not exclude.
 */
export function compileMatcher(schema: JsonObject): Matcher {
  const checks = [...valueChecks(schema), ...partChecks(schema)];
  const fields = fieldsCheck(schema);
  const items = asObject(schema['items']);
  const item = items === undefined ? undefined : compileMatcher(items);
  return (value) => {
    for (const check of checks) if (!check(value)) return false;
    if (isJsonObject(value)) return fields(value);
    return item === undefined || !Array.isArray(value) || value.every(item);
  };
}

function valueChecks(schema: JsonObject): readonly Matcher[] {
  const { type, const: expected } = schema;
  const allowed = asList(schema['enum']);
  return [
    ...(type === undefined ? [] : [(value: Json) => matchesType(type, value)]),
    ...(expected === undefined ? [] : [(value: Json) => isSame(expected, value)]),
    ...(allowed === undefined ? [] : [(value: Json) => allowed.some((one) => isSame(one, value))]),
  ];
}

function partChecks(schema: JsonObject): readonly Matcher[] {
  const parts = (keyword: string): readonly Matcher[] =>
    (asList(schema[keyword]) ?? []).filter(isJsonObject).map(compileMatcher);
  const not = asObject(schema['not']);
  const excluded = not === undefined ? undefined : compileMatcher(not);
  const either = ['anyOf', 'oneOf'].filter((keyword) => schema[keyword] !== undefined).map(parts);
  return [
    ...parts('allOf'),
    ...either.map((some) => (value: Json) => some.some((matches) => matches(value))),
    ...(excluded === undefined ? [] : [(value: Json) => !excluded(value)]),
  ];
}

function fieldsCheck(schema: JsonObject): (value: JsonObject) => boolean {
  const required = asList(schema['required']) ?? [];
  const properties = Object.entries(asObject(schema['properties']) ?? {}).flatMap(([name, property]) =>
    isJsonObject(property) ? [{ name, matches: compileMatcher(property) }] : [],
  );
  return (value) => {
    for (const name of required) if (typeof name !== 'string' || !Object.hasOwn(value, name)) return false;
    for (const { name, matches } of properties) {
      const content = value[name];
      if (content !== undefined && !matches(content)) return false;
    }
    return true;
  };
}

function matchesType(type: Json, value: Json): boolean {
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
