import { GatewayError } from '../model/errors.js';
import { Exchange, type Member } from './exchange.js';
import type { OnePool } from './one-pool.js';
import type { Expiring } from './wheel.js';
import type { Lease, LeaseOptions, PoolRequest, PoolResponse } from './pool.js';

/** Default of {@link LeaseOptions.concurrency}. */
const defaultConcurrency = 10;

/** One job's use of a pool: bounds how much of it the job takes, and ends with the job. */
export class PoolLease implements Lease, Member, Expiring {
  slot = 0;
  slotPlace = 0;
  readonly waiting = new Set<Exchange>();
  unanswered = 0;
  readonly deadline: number;
  inFlight = 0;
  progressAt = 0;

  readonly #pool: OnePool;
  readonly #concurrency: number;
  readonly #signal: AbortSignal | undefined;
  readonly #closing: () => string | undefined;
  readonly #onRelease: () => void;
  readonly #onAbort: () => void;
  /** Signals of single requests, with the requests that each would abort. */
  #watched: Map<AbortSignal, { readonly exchanges: Set<Exchange>; readonly onAbort: () => void }> | undefined;
  #refusal: string | undefined;

  /**
   * @param refusal why no lease may send any more, if so
   * @param onRelease called once, when the use has ended
   */
  constructor(pool: OnePool, options: LeaseOptions, refusal: () => string | undefined, onRelease: () => void) {
    this.#pool = pool;
    this.#concurrency = Math.max(1, options.concurrency ?? defaultConcurrency);
    this.#signal = options.signal;
    this.#closing = refusal;
    this.#onRelease = onRelease;
    this.deadline = options.deadline === undefined ? Infinity : performance.now() + (options.deadline - Date.now());
    this.#onAbort = () => this.#abort();
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    pool.wheel.add(this, this.deadline);
  }

  hasRoom(): boolean {
    return this.inFlight < this.#concurrency;
  }

  request(request: PoolRequest): Promise<PoolResponse> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      const refusal = this.#refusal ?? (signal?.aborted ? abortText(signal) : this.#closing());
      if (refusal !== undefined) {
        const url = this.#pool.origin + request.path;
        const { method } = request;
        const code = performance.now() >= this.deadline ? 'deadline' : 'aborted';
        reject(new GatewayError(code, { method, url }, { message: `${method} ${url}: ${refusal}` }));
        return;
      }
      if (signal === undefined) {
        this.#pool.submit(new Exchange(this.#pool, this, request, resolve, reject));
        return;
      }
      const exchange = new Exchange(
        this.#pool,
        this,
        request,
        (response) => {
          this.#unwatch(signal, exchange);
          resolve(response);
        },
        (error) => {
          this.#unwatch(signal, exchange);
          reject(error);
        },
      );
      this.#watch(signal, exchange);
      this.#pool.submit(exchange);
    });
  }

  /** Requests of one job mostly share a signal: one listener serves them all, because listeners are dear. */
  #watch(signal: AbortSignal, exchange: Exchange): void {
    this.#watched ??= new Map();
    const known = this.#watched.get(signal);
    if (known !== undefined) {
      known.exchanges.add(exchange);
      return;
    }
    const exchanges = new Set([exchange]);
    const onAbort = (): void => {
      for (const each of exchanges) each.abort(abortText(signal));
    };
    this.#watched.set(signal, { exchanges, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  #unwatch(signal: AbortSignal, exchange: Exchange): void {
    const known = this.#watched?.get(signal);
    if (known?.exchanges.delete(exchange) !== true || known.exchanges.size > 0) return;
    this.#watched?.delete(signal);
    signal.removeEventListener('abort', known.onAbort);
  }

  release(): void {
    if (this.#refusal === undefined) this.#end('the lease was released');
  }

  abandon(): void {
    this.release();
    this.#pool.abortOf(this, 'the job has ended');
  }

  shield(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  /** The deadline ends the use of a lease that nobody releases, so that its pool can be evicted. */
  expire(): void {
    if (this.#refusal === undefined) this.#end('the deadline of the job has passed');
  }

  quiet(): void {
    if (this.#refusal !== undefined) this.shield();
  }

  #abort(): void {
    const text = this.#signal === undefined ? 'aborted' : abortText(this.#signal);
    if (this.#refusal === undefined) this.#end(text);
    this.#pool.abortOf(this, text);
  }

  #end(refusal: string): void {
    this.#refusal = refusal;
    this.#pool.wheel.remove(this);
    // A released lease may still carry requests, which an abort must reach.
    if (this.unanswered === 0) this.quiet();
    this.#onRelease();
  }
}

/** Why a signal was aborted, in words. */
export function abortText(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  // The reason of a plain `abort()` says the same in more words.
  if (reason instanceof Error && reason.name !== 'AbortError' && reason.message !== '') {
    return `aborted: ${reason.message}`;
  }
  return 'aborted';
}
