import { isIP } from 'node:net';
import * as z from 'zod';
import { isJsonObject, type JsonObject } from '../json.js';

/** What is said of a null: it is neither "absent" nor "empty". */
export const nullMessage =
  'null is not allowed; leave the field out, or write [] or {} if nothing is meant to be there';

/** The words for a value of the wrong type, where the schema has no better ones. */
function expecting(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return `Required field is missing: expected ${what}`;
    return input === null ? nullMessage : `Invalid input: expected ${what}`;
  };
}

/** Strings that hold a number become that number; everything else is left for the field's own type to judge. */
export function toNumber(value: unknown): unknown {
  // Adding zero turns -0, which JSON cannot hold, into 0.
  return typeof value === 'string' && value.trim() !== '' ? Number(value) + 0 : value;
}

/**
 * Lets a numeric field take numeric strings as well: `${PORT}` always gives a string. Booleans, null and empty strings
 * stay errors.
 */
function numeric<T extends z.ZodType<number>>(schema: T): z.ZodPipe<z.ZodTransform, T> {
  return z.preprocess(toNumber, schema) as unknown as z.ZodPipe<z.ZodTransform, T>;
}

/** Any number. */
export const number = () => numeric(z.number());

/** A number that is not negative. */
export const nonNegative = () => numeric(z.number().min(0));

/** A whole number within bounds, both included. */
export const int = (min: number, max: number = Number.MAX_SAFE_INTEGER) => numeric(z.int().min(min).max(max));

/** Any whole number. */
export const anyInt = () => numeric(z.int());

/** A TCP or UDP port. */
export const port = () => int(1, 65_535);

/** What an id may be. */
export const idPattern = /^[a-zA-Z0-9_.-]+$/;

/** The identity of a resource; derived from the name where it is absent. */
export const id = z
  .string()
  .min(1)
  .max(256)
  .regex(idPattern, 'Invalid id: only letters, digits, "-", "_" and "." are allowed')
  .describe('The identity of the resource on the gateway; derived from the name where it is absent.');

/** What a person calls a resource. */
export const name = z.string().min(1).max(65_536).describe('The name, unique among its siblings.');

/** Free text. */
export const description = z.string().max(65_536).describe('Free text for people.');

/** A host name, an address, or a pattern of one. */
export const host = () => z.string().min(1);

/** Labels: strings, or lists of strings, by key. */
export const labels = z
  .record(z.string(), z.union([z.string(), z.array(z.string())], { error: expecting('a string or a list of strings') }))
  .describe('Labels by key; a value is a string or a list of strings.');

/** A mapping with any keys and any JSON values: the gateway knows what belongs in it. Passed on as it is. */
export const openObject = z
  .custom<JsonObject>(isJsonObject, { error: expecting('a mapping') })
  .meta({ description: 'A mapping that only the gateway checks.', secrets: 'open' });

/** Anything that JSON holds, such as an item of `vars`. */
export const anything = z
  .custom<unknown>((value) => value !== undefined, 'Invalid input: expected a value')
  .meta({ secrets: 'open' });

/** Plugin configurations by plugin name. Holds secrets wherever a field's name says so. */
export const plugins = z
  .record(z.string(), openObject)
  .meta({ description: 'Plugin configurations by plugin name.', secrets: 'plugins' });

/** A reference to another resource: its id, or its name in the same configuration. */
export const reference = (what: string) =>
  z.string().min(1).max(65_536).describe(`The id of ${what}, or its name in the same configuration.`);

/** A closed mapping of all three timeouts, in seconds. */
export const timeout = z
  .strictObject({
    connect: numeric(z.number().gt(0)).describe('Seconds to connect.'),
    send: numeric(z.number().gt(0)).describe('Seconds between two writes.'),
    read: numeric(z.number().gt(0)).describe('Seconds between two reads.'),
  })
  .describe('Timeouts in seconds.');

/** Tells whether a string is resolved by the gateway itself: the value is then no secret, and has no length of its own. */
export function isReference(value: string): boolean {
  return value.startsWith('$secret://') || value.startsWith('$env://');
}

function pem(min: number, message: string, examples: string[], missing?: string) {
  return z
    .string({ error: ({ input }) => (input === undefined ? missing : undefined) })
    .refine((value) => isReference(value) || (value.length >= min && value.length <= 65_536), { error: message })
    .meta({ examples });
}

/** A certificate in PEM form, or a reference that the gateway resolves. */
export const certificate = pem(128, 'Must be a certificate string or a secret reference', [
  '$secret://vault/1/tls/cert',
]);

/** A private key in PEM form, or a reference that the gateway resolves. */
export const privateKey = pem(
  32,
  'Must be a certificate private key string or a secret reference',
  ['$secret://vault/1/tls/key', '$env://TLS_KEY'],
  'Required field is missing: the private key, which no gateway gives back; write it here, or refer to it by $secret:// or $env://',
);

/** Marks a field as holding a secret: it is masked on every way out. */
export function secret<T extends z.ZodType>(schema: T): T {
  return schema.meta({ secrets: 'secret' });
}

/** Tells whether a string is an IPv4 or IPv6 address, or a CIDR range of one. */
function isAddressOrRange(value: string): boolean {
  const [address, bits, ...rest] = value.split('/');
  const version = address === undefined || address.includes('%') ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** An IPv4 or IPv6 address, or a CIDR range of one. */
export const addressOrRange = z
  .string()
  .refine(isAddressOrRange, { error: 'Must be IP or CIDR, accepts both IPv4 and IPv6' })
  .meta({ examples: ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1'] });
