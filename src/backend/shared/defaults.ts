import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { compileMatcher } from './matcher.js';
import { asList, asObject, isEmptyTable, type Draft } from './values.js';

/** Fills defaults into a value. Pure; the same value where nothing was missing. */
export type Fill = (value: Json) => Json;

/**
 * Builds the function that fills the defaults of a JSON Schema into a value, as a gateway does that stores them: at any
 * depth, in `then`/`else` branches, in `dependencies`, in the branch of `anyOf` or `oneOf` that fits, in items, in
 * additional and pattern properties. Fields that already stand are never changed. What of a schema fills nothing is not
 * walked.
 *
 * @returns undefined where the schema has no defaults to fill
 */
export function compileDefaults(schema: JsonObject): Fill | undefined {
  const items = compileItems(schema);
  const steps: Fill[] = [];
  const add = (step: Fill | undefined): void => {
    if (step !== undefined) steps.push(step);
  };
  add(compileProperties(schema));
  for (const part of asList(schema['allOf']) ?? []) add(compilePart(part));
  for (const keyword of ['anyOf', 'oneOf']) add(compileBranches(asList(schema[keyword]) ?? []));
  add(compileCondition(schema));
  if (items === undefined && steps.length === 0) return undefined;
  return (value) => {
    if (Array.isArray(value)) return items === undefined ? value : items(value);
    if (!isJsonObject(value)) return value;
    let filled: Json = value;
    for (const step of steps) filled = step(filled);
    return filled;
  };
}

function compilePart(schema: Json | undefined): Fill | undefined {
  return isJsonObject(schema) ? compileDefaults(schema) : undefined;
}

function compileItems(schema: JsonObject): ((list: readonly Json[]) => readonly Json[]) | undefined {
  const each = compilePart(schema['items']);
  // `nodes: {anyOf: [map, list]}`: which of the branches a list belongs to is plain from its type.
  const branch = ['anyOf', 'oneOf']
    .map((keyword) => (asList(schema[keyword]) ?? []).find((part) => isJsonObject(part) && part['type'] === 'array'))
    .find((part) => part !== undefined);
  const others = isJsonObject(branch) ? compileItems(branch) : undefined;
  if (each === undefined) return others;
  return (list) => {
    const items = list.map(each);
    const filled = items.some((item, index) => item !== list[index]) ? items : list;
    return others === undefined ? filled : others(filled);
  };
}

function compileBranches(branches: readonly Json[]): Fill | undefined {
  const parts = branches
    .filter(isJsonObject)
    .map((schema) => ({ fill: compileDefaults(schema), matches: compileMatcher(schema) }));
  if (parts.every(({ fill }) => fill === undefined)) return undefined;
  return (value) => parts.find(({ matches }) => matches(value))?.fill?.(value) ?? value;
}

function compileCondition(schema: JsonObject): Fill | undefined {
  const condition = asObject(schema['if']);
  if (condition === undefined) return undefined;
  const [then, otherwise] = [compilePart(schema['then']), compilePart(schema['else'])];
  if (then === undefined && otherwise === undefined) return undefined;
  const matches = compileMatcher(condition);
  return (value) => (matches(value) ? then : otherwise)?.(value) ?? value;
}

function compileProperties(schema: JsonObject): Fill | undefined {
  const properties = Object.entries(asObject(schema['properties']) ?? {});
  const nested = compiled(properties);
  const initial = properties.flatMap(([name, property]) => {
    const value = isJsonObject(property) ? property['default'] : undefined;
    if (value === undefined) return [];
    const typed = asTyped(property, value);
    return [[name, compilePart(property)?.(typed) ?? typed] as const];
  });
  const others = compileOthers(schema, new Set(properties.map(([name]) => name)));
  const dependencies = compiled(Object.entries(asObject(schema['dependencies']) ?? {}));
  if (nested.length + initial.length + dependencies.length === 0 && others === undefined) return undefined;

  return (value) => {
    if (!isJsonObject(value)) return value;
    let found = others?.(value);
    for (const [name, fill] of nested) {
      const content = Object.hasOwn(value, name) ? value[name] : undefined;
      const filled = content === undefined ? undefined : fill(content);
      if (filled === undefined || filled === content) continue;
      (found ??= {})[name] = filled;
    }
    for (const [name, content] of initial) {
      if (!Object.hasOwn(value, name)) (found ??= {})[name] = content;
    }
    let filled: Json = found === undefined ? value : { ...value, ...found };
    for (const [name, fill] of dependencies)
      if (isJsonObject(filled) && Object.hasOwn(filled, name)) filled = fill(filled);
    return filled;
  };
}

/** Of named schemas those that fill something. */
function compiled(schemas: readonly (readonly [string, Json])[]): readonly (readonly [string, Fill])[] {
  return schemas.flatMap(([name, schema]) => {
    const fill = compilePart(schema);
    return fill === undefined ? [] : [[name, fill] as const];
  });
}

/** What fills the properties that have no schema of their own; it gives those that changed, if any. */
function compileOthers(
  schema: JsonObject,
  known: ReadonlySet<string>,
): ((value: JsonObject) => Draft | undefined) | undefined {
  const patterns = Object.entries(asObject(schema['patternProperties']) ?? {}).map(([pattern, part]) => ({
    expression: expressionOf(pattern),
    fill: compilePart(part),
  }));
  const additional = compilePart(schema['additionalProperties']);
  if (additional === undefined && patterns.every(({ fill }) => fill === undefined)) return undefined;
  return (value) => {
    let found: Draft | undefined;
    for (const [name, content] of Object.entries(value)) {
      if (known.has(name)) continue;
      const pattern = patterns.find(({ expression }) => expression?.test(name) === true);
      const filled = (pattern === undefined ? additional : pattern.fill)?.(content) ?? content;
      if (filled !== content) (found ??= {})[name] = filled;
    }
    return found;
  };
}

/** An empty default of a list is written as `{}` in the schemas that gateways give. */
function asTyped(property: Json | undefined, initial: Json): Json {
  return isEmptyTable(initial) && isJsonObject(property) && property['type'] === 'array' ? [] : initial;
}

/** Patterns are written for another engine; one that this engine does not understand matches nothing. */
function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
