import { isIPv4, isIPv6 } from 'node:net';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Json } from '../json.js';
import { fillDefaults } from './defaults.js';
import { explain } from './explain.js';
import type { Schema } from './schema.js';

/** What a check found. */
export type Check =
  | { readonly ok: true; /** The value with the defaults of the schema filled in. */ readonly value: Json }
  | { readonly ok: false; /** What is wrong, in the gateway's words. */ readonly error: string };

/** Checks values against schemas. Each schema is compiled once, when it is first needed. */
export class Validator {
  // Every error, each with the schema it comes from: the wording picks among them. The gateways' patterns are no
  // Unicode patterns.
  readonly #ajv = new Ajv({
    strict: false,
    allErrors: true,
    verbose: true,
    logger: false,
    unicodeRegExp: false,
    formats: { ipv4: isIPv4, ipv6: isIPv6 },
  });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  /** Fills in defaults, as the gateway does while it checks, then checks. */
  check(schema: Schema, value: Json): Check {
    const filled = fillDefaults(schema, value, (branch, candidate) => this.matches(branch, candidate));
    const validate = this.#compile(schema);
    if (validate(filled)) return { ok: true, value: filled };
    return { ok: false, error: explain(schema, filled, validate.errors ?? []) };
  }

  /** Tells whether a value fits a schema as it is. */
  matches(schema: Schema, value: Json): boolean {
    return this.#compile(schema)(value);
  }

  #compile(schema: Schema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const made = this.#ajv.compile(schema);
    this.#compiled.set(schema, made);
    return made;
  }
}
