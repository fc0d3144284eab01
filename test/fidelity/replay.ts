import { readFileSync } from 'node:fs';
import type { Emulator } from '../../src/emulator/index.js';

/** A recorded request and what a gateway answered. */
export interface Exchange {
  readonly case: string;
  readonly request: RecordedRequest;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly json?: unknown;
    readonly text?: string;
  };
}

/** A request as it was recorded: PEM material and large bodies replaced by markers. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly key: 'none' | 'wrong' | 'admin';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly raw?: string;
}

/** A difference between the emulator and a gateway, and why it is there. */
export interface Difference {
  readonly case: string;
  readonly versions: readonly string[];
  readonly reason: string;
}

/** A request as it is sent. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Reads the exchanges of a recording. */
export function readRecording(name: string): readonly Exchange[] {
  const text = readFileSync(new URL(`../recordings/${name}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly exchanges: readonly Exchange[] }).exchanges;
}

const pem = new Map(
  ['CERT-1', 'CERT-2', 'KEY-1', 'KEY-2'].map((name) => [
    `<${name}>`,
    readFileSync(new URL(`pem/${name.toLowerCase()}.pem`, import.meta.url), 'utf8'),
  ]),
);

/** The length of the body that the marker `<1.6 MB>` stands for, in bytes. */
const largeBody = 1_600_132;

/** Puts real PEM material and bodies in the place of markers. */
export function outgoing(recorded: RecordedRequest, adminKey?: string): Outgoing {
  const keys = { none: undefined, wrong: 'not-the-key', admin: adminKey };
  const key = keys[recorded.key];
  return {
    method: recorded.method,
    path: recorded.path,
    headers: { ...recorded.headers, ...(key === undefined ? {} : { 'x-api-key': key }) },
    ...bodyOf(recorded),
  };
}

function bodyOf(recorded: RecordedRequest): { readonly body?: string } {
  if (recorded.raw !== undefined) return { body: recorded.raw };
  if (recorded.body === undefined) return {};
  if (recorded.body === '<1.6 MB>') return { body: `{"desc":"${'x'.repeat(largeBody - 11)}"}` };
  return { body: JSON.stringify(mapStrings(recorded.body, (text) => pem.get(text) ?? text)) };
}

/** Sends a request and reads what comes back. */
export async function replay(
  emulator: Emulator,
  request: Outgoing,
): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }> {
  const response = await fetch(emulator.url + request.path, {
    method: request.method,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await response.text();
  return { status: response.status, body: parse(text), headers: response.headers };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const markers = new Map([...pem].map(([marker, text]) => [text, marker]));
const vary = new Set(['create_time', 'update_time', 'createdIndex', 'modifiedIndex']);
const generatedId = /\b\d{20}\b/g;
const secretFields = new Set(['key', 'keys', 'client_key', 'secret', 'password']);

/** Takes out what varies from run to run: times, indexes, ciphertext, generated ids, PEM material. */
export function normalise(value: unknown, field = ''): unknown {
  if (typeof value === 'string') {
    if (markers.has(value)) return markers.get(value);
    if (value === '<ENCRYPTED-KEY>' || (secretFields.has(field) && isCiphertext(value))) return '<ciphertext>';
    return value.replaceAll(generatedId, '<generated>');
  }
  if (Array.isArray(value)) return value.map((item) => normalise(item, field));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, vary.has(name) ? '<varies>' : normalise(inner, name)]),
  );
}

/** Whole blocks of 16 bytes in base64. */
function isCiphertext(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.length % 16 === 0 && bytes.toString('base64') === text;
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapStrings(inner, change)]));
}
