import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Json, JsonObject } from '../../src/model/json.js';
import { configurationSchema } from '../../src/model/schema.js';
import { compileAcceptor } from '../../src/model/schema/acceptor.js';
import { int } from '../../src/model/schema/scalars.js';
import { anyConfiguration } from '../support/arbitrary.js';
import { deepFreeze } from '../support/deep-freeze.js';

const accept = compileAcceptor(configurationSchema);

/** Checks that what is accepted is what the schema makes of it. Gives whether it was. */
function agrees(document: unknown): boolean {
  const accepted = accept(deepFreeze(document));
  if (accepted === undefined) return false;
  const parsed = configurationSchema.safeParse(document);
  expect(parsed.success, JSON.stringify(document)).toBe(true);
  expect(isDeepStrictEqual(accepted, parsed.data), JSON.stringify([accepted, parsed.data])).toBe(true);
  return true;
}

/** All places of a document. */
function placesIn(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

/** The document with something else in one place, or with nothing there. */
function changed(value: Json, [key, ...rest]: readonly string[], put: Json | undefined): Json {
  if (key === undefined) return put ?? null;
  const inner = (value as JsonObject)[key] ?? null;
  const next = rest.length === 0 ? put : changed(inner, rest, put);
  if (Array.isArray(value))
    return value.flatMap((item: Json, index) => (String(index) !== key ? [item] : next === undefined ? [] : [next]));
  const copy: Record<string, Json> = { ...(value as JsonObject) };
  delete copy[key];
  return next === undefined ? copy : { ...copy, [key]: next };
}

/** What may stand anywhere, rightly or wrongly. */
const anything = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    0.5,
    80,
    65_536,
    1e20,
    '',
    ' ',
    '80',
    '1.5',
    '-0',
    'http',
    '/a',
    'a b',
    [],
    {},
    [''],
    [null],
  ),
  fc.constantFrom<Json>({ a: 1 }, { name: 'a' }, ['GET'], [{}], '10.0.0.0/8', '$env://A', 'x'.repeat(65_537)),
);

describe('an acceptor of a schema', () => {
  test('accepts every configuration that is right, and makes of it what the schema does', () => {
    fc.assert(
      fc.property(anyConfiguration, (document) => {
        expect(agrees(document)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('accepts nothing that the schema refuses, and makes of the rest what the schema does', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        anyConfiguration,
        fc.array(fc.tuple(fc.nat(), fc.option(anything, { nil: undefined }), fc.boolean()), {
          minLength: 1,
          maxLength: 2,
        }),
        (start, edits) => {
          let document: Json = start;
          for (const [where, put, asNewKey] of edits) {
            const places = placesIn(document).slice(1);
            const place = places[where % Math.max(places.length, 1)];
            if (place === undefined) continue;
            document = changed(document, asNewKey ? [...place.slice(0, -1), 'priority'] : place, put);
          }
          if (agrees(document)) accepted++;
          else refused++;
        },
      ),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  test('gives what is in its final form back as it is, and copies only what is around a change', () => {
    const plugins = { 'limit-count': { count: 1 } };
    const done = deepFreeze({ services: [{ name: 'a', routes: [{ uris: ['/'], name: 'b', plugins }] }] });
    expect(accept(done)).toBe(done);
    const service = { name: 'a', upstream: { nodes: [{ host: 'b', port: '80', weight: 1 }] }, plugins };
    const other = { name: 'c' };
    const [first, second] = (accept(deepFreeze({ services: [service, other] })) as { services: JsonObject[] }).services;
    expect(first?.['upstream']).toMatchObject({ type: 'roundrobin', nodes: [{ port: 80, priority: 0 }] });
    expect(first?.['plugins']).toBe(plugins);
    expect(second).toBe(other);
  });

  test.each<[string, unknown]>([
    ['a key of a prototype', Object.create({ services: [] })],
    ['a field that is undefined', { services: undefined }],
    ['an item that is undefined', { services: [undefined] }],
    ['a list with a hole', { services: Array.from({ length: 1 }, () => ({ name: 'a', hosts: Array(1) })) }],
    ['another kind of object', new Map()],
    ['the key __proto__', JSON.parse('{ "global_rules": { "__proto__": {} } }')],
  ])('leaves %s to the schema', (_, document) => {
    expect(accept(document)).toBeUndefined();
  });

  test.each<[string, z.ZodType, readonly unknown[]]>([
    ['a transformation', z.string().transform((text) => text.length), ['abc', 1]],
    ['a check that changes what it checks', z.string().trim(), [' a ', 1]],
    ['another format', z.string().email(), ['a@b.test', 'a']],
    ['a number of another format', z.int32(), [1, 2 ** 40, '1']],
    [
      'a condition on what is optional',
      z.strictObject({
        a: int(1)
          .optional()
          .refine((a) => a !== 2),
      }),
      [{ a: 1 }, { a: 2 }, {}],
    ],
    [
      'a condition on what stands for nothing',
      z.strictObject({
        a: int(1)
          .default(2)
          .refine((a) => a !== 2),
      }),
      [{ a: 1 }, {}],
    ],
    ['a mapping that is open', z.looseObject({ a: int(1) }), [{ a: '1', b: 2 }, { b: 2 }]],
    ['a mapping with keys of a form', z.record(z.string().max(1), int(1)), [{ a: '1' }, { ab: 1 }]],
    ['null', z.strictObject({ a: z.string().nullable() }), [{ a: null }, { a: 'b' }, {}]],
    ['the first of several that accepts', z.union([int(5), z.string()]), ['7', 'a', 1]],
    ['a default of an optional field', z.strictObject({ a: z.string().default('b').optional() }), [{}, { a: 'c' }]],
    ['an expression with state', z.string().regex(/a/g), ['a', 'a', 'a']],
  ])('does what zod does: %s', (_, schema, values) => {
    const acceptOne = compileAcceptor(schema);
    for (const value of values) {
      const parsed = schema.safeParse(value);
      const accepted = acceptOne(value);
      if (accepted !== undefined) expect(accepted).toStrictEqual(parsed.data);
      if (accepted !== undefined) expect(parsed.success).toBe(true);
    }
    expect(values.some((value) => acceptOne(value) !== undefined)).toBe(true);
  });
});
