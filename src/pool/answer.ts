import { findHeader, parseHeaders, type RawHeaders } from './headers.js';
import type { PoolResponse } from './pool.js';

/** An answer whose headers are parsed when somebody asks for them, which hardly anybody does. */
export class Answer implements PoolResponse {
  readonly status: number;
  readonly statusText: string;
  readonly body: Uint8Array;
  readonly attempts: number;
  readonly ambiguous: boolean;
  readonly #rawHeaders: RawHeaders;

  constructor(
    status: number,
    statusText: string,
    rawHeaders: RawHeaders,
    body: Uint8Array,
    attempts: number,
    ambiguous: boolean,
  ) {
    this.status = status;
    this.statusText = statusText;
    this.body = body;
    this.attempts = attempts;
    this.ambiguous = ambiguous;
    this.#rawHeaders = rawHeaders;
  }

  get headers(): Readonly<Record<string, string>> {
    return parseHeaders(this.#rawHeaders);
  }

  header(name: string): string | undefined {
    return findHeader(this.#rawHeaders, name);
  }
}
