import fc from 'fast-check';
import * as z from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { configurationSchema } from '../../src/model/schema.js';

type Schema = z.core.$ZodType;

/** Texts that careless writers of YAML, and careless users of objects, get wrong. */
const awkward = [
  'true',
  'null',
  '~',
  'y',
  'No',
  '123',
  '0o17',
  '1e3',
  '.inf',
  '2020-01-01',
  '12:30',
  '1_000',
  '-',
  '- a',
  'a: b',
  '#c',
  'a #b',
  '*a',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a`',
  '{a',
  '[a',
  '<<',
  '=',
  "it's",
  '"q"',
  ' lead',
  'trail ',
  '\ttab',
  'multi\nline\n',
  '\n\nlead',
  'a\n  b\n',
  'constructor',
  'toString',
  'Größe',
  '日本語',
  '🙂',
  '$env://A',
  '\u0007',
  '\u2028',
  '\u0085',
  'a'.repeat(90),
  'word '.repeat(40).trim(),
];

const text: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false, 0, 1.5, ''),
    fc.integer(),
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    mappingOf(tie('value')),
  ),
})).value;

/** Keys that are refused: the one that is no name of data, and those that a URL takes for the place above. */
const refusedKeys: readonly string[] = ['__proto__', '.', '..'];

/** A mapping by any keys but those that are never allowed. */
function mappingOf(value: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> {
  const key = fc.oneof(fc.constantFrom('count', 'key', 'constructor', 'limit-count', 'y', '1'), text);
  return fc
    .array(fc.tuple(key, value), { maxLength: 3 })
    .map((entries) => Object.fromEntries(entries.filter(([name]) => !refusedKeys.includes(name))));
}

/** What a schema's checks say of lengths. */
function lengths(schema: { readonly def: { readonly checks?: readonly z.core.$ZodCheck[] | undefined } }): {
  min: number;
  max: number;
} {
  let [min, max] = [0, 12];
  for (const { _zod: check } of schema.def.checks ?? []) {
    const def = check.def as { readonly check: string; readonly minimum?: number; readonly maximum?: number };
    if (def.check === 'min_length') min = def.minimum ?? 0;
    if (def.check === 'max_length') max = Math.min(max, def.maximum ?? max);
  }
  return { min, max };
}

function numberOf(schema: z.ZodNumber): fc.Arbitrary<number> {
  const low = Math.max(schema.minValue ?? -Infinity, -1e6);
  const high = Math.min(schema.maxValue ?? Infinity, 1e6);
  const whole = fc.integer({ min: Math.ceil(low), max: Math.floor(high) });
  if (schema.isInt) return whole;
  const exclusive = low === 0 ? 0.001 : low;
  return fc.oneof(
    whole.map((value) => Math.max(value, exclusive)),
    fc.integer({ min: 1, max: 1000 }).map((value) => value / 8),
  );
}

function stringOf(schema: z.ZodString): fc.Arbitrary<string> {
  const examples = z.globalRegistry.get(schema)?.['examples'];
  if (Array.isArray(examples)) return fc.constantFrom(...(examples as string[]));
  const { min } = lengths(schema);
  if (schema.def.checks?.some(({ _zod: check }) => 'pattern' in check.def))
    return fc.stringMatching(/^[a-zA-Z0-9_.-]{1,12}$/);
  return text.map((value) => (value.length < min ? 'x'.repeat(min) : value));
}

/** How a mapping that its fields alone do not make valid is made so. */
type Repair = (value: Record<string, Json>) => void;

/** The rules between fields, by the fields that only these mappings have. */
const repairs: readonly { readonly has: readonly string[]; readonly repair: Repair }[] = [
  {
    has: ['nodes', 'discovery_type', 'service_name'],
    repair(upstream) {
      if ('discovery_args' in upstream || ('service_name' in upstream && !('nodes' in upstream))) {
        delete upstream['nodes'];
        if (!upstream['discovery_type']) upstream['discovery_type'] = 'dns';
        if (!upstream['service_name']) upstream['service_name'] = 'svc';
      } else {
        upstream['nodes'] ??= [];
        delete upstream['discovery_type'];
        delete upstream['service_name'];
      }
    },
  },
  {
    has: ['http_request_headers', 'req_headers'],
    repair(check) {
      if ('req_headers' in check) delete check['http_request_headers'];
    },
  },
  {
    has: ['routes', 'stream_routes'],
    repair(service) {
      if (Array.isArray(service['stream_routes']) && service['stream_routes'].length > 0) delete service['routes'];
      else delete service['stream_routes'];
      if ('upstream' in service) delete service['upstream_id'];
      else if (!('upstream_id' in service)) delete service['upstreams'];
      if ('path_prefix' in service) service['path_prefix'] = '/prefix';
    },
  },
];

function objectOf(schema: z.ZodObject): fc.Arbitrary<Json> {
  const shape = schema.shape as Readonly<Record<string, Schema>>;
  const requiredKeys = Object.keys(shape).filter((key) => !isOptional(shape[key]));
  const model = Object.fromEntries(Object.entries(shape).map(([key, member]) => [key, arbitraryOf(member)]));
  const found = repairs.find(({ has }) => has.every((key) => key in shape));
  return (fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<Record<string, Json>>).map(
    (value) => {
      found?.repair(value);
      return value;
    },
  );
}

function isOptional(schema: Schema | undefined): boolean {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
}

/**
 * Generates what a schema accepts as its input, read off the schema itself: numbers also as strings, defaults also left
 * out. A schema that holds something this does not know is an error, so that no field is ever left out quietly.
 */
export function arbitraryOf(schema: Schema): fc.Arbitrary<Json> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return arbitraryOf(schema.def.innerType);
  if (schema instanceof z.ZodObject) return objectOf(schema);
  if (schema instanceof z.ZodArray) {
    const { min } = lengths(schema);
    return fc.array(arbitraryOf(schema.element), { minLength: min, maxLength: min + 2 });
  }
  if (schema instanceof z.ZodRecord) return mappingOf(arbitraryOf(schema.valueType));
  if (schema instanceof z.ZodUnion) {
    // The one union of the schemas is a label: a list of them must not hold white space.
    return fc.oneof(text, fc.array(fc.stringMatching(/^[!-~]{0,8}$/), { maxLength: 3 }));
  }
  if (schema instanceof z.ZodPipe && schema.def.out instanceof z.ZodNumber) {
    return fc.tuple(numberOf(schema.def.out), fc.boolean()).map(([value, asText]) => (asText ? String(value) : value));
  }
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...(schema.options as string[]));
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodString) return stringOf(schema);
  if (schema instanceof z.ZodCustom)
    return z.globalRegistry.get(schema)?.description === undefined ? json : mappingOf(json);
  throw new Error(`the generator knows no ${schema.constructor.name}: teach it`);
}

/** Every field of a schema, as a path such as `services[].routes[].name`. */
export function fieldsOf(schema: Schema, prefix = ''): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return fieldsOf(schema.def.innerType, prefix);
  if (schema instanceof z.ZodArray) return fieldsOf(schema.element, `${prefix}[]`);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Readonly<Record<string, Schema>>).flatMap(([key, member]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...fieldsOf(member, path)];
  });
}

/** Every field that a value has, written as {@link fieldsOf} writes them. */
export function fieldsIn(value: Json, prefix = '', into = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) fieldsIn(item, `${prefix}[]`, into);
  else if (isJsonObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      into.add(path);
      fieldsIn(child, path, into);
    }
  }
  return into;
}

/** Gives every name and every explicit id a number of its own: siblings of one name are errors. */
function makeUnique(document: JsonObject): JsonObject {
  let count = 0;
  const visit = (value: Json, group?: string): Json => {
    if (Array.isArray(value)) return value.map((item: Json) => visit(item, group));
    if (!isJsonObject(value)) return value;
    const result: Record<string, Json> = { ...value };
    const number = (count += 1);
    if (typeof value['id'] === 'string') result['id'] = `${value['id']}-${number}`;
    if (typeof value['name'] === 'string') result['name'] = `${value['name']}~${number}`;
    if (typeof value['username'] === 'string') result['username'] = `${value['username']}~${number}`;
    if (group !== undefined && 'group_id' in value) result['group_id'] = group;
    for (const field of ['upstream_id', 'plugin_config_id', 'group_id']) {
      if (field in result && group === undefined) result[field] = `id-${number}`;
    }
    if (Array.isArray(value['snis'])) result['snis'] = [...(value['snis'] as Json[]), `n${number}.test`];
    for (const key of nesting) {
      const child = result[key];
      if (child !== undefined) result[key] = visit(child, key === 'consumers' ? (result['name'] as string) : undefined);
    }
    return result;
  };
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(document)) result[key] = Array.isArray(value) ? visit(value) : value;
  return result;
}

const nesting = ['upstreams', 'routes', 'stream_routes', 'credentials', 'consumers'];

/** Configurations that pass every check, with every field that the schema knows. */
export const anyConfiguration: fc.Arbitrary<JsonObject> = arbitraryOf(configurationSchema).map((document) =>
  makeUnique(document as JsonObject),
);
