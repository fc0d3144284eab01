import * as z from 'zod';
import { toNumber } from './scalars.js';

/**
 * Says what a schema makes of a value that it accepts, sooner than the schema itself; undefined where only the schema can tell.
 *
 * What is in its final form already is given back as it is, with its keys in their order: nothing of it is copied.
 */
export type Acceptor = (value: unknown) => unknown;

/** Whether a value meets a further condition of its schema. */
type Test = (value: unknown) => boolean;

/**
 * Makes an acceptor of a schema. It is derived from the definition of the schema, so that there is one place that says what is
 * allowed; what it does not know of definitions (transformations, other kinds of schemas and of checks) it has zod do.
 */
export function compileAcceptor(schema: z.core.$ZodType): Acceptor {
  const def = definitionOf(schema);
  const tests = testsOf(def);
  if (tests === undefined) return fallback(schema);
  switch (def.type) {
    case 'string':
      return scalar((value) => typeof value === 'string', tests);
    case 'number':
      return scalar(Number.isFinite, tests);
    case 'boolean':
      return scalar((value) => typeof value === 'boolean', tests);
    case 'enum': {
      const entries = new Set<unknown>(Object.values(def.entries));
      return scalar((value) => entries.has(value), tests);
    }
    case 'custom':
      // A schema of this type is a check itself.
      return tests.length === 0 ? fallback(schema) : scalar((value) => value !== undefined, tests);
    case 'optional':
    case 'default':
      // What is absent is its mapping's business.
      return tests.length > 0 ? fallback(schema) : compileAcceptor(def.innerType);
    case 'pipe': {
      const from = definitionOf(def.in);
      if (tests.length > 0 || from.type !== 'transform' || from.transform !== toNumber) return fallback(schema);
      const accept = compileAcceptor(def.out);
      return (value) => accept(toNumber(value));
    }
    case 'union': {
      if (tests.length > 0) return fallback(schema);
      const options = def.options.map(compileAcceptor);
      return (value) => firstOf(options, value);
    }
    case 'array':
      return list(compileAcceptor(def.element), tests);
    case 'record': {
      const key = definitionOf(def.keyType);
      const isAnyString = key.type === 'string' && testsOf(key)?.length === 0;
      return isAnyString ? record(compileAcceptor(def.valueType), tests) : fallback(schema);
    }
    case 'object':
      return def.catchall !== undefined && definitionOf(def.catchall).type === 'never'
        ? mapping(def.shape, tests)
        : fallback(schema);
    default:
      return fallback(schema);
  }
}

function definitionOf({ _zod: internals }: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return (internals as z.core.$ZodTypes['_zod']).def;
}

/** Has zod look at a value. */
function fallback(schema: z.core.$ZodType): Acceptor {
  return (value) => z.core.safeParse(schema, value).data;
}

/** The conditions of a schema; undefined where there is one that is not known here. */
function testsOf(def: z.core.$ZodTypeDef): readonly Test[] | undefined {
  const checks: z.core.$ZodCheckDef[] = (def.checks ?? []).map(({ _zod: check }) => check.def);
  const tests = ('check' in def ? [def as unknown as z.core.$ZodCheckDef, ...checks] : checks).map(testOf);
  return tests.every((test) => test !== undefined) ? tests : undefined;
}

function testOf(check: z.core.$ZodCheckDef): Test | undefined {
  const def = check as z.core.$ZodChecks['_zod']['def'] | z.core.$ZodCustomDef;
  switch (def.check) {
    case 'min_length':
      return (value) => (value as { readonly length: number }).length >= def.minimum;
    case 'max_length':
      return (value) => (value as { readonly length: number }).length <= def.maximum;
    case 'greater_than':
      return (value) => (def.inclusive ? Number(value) >= Number(def.value) : Number(value) > Number(def.value));
    case 'less_than':
      return (value) => (def.inclusive ? Number(value) <= Number(def.value) : Number(value) < Number(def.value));
    case 'number_format':
      return def.format === 'safeint' ? Number.isSafeInteger : undefined;
    case 'string_format': {
      const { pattern } = def;
      return def.format === 'regex' && pattern?.flags === '' ? (value) => pattern.test(String(value)) : undefined;
    }
    case 'custom':
      return 'fn' in def ? (value) => def.fn(value) === true : undefined;
    default:
      return undefined;
  }
}

function passes(value: unknown, tests: readonly Test[]): boolean {
  for (const test of tests) if (!test(value)) return false;
  return true;
}

function scalar(isOfType: Test, tests: readonly Test[]): Acceptor {
  return (value) => (isOfType(value) && passes(value, tests) ? value : undefined);
}

function firstOf(options: readonly Acceptor[], value: unknown): unknown {
  for (const accept of options) {
    const accepted = accept(value);
    if (accepted !== undefined) return accepted;
  }
  return undefined;
}

function list(accept: Acceptor, tests: readonly Test[]): Acceptor {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    let changed: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      const accepted = accept(item);
      if (accepted === undefined) return undefined;
      if (accepted !== item) {
        changed ??= value.slice();
        changed[index] = accepted;
      }
    }
    const result = changed ?? value;
    return passes(result, tests) ? result : undefined;
  };
}

/** Whether a value is a mapping that was made by a parser, or looks as if. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function record(accept: Acceptor, tests: readonly Test[]): Acceptor {
  return (value) => {
    if (!isPlain(value)) return undefined;
    let changed: Record<string, unknown> | undefined;
    for (const key of Object.keys(value)) {
      const accepted = key === '__proto__' ? undefined : accept(value[key]);
      if (accepted === undefined) return undefined;
      if (accepted !== value[key]) {
        changed ??= { ...value };
        changed[key] = accepted;
      }
    }
    const result = changed ?? value;
    return passes(result, tests) ? result : undefined;
  };
}

/** What stands for an absent field; undefined where it may not be absent, null where nothing stands for it. */
function absentOf(schema: z.core.$ZodType): (() => unknown) | null | undefined {
  const def = definitionOf(schema);
  if ((def.checks ?? []).length > 0) return undefined;
  if (def.type === 'default') return () => def.defaultValue;
  if (def.type === 'optional') return absentOf(def.innerType) ?? null;
  return undefined;
}

function mapping(shape: z.core.$ZodShape, tests: readonly Test[]): Acceptor {
  const fields = new Map<string, { readonly accept: Acceptor; readonly isRequired: boolean }>();
  const defaults: { readonly key: string; readonly make: () => unknown }[] = [];
  let required = 0;
  for (const [key, schema] of Object.entries(shape)) {
    const make = absentOf(schema);
    if (make === undefined) required++;
    else if (make !== null) defaults.push({ key, make });
    fields.set(key, { accept: compileAcceptor(schema), isRequired: make === undefined });
  }
  return (value) => {
    if (!isPlain(value)) return undefined;
    let changed: Record<string, unknown> | undefined;
    let missing = required;
    for (const key of Object.keys(value)) {
      const field = fields.get(key);
      if (field === undefined) return undefined;
      if (field.isRequired) missing--;
      const accepted = field.accept(value[key]);
      if (accepted === undefined) return undefined;
      if (accepted !== value[key]) {
        changed ??= { ...value };
        changed[key] = accepted;
      }
    }
    if (missing > 0) return undefined;
    for (const { key, make } of defaults) {
      if (Object.hasOwn(value, key)) continue;
      changed ??= { ...value };
      changed[key] = make();
    }
    const result = changed ?? value;
    return passes(result, tests) ? result : undefined;
  };
}
