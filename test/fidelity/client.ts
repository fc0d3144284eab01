import { readFileSync } from 'node:fs';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/index.js';

/** An answer of the Admin API. */
export interface Answer {
  readonly status: number;
  // What comes back is looked into by tests, field by field.
  readonly body: Body;
  readonly text: string;
  readonly headers: Headers;
}

/** The fields of an answer that tests look at. */
export interface Body {
  readonly error_msg?: string;
  readonly description?: string;
  readonly message?: string;
  readonly deleted?: string;
  readonly key?: string;
  readonly total?: number;
  readonly list?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly value?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly Readonly<Record<string, unknown>>[];
}

/** Sends one request to an Admin API, `path` below `/apisix/admin`. */
export type Call = (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;

/** An emulator that ends with its block, and a way to call it. */
export interface Running extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly call: Call;
}

/** Starts an emulator for a test. */
export async function start(options: EmulatorOptions = {}): Promise<Running> {
  const emulator = await startEmulator(options);
  return { emulator, call: caller(emulator), [Symbol.asyncDispose]: () => emulator.close() };
}

/** A way to call an emulator. */
export function caller(emulator: Pick<Emulator, 'url' | 'adminKey'>): Call {
  return async (method, path, body, key = emulator.adminKey) => {
    const response = await fetch(`${emulator.url}/apisix/admin${path}`, {
      method,
      headers: { 'x-api-key': key },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: parse(text), text, headers: response.headers };
  };
}

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return {};
  }
}

/** Reads a fixture of this directory: `pem/cert-1.pem`, `tls/ca.pem`. */
export function fixture(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** An upstream that is enough to route to. */
export const upstream = { type: 'roundrobin', nodes: { '127.0.0.1:1980': 1 } };
