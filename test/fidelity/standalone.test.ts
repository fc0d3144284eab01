import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';

interface Recording {
  readonly gateway: string;
  readonly exchanges: readonly {
    readonly case: string;
    readonly request: {
      readonly method: string;
      readonly path: string;
      readonly key: 'admin' | 'none' | 'wrong';
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
      readonly raw?: string;
    };
    readonly response: {
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly json?: unknown;
      readonly text?: string;
    };
  }[];
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const markers: Readonly<Record<string, string>> = {
  '<CERT-1>': read('../support/pem/shop.crt'),
  '<KEY-1>': read('../support/pem/shop.key'),
};

/** Puts real PEM material where the recording has a marker. */
function withMaterial(value: unknown): unknown {
  if (typeof value === 'string') return markers[value] ?? value;
  if (Array.isArray(value)) return value.map(withMaterial);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withMaterial(item)]));
}

/** Without what is another second in each run. */
function timeless(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('X-Last-Modified' in value)) return value;
  expect(value['X-Last-Modified']).toBeTypeOf('number');
  return { ...value, 'X-Last-Modified': 0 };
}

const versions = ['3.13.0', '3.18.0'] as const;

describe.each(versions)('standalone gateway %s answers as it was recorded', async (version) => {
  const { gateway, exchanges } = JSON.parse(read(`../recordings/standalone-${version}.json`)) as Recording;

  test('every exchange, in order', async () => {
    expect(gateway).toBe(`${version}-standalone`);
    expect(exchanges.length).toBe(29);
    const emulator = await startEmulator({ mode: 'standalone', gatewayVersion: version });
    const keys: Readonly<Record<string, Record<string, string>>> = {
      admin: { 'x-api-key': emulator.adminKey },
      wrong: { 'x-api-key': 'wrong' },
      none: {},
    };
    try {
      for (const { case: name, request, response } of exchanges) {
        const body =
          request.raw ?? (request.body === undefined ? undefined : JSON.stringify(withMaterial(request.body)));
        const answer = await fetch(`${emulator.url}${request.path}`, {
          method: request.method,
          headers: { ...keys[request.key], ...request.headers },
          ...(body === undefined ? {} : { body }),
        });
        const text = await answer.text();
        expect(answer.status, name).toBe(response.status);
        for (const header of ['content-type', 'server', 'x-digest']) {
          expect(answer.headers.get(header) ?? undefined, `${name}: ${header}`).toBe(response.headers[header]);
        }
        const recorded = response.headers['x-last-modified'] !== undefined;
        expect(answer.headers.has('x-last-modified'), `${name}: x-last-modified`).toBe(recorded);
        if (response.json === undefined) expect(text, name).toBe(response.text ?? '');
        else expect(timeless(JSON.parse(text)), name).toEqual(timeless(withMaterial(response.json)));
      }
    } finally {
      await emulator.close();
    }
  });
});
