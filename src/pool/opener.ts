import type { Socket } from 'node:net';
import { Breaker } from './breaker.js';
import { openConnection, type Destination } from './connect.js';
import { classifyConnect, type Failure } from './failure.js';
import type { Exchange } from './exchange.js';
import type { DurationHistogram } from './histogram.js';
import type { PoolSettings } from './options.js';

/** A connection that is being opened. */
interface Opening {
  /** The request that it is opened for; none where that was served otherwise meanwhile, and for probes. */
  owner: Exchange | undefined;
  giveUp: () => void;
}

/** What an opener asks of its pool. */
export interface OpenerPool {
  /** A connection is open. */
  opened(socket: Socket, owner: Exchange | undefined): void;
  /** One could not be opened; whom it was for knows. */
  openFailed(): void;
  /** Tells whether a probe should find out if the endpoint is back: there is room, and somebody may want it. */
  wantsProbe(now: number): boolean;
}

/** Opens the connections of one pool, as far as its breaker allows. */
export class Opener {
  readonly #destination: Destination;
  readonly #settings: PoolSettings;
  readonly #histogram: DurationHistogram;
  readonly #pool: OpenerPool;
  readonly #breaker: Breaker;
  readonly #openings = new Set<Opening>();
  #probe: NodeJS.Timeout | undefined;

  /** @param histogram where the time of each opening is counted */
  constructor(destination: Destination, settings: PoolSettings, histogram: DurationHistogram, pool: OpenerPool) {
    this.#destination = destination;
    this.#settings = settings;
    this.#histogram = histogram;
    this.#pool = pool;
    this.#breaker = new Breaker(settings);
  }

  /** How many connections are being opened. */
  get size(): number {
    return this.#openings.size;
  }

  get breaker(): 'closed' | 'open' | 'half-open' {
    return this.#breaker.state;
  }

  /** Tells whether {@link open} is allowed. */
  mayOpen(now: number): boolean {
    return this.#breaker.wouldAllow(now);
  }

  /** Opens a connection for a request, or for whoever comes. Behind an open breaker it is the probe. */
  open(owner: Exchange | undefined, now: number): void {
    this.#breaker.allow(now);
    const opening: Opening = { owner, giveUp: () => {} };
    this.#openings.add(opening);
    opening.giveUp = openConnection(this.#destination, this.#settings.connectTimeout, (error, socket) => {
      this.#openings.delete(opening);
      if (socket === undefined) {
        this.#failed(opening, error ?? new Error('connection failed'));
        return;
      }
      this.#histogram.record(performance.now() - now);
      this.#breaker.succeeded();
      this.#pool.opened(socket, opening.owner);
    });
  }

  /** An answer came: the endpoint is well. */
  succeeded(): void {
    this.#breaker.succeeded();
  }

  /** What an open breaker answers with. */
  refusal(now: number): Pick<Failure, 'code' | 'text' | 'cause'> {
    const { last, failures, retryAt } = this.#breaker;
    const wait = Math.max(0, Math.round(retryAt - now));
    return {
      code: last?.code ?? 'unreachable',
      text: `${last?.text ?? 'not reachable'} (not tried: ${failures} failures in a row; next try in ${wait}ms)`,
      cause: last?.cause,
    };
  }

  /** A request that waits for its connection to open takes one that is free sooner; the new one will be a spare. */
  takeOwner(): Exchange | undefined {
    for (const opening of this.#openings) {
      const { owner } = opening;
      if (owner === undefined || owner.needsFresh) continue;
      opening.owner = undefined;
      return owner;
    }
    return undefined;
  }

  /**
   * Gives a request the next connection that is opened for nobody, if any. Without this a pool would have more
   * connections than there ever were requests at a time.
   */
  adopt(exchange: Exchange): boolean {
    // While a probe runs, requests are answered at once.
    if (this.#breaker.state === 'half-open') return false;
    for (const opening of this.#openings) {
      if (opening.owner !== undefined) continue;
      opening.owner = exchange;
      return true;
    }
    return false;
  }

  /** A request waits no more for its connection; `giveUp` where nobody else would want that. */
  disown(exchange: Exchange, giveUp: boolean): void {
    for (const opening of this.#openings) {
      if (opening.owner !== exchange) continue;
      opening.owner = undefined;
      if (giveUp) this.#giveUp(opening);
      return;
    }
  }

  /** Gives up what no request waits for. */
  giveUpSpares(): void {
    for (const opening of this.#openings) if (opening.owner === undefined) this.#giveUp(opening);
  }

  /** Gives up everything and leaves no timer. */
  close(): void {
    clearTimeout(this.#probe);
    for (const opening of this.#openings) this.#giveUp(opening);
  }

  #giveUp(opening: Opening): void {
    this.#openings.delete(opening);
    opening.giveUp();
    this.#breaker.abandoned(performance.now());
  }

  #failed({ owner }: Opening, error: Error): void {
    const failure = classifyConnect(error, this.#destination.tls);
    if (this.#breaker.failed(failure, performance.now())) this.#planProbe();
    owner?.attemptFailed(failure);
    this.#pool.openFailed();
  }

  #planProbe(): void {
    clearTimeout(this.#probe);
    const wait = Math.max(1, this.#breaker.retryAt - performance.now());
    this.#probe = setTimeout(() => {
      const now = performance.now();
      if (this.#breaker.state !== 'open') return;
      // Timers count from the beginning of the event loop's turn, so that in a busy process they run early.
      if (now < this.#breaker.retryAt) this.#planProbe();
      // For a pool that nobody uses the next request will be the probe.
      else if (this.#pool.wantsProbe(now)) this.open(undefined, now);
    }, wait);
    this.#probe.unref();
  }
}
