import { isObject, type Json, type JsonObject } from '../json.js';
import type { Schema } from './schema.js';

/** Tells whether a value fits a branch of a schema. */
export type Matches = (schema: Schema, value: Json) => boolean;

/**
 * A value with the defaults of its schema filled in, those inside `anyOf`, `oneOf` and `if` branches that apply
 * included. What has nothing to fill in is returned as it is.
 */
export function fillDefaults(schema: Schema, value: Json, matches: Matches): Json {
  const shaped = isObject(value) ? fillObject(schema, value, matches) : fillArray(schema, value, matches);
  return fillBranches(schema, shaped, matches);
}

function fillObject(schema: Schema, value: JsonObject, matches: Matches): JsonObject {
  if (schema.properties === undefined && !isObject(schema.additionalProperties)) return value;
  const changes: [string, Json][] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const found = value[name];
    if (found === undefined) {
      if (property.default !== undefined) changes.push([name, fillDefaults(property, property.default, matches)]);
      continue;
    }
    const filled = fillDefaults(property, found, matches);
    if (filled !== found) changes.push([name, filled]);
  }
  if (isObject(schema.additionalProperties)) {
    for (const [name, found] of Object.entries(value)) {
      if (found === undefined || Object.hasOwn(schema.properties ?? {}, name)) continue;
      const filled = fillDefaults(schema.additionalProperties, found, matches);
      if (filled !== found) changes.push([name, filled]);
    }
  }
  return changes.length === 0 ? value : { ...value, ...Object.fromEntries(changes) };
}

function fillArray(schema: Schema, value: Json, matches: Matches): Json {
  if (!Array.isArray(value) || schema.items === undefined) return value;
  const items = value as readonly Json[];
  const filled = items.map((item, index) => {
    const own = Array.isArray(schema.items) ? (schema.items as readonly Schema[])[index] : (schema.items as Schema);
    return own === undefined ? item : fillDefaults(own, item, matches);
  });
  return filled.some((item, index) => item !== items[index]) ? filled : value;
}

function fillBranches(schema: Schema, value: Json, matches: Matches): Json {
  let filled = value;
  for (const branch of schema.allOf ?? []) filled = fillDefaults(branch, filled, matches);
  for (const branches of [schema.anyOf, schema.oneOf]) {
    if (branches === undefined) continue;
    const candidates = branches.map((branch) => ({ branch, filled: fillDefaults(branch, filled, matches) }));
    const fitting = candidates.find(
      (candidate) => candidate.filled !== filled && matches(candidate.branch, candidate.filled),
    );
    if (fitting === undefined) continue;
    // A branch that has nothing to fill in and fits comes before one that would add something.
    const plain = candidates.find((candidate) => matches(candidate.branch, candidate.filled));
    filled = plain?.filled ?? fitting.filled;
  }
  if (schema.if !== undefined) {
    const conditioned = fillDefaults(schema.if, filled, matches);
    const next = matches(schema.if, conditioned) ? schema.then : schema.else;
    filled = next === undefined ? conditioned : fillDefaults(next, conditioned, matches);
  }
  for (const [name, dependency] of Object.entries(schema.dependencies ?? {})) {
    if (!isObject(filled) || filled[name] === undefined || isList(dependency)) continue;
    filled = fillDefaults(dependency, filled, matches);
  }
  return filled;
}

function isList(dependency: Schema | readonly string[]): dependency is readonly string[] {
  return Array.isArray(dependency);
}
