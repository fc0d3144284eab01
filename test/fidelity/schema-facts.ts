const limits = new Set([
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
const unordered = new Set(['required', 'enum']);
const others = new Set([
  'type',
  'default',
  'pattern',
  'format',
  'items',
  'additionalProperties',
  'uniqueItems',
  'not',
  'if',
  'then',
  'else',
  'encrypt_fields',
  'error_msg',
]);
const maps = new Set(['properties', 'patternProperties', 'dependencies']);
const alternatives = new Set(['anyOf', 'oneOf', 'allOf']);

/**
 * What a schema states, without its prose and without words that mean nothing: names, types, what is required, limits, defaults, patterns. What a gateway
 * writes in several ways is written in one: a limit as text, an empty table as a list.
 */
export function schemaFacts(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.length === 0 ? {} : schema.map(schemaFacts);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => [limits, unordered, maps, alternatives, others].some((known) => known.has(name)))
      .map(([name, value]: [string, unknown]) => [name, factOf(name, value)]),
  );
}

function factOf(name: string, value: unknown): unknown {
  if (limits.has(name)) return Number(value);
  if (unordered.has(name))
    return asList(value)
      .map((item) => JSON.stringify(item))
      .toSorted();
  if (name === 'default') return value;
  // The order of alternatives differs from run to run, as that of keys does.
  if (alternatives.has(name))
    return asList(value)
      .map((item) => JSON.stringify(sorted(schemaFacts(item))))
      .toSorted();
  if (maps.has(name) && typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]: [string, unknown]) => [
        key,
        Array.isArray(inner) ? inner : schemaFacts(inner),
      ]),
    );
  }
  return schemaFacts(value);
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]: [string, unknown]) => [key, sorted(inner)]),
  );
}
