import type { PoolSettings } from './options.js';

/** The answers that are asked for again, and whether the request may have been carried out all the same. */
const repeatedStatus: ReadonlyMap<number, { readonly mayHaveActed: boolean }> = new Map([
  [429, { mayHaveActed: false }],
  [500, { mayHaveActed: true }],
  [502, { mayHaveActed: true }],
  [503, { mayHaveActed: true }],
  [504, { mayHaveActed: true }],
]);

/** Tells whether an answer of this status is asked for again, and whether it leaves open if the request was carried out. */
export function retriedStatus(status: number): { readonly mayHaveActed: boolean } | undefined {
  return repeatedStatus.get(status);
}

/**
 * How long to wait before a retry, in milliseconds: drawn evenly between 0 and a bound that doubles with each retry
 * ("full jitter"), but at least what the server asks for.
 *
 * @param used how many retries this request has had
 * @param retryAfter what the server asks for, in milliseconds
 * @param left milliseconds until nothing may be sent any more
 * @returns undefined where there is no retry: the budget is used up, the server asks for more patience than is allowed,
 *   or the wait would not end in time
 */
export function retryDelay(
  used: number,
  settings: Pick<PoolSettings, 'retries' | 'retryBase' | 'retryCap' | 'retryAfterCap' | 'random'>,
  left: number,
  retryAfter = 0,
): number | undefined {
  if (used >= settings.retries || retryAfter > settings.retryAfterCap) return undefined;
  const bound = Math.min(settings.retryCap, settings.retryBase * 2 ** used);
  const delay = Math.max(retryAfter, settings.random() * bound);
  return delay < left ? delay : undefined;
}

/** Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. Gives milliseconds from `now`, 0 where it says nothing. */
export function parseRetryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
