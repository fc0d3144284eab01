import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNormaliser } from '../../src/backend/apisix/normalise.js';
import type { Schemas } from '../../src/backend/apisix/schemas.js';
import { canonical, canonicalSides } from '../../src/backend/shared/canonical.js';
import { compileDefaults } from '../../src/backend/shared/defaults.js';
import { asObject, omit } from '../../src/backend/shared/values.js';
import { equalJson } from '../../src/model/equal.js';
import type { Json, JsonObject } from '../../src/model/json.js';
import type { Kind } from '../../src/model/kinds.js';
import { resourceKey, type Resource } from '../../src/model/resource.js';
import { fieldChanges } from '../../src/pipeline/diff/fields.js';
import { deepFreeze } from '../support/states.js';

const pluginSchema = JSON.parse(`{
  "properties": {
    "count": { "type": "integer" },
    "policy": { "type": "string", "default": "local" },
    "list": { "type": "array", "default": {}, "items": { "properties": { "weight": { "default": 1 } } } },
    "nested": { "properties": { "depth": { "default": 3 } } }
  },
  "if": { "properties": { "policy": { "enum": ["redis"] } }, "required": ["policy"] },
  "then": { "properties": { "timeout": { "default": 1000 } } },
  "dependencies": { "count": { "properties": { "window": { "default": 60 } } } },
  "patternProperties": { "^x_": { "properties": { "on": { "default": true } } } }
}`) as JsonObject;
const coreSchema: JsonObject = {
  properties: { priority: { default: 0 }, status: { default: 1 }, timeout: { properties: { read: { default: 6 } } } },
  // No gateway has one here so far; what is left out because it is the same must not take its place.
  dependencies: { desc: { properties: { described: { default: true } } } },
  oneOf: [{ required: ['uri'] }],
};
const schemas: Schemas = { core: async () => coreSchema, plugin: async () => pluginSchema };

const small = fc.constantFrom<Json>(0, 1, 'local', 'redis', true, [], {}, [[]]);
const config: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.dictionary(fc.constantFrom('count', 'policy', 'timeout', 'window', 'nested', 'x_a', '__proto__'), small, {
    maxKeys: 3,
  }),
  fc.constantFrom<JsonObject>(
    { list: [{}, { weight: 1 }] },
    { list: [{ weight: 1 }, {}] },
    { list: {} },
    { x_a: { on: true }, nested: {} },
    { x_a: {}, nested: { depth: 3 } },
    { count: 1, window: 60, policy: 'redis' },
    { count: 1, policy: 'redis', timeout: 1000 },
  ),
);
const fields = {
  name: fc.constant('n'),
  desc: fc.constant('about'),
  described: fc.boolean(),
  priority: fc.constantFrom(0, 1),
  status: fc.constantFrom(0, 1),
  labels: fc.constantFrom<Json>({}, { a: ['x', 'y'] }, { a: '["x","y"]' }),
  hosts: fc.constantFrom<Json>([], ['h']),
  timeout: fc.constantFrom<Json>({}, { read: 6 }, { read: 7 }),
  nodes: fc.constantFrom<Json>([{ host: 'a' }, { host: 'b' }], [{ host: 'b' }, { host: 'a' }]),
  upstream: fc.constantFrom<Json>({ nodes: [] }, { nodes: [], priority: 0 }, { status: 1 }),
  plugins: fc.dictionary(fc.constantFrom('limit-count', 'other', '__proto__'), config, { maxKeys: 2 }),
};
const body: fc.Arbitrary<JsonObject> = fc.record(fields, { requiredKeys: [] });
const kinds: readonly Kind[] = ['route', 'service', 'upstream', 'plugin_config', 'global_rule'];

function resource(kind: Kind, content: JsonObject): Resource {
  return { kind, id: 'limit-count', key: resourceKey(kind, 'limit-count'), name: 'n', body: content };
}

/** A whole body as the normaliser has to see it: everything filled, not only what differs. */
function whole(kind: Kind, content: JsonObject): JsonObject {
  const fill = (schema: JsonObject, value: Json): JsonObject => asObject(compileDefaults(schema)?.(value)) ?? {};
  const shape = canonical(kind, content);
  if (kind === 'global_rule') return canonical(kind, fill(pluginSchema, shape));
  const { plugins, upstream, ...rest } = shape;
  const configured = Object.entries(asObject(plugins) ?? {}).map(([name, one]) => [name, fill(pluginSchema, one)]);
  return canonical(kind, {
    ...fill(omit(coreSchema, ['oneOf']), rest),
    ...(upstream === undefined ? {} : { upstream: fill(coreSchema, upstream) }),
    ...(plugins === undefined ? {} : { plugins: Object.fromEntries(configured) as JsonObject }),
  });
}

describe('what differs', () => {
  it('is the same whether whole bodies are put in one form, or only what differs as it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), body, body, (kind, current, desired) => {
        const { lhs, rhs } = canonicalSides(kind, deepFreeze(current), deepFreeze(desired));
        expect(fieldChanges(lhs, rhs)).toEqual(fieldChanges(canonical(kind, current), canonical(kind, desired)));
      }),
      { numRuns: 300 },
    );
  });

  it('is the same whether whole bodies are filled with defaults, or only what differs in form', async () => {
    const without: Partial<Record<Kind, readonly string[]>> = { service: [], upstream: ['plugins', 'upstream'] };
    const bodyOf = (kind: Kind): fc.Arbitrary<JsonObject> =>
      kind === 'global_rule' ? config : body.map((one) => omit(one, without[kind] ?? ['upstream']));
    const pairs = fc.constantFrom(...kinds).chain((kind) => fc.tuple(fc.constant(kind), bodyOf(kind), bodyOf(kind)));
    await fc.assert(
      fc.asyncProperty(pairs, async ([kind, left, right]) => {
        const [current, desired] = [deepFreeze(left), deepFreeze(right)];
        const pair = { current: resource(kind, current), desired: resource(kind, desired) };
        const normalise = await createNormaliser([pair], { resources: new Map() }, schemas, 1);
        const { lhs, rhs } = normalise(pair);
        const expected = fieldChanges(whole(kind, current), whole(kind, desired));
        // What only one side has is shown as that side has it; where a schema is not needed nothing is added to it.
        expect(fieldChanges(lhs, rhs).map(pathOf)).toEqual(expected.map(pathOf));
      }),
      { numRuns: 400 },
    );
  });
});

function pathOf({ kind, path }: { readonly kind: string; readonly path: readonly (string | number)[] }): string {
  return `${kind} ${path.join('.')}`;
}

it('takes a key that is named as the prototype is for a key', () => {
  const odd = JSON.parse('{"__proto__": {}}') as JsonObject;
  expect(equalJson(odd, { a: 1 })).toBe(false);
  expect(equalJson({ a: 1 }, odd)).toBe(false);
  expect(equalJson(odd, {})).toBe(false);
  expect(equalJson(odd, JSON.parse('{"__proto__": {}}') as JsonObject)).toBe(true);
  expect(equalJson({ toString: 'x', constructor: {} }, { a: 1, b: 2 })).toBe(false);
  expect(Object.hasOwn(canonicalSides('route', {}, odd).rhs, '__proto__')).toBe(true);
});
