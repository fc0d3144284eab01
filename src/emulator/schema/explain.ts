import type { ErrorObject } from 'ajv';
import { isObject, type Json } from '../json.js';
import type { Schema } from './schema.js';

/**
 * Words the first error of a value in the gateway's way. The checker reports every error it finds; a gateway stops at
 * the first, looking at the type, then the properties one by one, then the alternatives.
 */
export function explain(schema: Schema, value: Json, errors: readonly ErrorObject[]): string {
  return new Explainer(errors).describe(schema, value, '') ?? errors[0]?.message ?? 'invalid';
}

class Explainer {
  readonly #errors: readonly ErrorObject[];

  constructor(errors: readonly ErrorObject[]) {
    this.#errors = errors;
  }

  describe(schema: Schema, value: Json, path: string): string | undefined {
    if (this.#find(schema, path, 'type') !== undefined) return wrongType(schema, value);
    if (isObject(value)) {
      const found = this.#describeObject(schema, value, path);
      if (found !== undefined) return found;
    }
    if (Array.isArray(value)) {
      const found = this.#describeArray(schema, value as readonly Json[], path);
      if (found !== undefined) return found;
    }
    return this.#describeScalar(schema, value, path) ?? this.#describeBranches(schema, value, path);
  }

  #describeObject(
    schema: Schema,
    value: { readonly [key: string]: Json | undefined },
    path: string,
  ): string | undefined {
    const missing = this.#all(schema, path, 'required').map((error) => String(error.params['missingProperty']));
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const found = value[name];
      if (found === undefined) {
        if (missing.includes(name)) return `property "${name}" is required`;
        continue;
      }
      const inner = this.describe(property, found, `${path}/${pointer(name)}`);
      if (inner !== undefined) return `property "${name}" validation failed: ${inner}`;
    }
    if (missing[0] !== undefined) return `property "${missing[0]}" is required`;
    for (const [pattern, property] of Object.entries(schema.patternProperties ?? {})) {
      for (const [name, found] of Object.entries(value)) {
        if (found === undefined || !new RegExp(pattern).test(name)) continue;
        const inner = this.describe(property, found, `${path}/${pointer(name)}`);
        if (inner !== undefined) return `failed to validate ${name} (matching "${pattern}"): ${inner}`;
      }
    }
    const extra = this.#find(schema, path, 'additionalProperties');
    if (extra !== undefined) {
      return `additional properties forbidden, found ${String(extra.params['additionalProperty'])}`;
    }
    if (isObject(schema.additionalProperties)) {
      for (const [name, found] of Object.entries(value)) {
        if (found === undefined || Object.hasOwn(schema.properties ?? {}, name)) continue;
        const inner = this.describe(schema.additionalProperties, found, `${path}/${pointer(name)}`);
        if (inner !== undefined) return `failed to validate additional property ${name}: ${inner}`;
      }
    }
    const few = this.#find(schema, path, 'minProperties');
    if (few !== undefined) return `expect object to have at least ${schema.minProperties} properties`;
    const many = this.#find(schema, path, 'maxProperties');
    if (many !== undefined) return `expect object to have at most ${schema.maxProperties} properties`;
    const dependent = this.#find(schema, path, 'dependencies');
    if (dependent !== undefined) {
      const { missingProperty, property } = dependent.params as Record<string, unknown>;
      return `property "${String(missingProperty)}" is required when "${String(property)}" is set`;
    }
    for (const [name, dependency] of Object.entries(schema.dependencies ?? {})) {
      if (value[name] === undefined || Array.isArray(dependency)) continue;
      const inner = this.describe(dependency as Schema, value, path);
      if (inner !== undefined) return `failed to validate dependent schema for "${name}": ${inner}`;
    }
    return undefined;
  }

  #describeArray(schema: Schema, value: readonly Json[], path: string): string | undefined {
    if (this.#find(schema, path, 'minItems') !== undefined)
      return `expect array to have at least ${schema.minItems} items`;
    if (this.#find(schema, path, 'maxItems') !== undefined)
      return `expect array to have at most ${schema.maxItems} items`;
    for (const [index, item] of value.entries()) {
      const own = Array.isArray(schema.items) ? (schema.items as readonly Schema[])[index] : (schema.items as Schema);
      const inner = own === undefined ? undefined : this.describe(own, item, `${path}/${index}`);
      if (inner !== undefined) return `failed to validate item ${index + 1}: ${inner}`;
    }
    const twice = this.#find(schema, path, 'uniqueItems');
    if (twice === undefined) return undefined;
    const pair = [Number(twice.params['j']) + 1, Number(twice.params['i']) + 1].sort((a, b) => a - b);
    return `expected unique items but items ${pair[0]} and ${pair[1]} are equal`;
  }

  #describeScalar(schema: Schema, value: Json, path: string): string | undefined {
    if (this.#find(schema, path, 'minLength') !== undefined) {
      return `string too short, expected at least ${schema.minLength}, got ${lengthOf(value)}`;
    }
    if (this.#find(schema, path, 'maxLength') !== undefined) {
      return `string too long, expected at most ${schema.maxLength}, got ${lengthOf(value)}`;
    }
    if (this.#find(schema, path, 'pattern') !== undefined) {
      return `failed to match pattern ${quote(schema.pattern ?? '')} with ${JSON.stringify(value)}`;
    }
    if (this.#find(schema, path, 'minimum') !== undefined)
      return `expected ${JSON.stringify(value)} to be at least ${schema.minimum}`;
    if (this.#find(schema, path, 'exclusiveMinimum') !== undefined) {
      return `expected ${JSON.stringify(value)} to be greater than ${schema.exclusiveMinimum}`;
    }
    if (this.#find(schema, path, 'maximum') !== undefined)
      return `expected ${JSON.stringify(value)} to be at most ${schema.maximum}`;
    if (this.#find(schema, path, 'exclusiveMaximum') !== undefined) {
      return `expected ${JSON.stringify(value)} to be smaller than ${schema.exclusiveMaximum}`;
    }
    if (this.#find(schema, path, 'enum') !== undefined) return 'matches none of the enum values';
    if (this.#find(schema, path, 'const') !== undefined) return 'failed to match the constant value';
    return undefined;
  }

  #describeBranches(schema: Schema, value: Json, path: string): string | undefined {
    for (const [index, branch] of (schema.allOf ?? []).entries()) {
      const inner = this.describe(branch, value, path);
      if (inner !== undefined) return `allOf ${index + 1} failed: ${inner}`;
    }
    if (this.#find(schema, path, 'anyOf') !== undefined)
      return `object matches none of the required${alternatives(schema)}`;
    const one = this.#find(schema, path, 'oneOf');
    if (one !== undefined) {
      const passing: unknown = one.params['passingSchemas'];
      return Array.isArray(passing)
        ? `value should match only one schema, but matches both schemas ${Number(passing[0]) + 1} and ${Number(passing[1]) + 1}`
        : 'value should match only one schema, but matches none';
    }
    if (this.#find(schema, path, 'not') !== undefined) return "value wasn't supposed to match schema";
    const conditional = this.#find(schema, path, 'if');
    if (conditional !== undefined) return `${String(conditional.params['failingKeyword'])} clause did not match`;
    return undefined;
  }

  #find(schema: Schema, path: string, keyword: string): ErrorObject | undefined {
    return this.#errors.find(
      (error) => error.keyword === keyword && error.instancePath === path && error.parentSchema === schema,
    );
  }

  #all(schema: Schema, path: string, keyword: string): readonly ErrorObject[] {
    return this.#errors.filter(
      (error) => error.keyword === keyword && error.instancePath === path && error.parentSchema === schema,
    );
  }
}

function wrongType(schema: Schema, value: Json): string {
  const expected = Array.isArray(schema.type)
    ? `one of ${(schema.type as readonly string[]).join(', ')}`
    : String(schema.type);
  return `wrong type: expected ${expected}, got ${luaType(value)}`;
}

/** Characters, not bytes: as a gateway counts them. */
function lengthOf(value: Json): number {
  return typeof value === 'string' ? Array.from(value).length : 0;
}

function luaType(value: Json): string {
  if (value === null) return 'userdata';
  return typeof value === 'object' ? 'table' : typeof value;
}

function alternatives(schema: Schema): string {
  const branches = schema.anyOf ?? [];
  if (!branches.every((branch) => branch.required !== undefined && Object.keys(branch).length === 1)) return '';
  return `: ${branches.map((branch) => JSON.stringify(branch.required)).join(' or ')}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function pointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
