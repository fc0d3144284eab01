import { describe, expect, test } from 'vitest';
import { describeJsonError } from '../admin/body.js';
import type { Json } from '../json.js';
import { when } from './build.js';
import type { Schema } from './schema.js';
import { soundSchema } from './sound.js';
import { Validator } from './validator.js';

function check(schema: Schema, value: Json): Json {
  const checked = new Validator().check(schema, value);
  return checked.ok ? checked.value : checked.error;
}

describe('what is wrong is said as a gateway says it', () => {
  test.each<[string, Schema, Json]>([
    ['wrong type: expected object, got string', { type: 'object' }, 'x'],
    ['wrong type: expected one of string, number, got table', { type: ['string', 'number'] }, {}],
    ['property "a" is required', { required: ['a'] }, {}],
    [
      'property "a" validation failed: property "b" validation failed: wrong type: expected integer, got boolean',
      { properties: { a: { type: 'object', properties: { b: { type: 'integer' } } } } },
      { a: { b: true } },
    ],
    ['additional properties forbidden, found b', { properties: { a: {} }, additionalProperties: false }, { b: 1 }],
    [
      'failed to validate additional property b: wrong type: expected string, got number',
      { additionalProperties: { type: 'string' } },
      { b: 1 },
    ],
    ['expect object to have at least 1 properties', { type: 'object', minProperties: 1 }, {}],
    ['property "b" is required when "a" is set', { dependencies: { a: ['b'] } }, { a: 1 }],
    ['expect array to have at least 1 items', { type: 'array', minItems: 1 }, []],
    ['expect array to have at most 1 items', { type: 'array', maxItems: 1 }, [1, 2]],
    ['failed to validate item 2: wrong type: expected string, got number', { items: { type: 'string' } }, ['a', 1]],
    ['expected unique items but items 1 and 3 are equal', { uniqueItems: true }, ['a', 'b', 'a']],
    ['string too short, expected at least 2, got 1', { minLength: 2 }, 'ä'],
    ['expected 0 to be at least 1', { minimum: 1 }, 0],
    ['expected 0 to be greater than 0', { exclusiveMinimum: 0 }, 0],
    ['expected 2 to be at most 1', { maximum: 1 }, 2],
    ['matches none of the enum values', { enum: ['a'] }, 'b'],
    ['object matches none of the required', { anyOf: [{ type: 'string' }, { type: 'number' }] }, true],
    ['object matches none of the required: ["a"] or ["b"]', { anyOf: [{ required: ['a'] }, { required: ['b'] }] }, {}],
    ['value should match only one schema, but matches none', { oneOf: [{ type: 'string' }] }, 1],
    [
      'value should match only one schema, but matches both schemas 1 and 2',
      { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { a: 1, b: 1 },
    ],
    ["value wasn't supposed to match schema", { not: { required: ['a'] } }, { a: 1 }],
    ['allOf 2 failed: property "b" is required', { allOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1 }],
  ])('%s', (expected, schema, value) => {
    expect(check(schema, value)).toBe(expected);
  });

  test('a property is complained of before what the object lacks as a whole', () => {
    const schema: Schema = { properties: { uri: { type: 'string' } }, anyOf: [{ required: ['service_id'] }] };
    expect(check(schema, { uri: 7 })).toBe('property "uri" validation failed: wrong type: expected string, got number');
  });
});

describe('defaults', () => {
  test('are filled in where they apply, and nowhere else', () => {
    const node: Schema = { type: 'object', properties: { priority: { default: 0 } }, required: ['host'] };
    const schema: Schema = {
      properties: {
        nodes: {
          anyOf: [{ type: 'object', properties: { wrong: { default: 1 } }, required: ['no'] }, { items: node }],
        },
        retries: { type: 'integer' },
        scheme: { default: 'http' },
      },
    };
    const given = { nodes: [{ host: 'a' }, { host: 'b', priority: 5 }] };
    expect(check(schema, given)).toEqual({
      nodes: [
        { host: 'a', priority: 0 },
        { host: 'b', priority: 5 },
      ],
      scheme: 'http',
    });
    expect(given).toEqual({ nodes: [{ host: 'a' }, { host: 'b', priority: 5 }] });
  });

  test('decide which branch applies', () => {
    const schema: Schema = {
      properties: { policy: { default: 'local' } },
      ...when(
        { properties: { policy: { enum: ['redis'] } } },
        { required: ['host'] },
        { properties: { size: { default: 9 } } },
      ),
    };
    expect(check(schema, {})).toEqual({ policy: 'local', size: 9 });
    expect(check(schema, { policy: 'redis' })).toBe('then clause did not match');
  });
});

test('a schema as a gateway gives it is made sound', () => {
  expect(
    soundSchema({
      properties: { type: 'object', a: { type: 'string', minLength: '1', pattern: '(?i)x' } },
      required: {},
      items: { properties: [] },
      $ref: '#/elsewhere',
    }),
  ).toEqual({ properties: { a: { type: 'string', minLength: 1 } }, items: {} });
});

describe('a body that is no JSON', () => {
  test.each([
    ['{bad', 'Expected object key string but found invalid token at character 2'],
    ['', 'Expected value but found T_END at character 1'],
    ['{"a" 1}', 'Expected colon but found T_NUMBER at character 6'],
    ['{"a":}', 'Expected value but found T_OBJ_END at character 6'],
    ['{"a":1,}', 'Expected object key string but found T_OBJ_END at character 8'],
    ['[1 2]', 'Expected comma or array end but found T_NUMBER at character 4'],
    ['{"a":1', 'Expected comma or object end but found T_END at character 7'],
    ['{} x', 'Expected the end but found invalid token at character 4'],
  ])('%s', (text, expected) => {
    expect(describeJsonError(text)).toBe(expected);
  });
});
