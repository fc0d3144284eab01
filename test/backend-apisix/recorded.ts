import { readFileSync } from 'node:fs';
import type { Json } from '../../src/model/json.js';

/** One exchange with a real gateway. */
export interface Recorded {
  readonly case: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: Json };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly json?: Json;
    readonly text?: string;
  };
}

/** The exchanges recorded with a gateway of a version in etcd mode. */
export function exchangesOf(version: string): readonly Recorded[] {
  const file = new URL(`../recordings/apisix-${version}.json`, import.meta.url);
  const { exchanges } = JSON.parse(readFileSync(file, 'utf8')) as { readonly exchanges: readonly Recorded[] };
  return exchanges;
}

/** The exchange of a case. */
export function exchangeOf(version: string, name: string): Recorded {
  const found = exchangesOf(version).find((exchange) => exchange.case === name);
  if (found === undefined) throw new Error(`no case "${name}" in the recording of ${version}`);
  return found;
}
