import type { Json } from '../json.js';
import type { Schema } from './schema.js';

/** A string, with limits. */
export function text(limits: Schema = {}): Schema {
  return { type: 'string', ...limits };
}

/** A whole number, with limits. */
export function whole(limits: Schema = {}): Schema {
  return { type: 'integer', ...limits };
}

/** A number, with limits. */
export function number(limits: Schema = {}): Schema {
  return { type: 'number', ...limits };
}

/** A truth value, with a default if one is given. */
export function flag(byDefault?: boolean): Schema {
  return byDefault === undefined ? { type: 'boolean' } : { type: 'boolean', default: byDefault };
}

/** A list of items, with limits. */
export function list(items?: Schema, limits: Schema = {}): Schema {
  return { type: 'array', ...(items === undefined ? {} : { items }), ...limits };
}

/** An object with these properties, and whatever else holds for it. */
export function shape(properties: Readonly<Record<string, Schema>>, rest: Schema = {}): Schema {
  return { type: 'object', properties, ...rest };
}

/** One of some words, of which the first is the default unless another one, or none, is named. */
export function word(words: readonly Json[], byDefault: Json | undefined = words[0]): Schema {
  return { type: 'string', enum: words, ...(byDefault === undefined ? {} : { default: byDefault }) };
}

/** An object whose values under matching names fit a schema. */
export function mapOf(pattern: string, value: Schema, rest: Schema = {}): Schema {
  return { type: 'object', patternProperties: { [pattern]: value }, ...rest };
}

/** A string or a number: how plugins take header values. */
export const textOrNumber: Schema = { oneOf: [{ type: 'string' }, { type: 'number' }] };

/** What holds when a condition fits, and what holds when it does not. */
export function when(condition: Schema, fitting: Schema, otherwise?: Schema): Schema {
  // oxlint-disable-next-line unicorn/no-thenable -- the word is that of JSON Schema
  return { if: condition, then: fitting, ...(otherwise === undefined ? {} : { else: otherwise }) };
}

/** Alternatives of which each requires some properties. */
export function requiring(...alternatives: readonly (readonly string[])[]): readonly Schema[] {
  return alternatives.map((required) => ({ required }));
}

const octet = '([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])';

/** The ways to write an IP address or a network. */
export const addresses: readonly Schema[] = [
  { type: 'string', format: 'ipv4' },
  { type: 'string', pattern: `^${[octet, octet, octet, octet].join('\\.')}/([12]?[0-9]|3[0-2])$` },
  { type: 'string', format: 'ipv6' },
  { type: 'string', pattern: '^([a-fA-F0-9]{0,4}:){1,8}(:[a-fA-F0-9]{0,4}){0,8}([a-fA-F0-9]{0,4})?/[0-9]{1,3}$' },
];
