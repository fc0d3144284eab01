import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import type { Draw } from './draw.js';

/** Texts of which one fits most patterns of gateways. */
const texts = [
  'a',
  'some-text',
  '/path',
  'http://a.test',
  'https://a.test:8443/x',
  '10.0.0.1',
  'a.test',
  '$host',
  '0123456789abcdef',
  '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  'redis://10.0.0.1:6379',
  'key:value',
  '*',
];

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
}

function textOf(draw: Draw, schema: JsonObject): string {
  const pattern = typeof schema['pattern'] === 'string' ? schema['pattern'] : '';
  const least = typeof schema['minLength'] === 'number' ? schema['minLength'] : 0;
  const most = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : 1000;
  const fitting = texts.filter((text) => text.length >= least && text.length <= most && matches(pattern, text));
  return fitting.length === 0 ? 'a'.repeat(Math.max(least, 1)) : draw.pick(fitting);
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return true;
  }
}

function numberOf(draw: Draw, schema: JsonObject): number {
  const of = (name: string): number | undefined => {
    const value = schema[name];
    return typeof value === 'number' ? value : undefined;
  };
  const least = of('minimum') ?? (of('exclusiveMinimum') === undefined ? 0 : (of('exclusiveMinimum') ?? 0) + 1);
  const most = of('maximum') ?? least + 1000;
  const number = Math.min(most, Math.ceil(least) + draw.pick([0, 1, 2, 50]));
  return schema['type'] === 'number' && draw.chance(20) ? Math.min(most, number + 0.5) : number;
}

function objectOf(draw: Draw, schema: JsonObject, depth: number): JsonObject {
  const properties = isJsonObject(schema['properties'] ?? null) ? (schema['properties'] as JsonObject) : {};
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly Json[]) : [];
  const value: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (name === '_meta' || !isJsonObject(property)) continue;
    if (required.includes(name) || draw.chance(depth > 3 ? 5 : 25))
      value[name] = drawFromSchema(draw, property, depth + 1);
  }
  const least = typeof schema['minProperties'] === 'number' ? schema['minProperties'] : 0;
  const first = Object.entries(properties)[0];
  if (Object.keys(value).length < least && first !== undefined && isJsonObject(first[1]))
    value[first[0]] = drawFromSchema(draw, first[1], depth + 1);
  if (Object.keys(properties).length === 0 && draw.chance(40)) value['x-any'] = draw.pick(['one', '$host']);
  return value;
}

/**
 * Draws a value of a JSON Schema as gateways have them. Most are valid; which are not, the gateway says.
 */
export function drawFromSchema(draw: Draw, schema: JsonObject, depth = 0): Json {
  const initial = schema['default'];
  if (initial !== undefined && draw.chance(15)) return initial;
  if (Array.isArray(schema['enum'])) return draw.pick(schema['enum'] as readonly Json[]);
  if (schema['const'] !== undefined) return schema['const'];
  const branches = [...list(schema['oneOf']), ...list(schema['anyOf'])];
  const { oneOf: _one, anyOf: _any, ...rest } = schema;
  if (branches.length > 0) return drawFromSchema(draw, merge(rest, draw.pick(branches)), depth);
  const all = list(schema['allOf']);
  if (all.length > 0) {
    const { allOf: _all, ...own } = schema;
    return drawFromSchema(draw, all.reduce(merge, own), depth);
  }
  const type = Array.isArray(schema['type']) ? draw.pick(schema['type'] as readonly Json[]) : schema['type'];
  switch (type) {
    case 'string':
      return textOf(draw, schema);
    case 'integer':
    case 'number':
      return numberOf(draw, schema);
    case 'boolean':
      return draw.chance(50);
    case 'array': {
      const least = typeof schema['minItems'] === 'number' ? schema['minItems'] : 0;
      const items = schema['items'];
      return Array.from({ length: least + draw.int(0, 1) }, () =>
        isJsonObject(items ?? null) ? drawFromSchema(draw, items as JsonObject, depth + 1) : 'item',
      );
    }
    default: {
      const value = objectOf(draw, schema, depth);
      return withBranch(draw, schema, value, depth);
    }
  }
}

/** What an `if` asks for besides, where it applies. */
function withBranch(draw: Draw, schema: JsonObject, value: JsonObject, depth: number): JsonObject {
  const condition = schema['if'];
  if (!isJsonObject(condition ?? null)) return value;
  const branch = schema[applies(condition as JsonObject, value) ? 'then' : 'else'];
  if (!isJsonObject(branch ?? null)) return value;
  const more = drawFromSchema(draw, { type: 'object', ...(branch as JsonObject) }, depth + 1);
  return isJsonObject(more) ? { ...more, ...value } : value;
}

function applies(condition: JsonObject, value: JsonObject): boolean {
  return Object.entries((condition['properties'] as JsonObject | undefined) ?? {}).every(([name, property]) => {
    const allowed = isJsonObject(property) ? property['enum'] : undefined;
    const held = value[name];
    return held === undefined || !Array.isArray(allowed) || (allowed as readonly Json[]).includes(held);
  });
}

function merge(base: JsonObject, more: JsonObject): JsonObject {
  const own = (base['properties'] as JsonObject | undefined) ?? {};
  const added = (more['properties'] as JsonObject | undefined) ?? {};
  const required = [base['required'], more['required']].flatMap((names) =>
    Array.isArray(names) ? (names as readonly Json[]) : [],
  );
  return { ...base, ...more, properties: { ...own, ...added }, required };
}
