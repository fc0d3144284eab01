import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type Json } from '../../src/model/json.js';
import { configurationSchema } from '../../src/model/schema.js';
import type { State } from '../../src/model/resource.js';
import { dumpDocument, toYaml } from '../../src/pipeline/config/dump.js';
import { parseText } from '../../src/pipeline/config/parse.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import { anyConfiguration, fieldsIn, fieldsOf } from '../support/arbitrary.js';
import { deepFreeze } from '../support/deep-freeze.js';

const options = { lint: true, managedBy: false } as const;

/** A state as plain data, without where it was written and in one order. */
function comparable(state: State): unknown {
  return [...state.resources.values()]
    .map(({ key, kind, id, name, parent, body }) => ({ key, kind, id, name, parent, body }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

describe('a configuration, resolved and written down again', () => {
  test('means the same state, with ids and without, and its input is left as it was', () => {
    fc.assert(
      fc.property(anyConfiguration, fc.boolean(), (document, withId) => {
        const { state } = resolveConfiguration(deepFreeze(document), options);
        const dumped = deepFreeze(dumpDocument(state, { withId }));
        const again = resolveConfiguration(dumped, options);
        expect(comparable(again.state)).toEqual(comparable(state));
      }),
      { numRuns: 150 },
    );
  });

  test('survives its text: YAML says what the document says', () => {
    fc.assert(
      fc.property(anyConfiguration, (document) => {
        const dumped = dumpDocument(resolveConfiguration(document, options).state, { withId: false });
        const text = toYaml(dumped);
        const parsed = parseText(text, 'yaml');
        expect(parsed.ok && parsed.document).toEqual(dumped);
        expect(load(text)).toEqual(dumped);
      }),
      { numRuns: 100 },
    );
  });

  test('is dumped the same whatever the order of the gateway', () => {
    fc.assert(
      fc.property(anyConfiguration, (document) => {
        const { state } = resolveConfiguration(document, options);
        const reversed: State = { resources: new Map([...state.resources].toReversed()) };
        expect(toYaml(dumpDocument(reversed, { withId: false }))).toBe(toYaml(dumpDocument(state, { withId: false })));
      }),
      { numRuns: 50 },
    );
  });
});

test('the generator makes every field that the schemas have', () => {
  const seen = new Set<string>();
  for (const document of fc.sample(anyConfiguration, { numRuns: 400, seed: 1 })) {
    for (const field of fieldsIn(document)) seen.add(field);
  }
  expect(fieldsOf(configurationSchema).filter((field) => !seen.has(field))).toEqual([]);
});

test('no body of a state has a key whose value is missing', () => {
  const missing = (value: Json | undefined): boolean =>
    value === undefined ||
    (Array.isArray(value)
      ? (value as Json[]).some(missing)
      : isJsonObject(value) && Object.values(value).some(missing));
  fc.assert(
    fc.property(anyConfiguration, (document) => {
      for (const { body } of resolveConfiguration(document, options).state.resources.values()) {
        expect(missing(body)).toBe(false);
      }
    }),
    { numRuns: 30 },
  );
});
