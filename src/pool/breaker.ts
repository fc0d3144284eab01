import type { PoolSettings } from './options.js';
import type { Failure } from './failure.js';

/**
 * Stops a pool from opening connections to an endpoint that is dead, and finds out by itself when it is back. It opens
 * after a run of connection failures that is long in number and in time; any success closes it.
 */
export class Breaker {
  #failures = 0;
  #since = 0;
  #last: Failure | undefined;
  #wait = 0;
  #retryAt = 0;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  readonly #settings: PoolSettings;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    return this.#state;
  }

  /** The failure that an open breaker answers with. */
  get last(): Failure | undefined {
    return this.#last;
  }

  /** How many failures there were in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** When the next probe is due, by `performance.now()`. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /** Tells whether {@link allow} would allow a connection. */
  wouldAllow(now: number): boolean {
    return this.#state === 'closed' || (this.#state === 'open' && now >= this.#retryAt);
  }

  /** Tells whether a connection may be opened; where that is the probe, no second one is allowed until it has ended. */
  allow(now: number): boolean {
    if (!this.wouldAllow(now)) return false;
    if (this.#state === 'open') this.#state = 'half-open';
    return true;
  }

  /** A connection was opened, or an answer came. */
  succeeded(): void {
    this.#failures = 0;
    this.#state = 'closed';
  }

  /** A connection could not be opened. Tells whether this opened the breaker. */
  failed(failure: Failure, now: number): boolean {
    const { breakerFailures, breakerSpan, breakerWait, breakerWaitMax, random } = this.#settings;
    if (this.#failures === 0) this.#since = now;
    this.#failures += 1;
    this.#last = failure;
    const again = this.#state === 'half-open';
    if (this.#state === 'open') return false;
    if (!again && (this.#failures < breakerFailures || now - this.#since < breakerSpan)) return false;
    this.#wait = again ? Math.min(breakerWaitMax, this.#wait * 2) : breakerWait;
    this.#retryAt = now + this.#wait * (0.8 + 0.2 * random());
    this.#state = 'open';
    return true;
  }

  /** The probe was given up before it ended. */
  abandoned(now: number): void {
    if (this.#state !== 'half-open') return;
    this.#state = 'open';
    this.#retryAt = now;
  }
}
