import { LRUCache } from 'lru-cache';
import { AdcError } from '../model/errors.js';
import { SessionStore, type Destination } from './connect.js';
import { DurationHistogram } from './histogram.js';
import { identityHash, plainIdentity, prepareIdentity } from './identity.js';
import { abortText, PoolLease } from './lease.js';
import { OnePool, type Shared } from './one-pool.js';
import { resolveOptions, type PoolManagerOptions, type PoolSettings } from './options.js';
import { bareHost, findProxy, portOf, type Proxy } from './proxy.js';
import { Wheel } from './wheel.js';
import type { Lease, LeaseOptions, Pools, PoolsReport, PoolTarget, TlsIdentity } from './pool.js';

/** How long {@link Pools.close} drains where nothing is said, in ms. */
const defaultCloseDeadline = 5_000;

/** A lease that waits for a pool, because there are as many pools as there may be. */
interface Waiter {
  attempt(): void;
}

/** Where a lease leads, before there is a pool for it. */
interface Route {
  readonly key: string;
  readonly origin: string;
  /** Checks and prepares the TLS material, once. */
  destination(): Destination;
}

/**
 * Makes the pools of a process: built once, handed down, closed at the end.
 *
 * @throws AdcError `usage` naming every option that is out of range.
 */
export function createPoolManager(options: PoolManagerOptions = {}): Pools {
  return new PoolManager(resolveOptions(options));
}

class PoolManager implements Pools {
  readonly #settings: PoolSettings;
  readonly #shared: Shared;
  /** The least recently leased first. */
  readonly #pools = new Map<string, OnePool>();
  /** The one that was leased last, which stands last. */
  #latest: OnePool | undefined;
  /** TLS sessions outlive their pools, so that a pool that was evicted and comes back needs no full handshake. */
  readonly #sessions: LRUCache<string, SessionStore>;
  readonly #waiters = new Set<Waiter>();
  /** Where plain HTTP leads, by the origin as it was given: a URL and the rules for proxies take longer than a lease. */
  readonly #plainRoutes: LRUCache<string, Route>;
  #evictions = 0;
  #ticker: NodeJS.Timeout | undefined;
  #closing: string | undefined;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#sessions = new LRUCache({ max: 4 * settings.poolsMax });
    this.#plainRoutes = new LRUCache({ max: 4 * settings.poolsMax });
    this.#shared = {
      settings,
      wheel: new Wheel(),
      queueWait: new DurationHistogram(),
      connect: new DurationHistogram(),
      firstByte: new DurationHistogram(),
    };
  }

  async lease(target: PoolTarget, options: LeaseOptions = {}): Promise<Lease> {
    this.#checkOpen(options.signal);
    const route = this.#route(target);
    const pool = this.#acquire(route, this.#waiters.size + 1) ?? (await this.#waitForPool(route, options));
    const release = (): void => {
      pool.leases -= 1;
      pool.usedAt = performance.now();
      this.#wakeWaiters();
    };
    try {
      this.#checkOpen(options.signal);
    } catch (error) {
      release();
      throw error;
    }
    return new PoolLease(pool, options, () => this.#closing, release);
  }

  report(): PoolsReport {
    return {
      pools: [...this.#pools.values()].map((pool) => pool.report()),
      evictions: this.#evictions,
      queueWait: this.#shared.queueWait.report(),
      connect: this.#shared.connect.report(),
      firstByte: this.#shared.firstByte.report(),
    };
  }

  async close(deadline: number = defaultCloseDeadline): Promise<void> {
    this.#closing ??= 'the connection pools are closed';
    this.#wakeWaiters();
    const pools = [...this.#pools.values()];
    let timer: NodeJS.Timeout | undefined;
    const drained = Promise.all(pools.map((pool) => new Promise<void>((done) => pool.drain('shutdown', done))));
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadline);
    });
    await Promise.race([drained, late]);
    clearTimeout(timer);
    await Promise.all(pools.map((pool) => pool.destroy('shutdown', 'the connection pools are closed')));
    clearInterval(this.#ticker);
    this.#shared.wheel.close();
    // What was given up while it was opened reports no close; its handle is gone two turns later.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw new AdcError('aborted', this.#closing);
    if (signal?.aborted) throw new AdcError('aborted', abortText(signal));
  }

  /** Finds out which pool a target needs, and that its TLS material can be used. */
  #route({ origin, tls = {} }: PoolTarget): Route {
    const known = this.#plainRoutes.get(origin);
    if (known !== undefined) return known;
    const url = parseUrl(origin);
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      throw new AdcError('usage', `expected a URL that begins with http:// or https://, got "${origin}"`);
    }
    const proxy = findProxy(url, this.#settings.proxyEnv);
    const secure = url.protocol === 'https:';
    const hash = secure ? identityHash(tls) : plainIdentity.hash;
    const key = [url.origin, hash, proxy?.origin ?? '', proxy?.authorization ?? ''].join(' ');
    let destination: Destination | undefined;
    const route: Route = {
      key,
      origin: url.origin,
      destination: () => (destination ??= this.#destination(key, url, tls, hash, proxy)),
    };
    if (!secure) this.#plainRoutes.set(origin, route);
    return route;
  }

  /**
   * Leases the pool, making it and making room for it, where that is possible at once.
   *
   * @param wanted how many leases look for room for a pool, this one included
   */
  #acquire(route: Route, wanted: number): OnePool | undefined {
    const pool = this.#pools.get(route.key) ?? this.#makePool(route, wanted);
    if (pool === undefined) return undefined;
    pool.revive();
    pool.leases += 1;
    pool.usedAt = performance.now();
    if (this.#latest !== pool) {
      this.#pools.delete(route.key);
      this.#pools.set(route.key, pool);
      this.#latest = pool;
    }
    return pool;
  }

  #makePool(route: Route, wanted: number): OnePool | undefined {
    // Before a pool is evicted for it: bad material must harm no other pool.
    const destination = route.destination();
    if (this.#pools.size >= this.#settings.poolsMax) this.#evict(wanted);
    if (this.#pools.size >= this.#settings.poolsMax) return undefined;
    this.#startTicking();
    return new OnePool(destination, this.#shared);
  }

  #destination(key: string, url: URL, tls: TlsIdentity, hash: string, proxy: Proxy | undefined): Destination {
    const secure = url.protocol === 'https:';
    // The endpoints of one gateway share an identity, and with it the parsed certificates.
    const shared = secure ? [...this.#pools.values()].find((pool) => pool.identity.hash === hash)?.identity : undefined;
    const sessions = this.#sessions.get(key) ?? new SessionStore(this.#settings.maxAge);
    if (secure) this.#sessions.set(key, sessions);
    return {
      origin: url.origin,
      tls: secure,
      host: bareHost(url.hostname),
      port: portOf(url),
      identity: secure ? (shared ?? prepareIdentity(tls, hash)) : plainIdentity,
      ...(proxy && { proxy }),
      sessions,
    };
  }

  /** Retires the pool that was leased longest ago and is not leased now; it goes at once, or when it has finished. */
  #evict(wanted: number): void {
    const leaving = [...this.#pools.values()].filter((pool) => pool.isDraining).length;
    if (leaving >= wanted) return;
    for (const [key, pool] of this.#pools) {
      if (pool.leases > 0 || pool.isDraining) continue;
      this.#evictions += 1;
      pool.drain('evicted', () => {
        this.#pools.delete(key);
        this.#wakeWaiters();
      });
      return;
    }
  }

  #waitForPool(route: Route, { signal, deadline }: LeaseOptions): Promise<OnePool> {
    const { queueLength, queueWait, poolsMax } = this.#settings;
    const full = `no pool for ${route.origin}: all ${poolsMax} are leased`;
    if (this.#waiters.size >= queueLength) {
      throw new AdcError('busy', `${full}, and ${this.#waiters.size} leases wait`);
    }
    return new Promise((resolve, reject) => {
      const wait = deadline === undefined ? queueWait : Math.min(queueWait, Math.max(0, deadline - Date.now()));
      const end = (settle: () => void): void => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const timer = setTimeout(() => {
        const code = wait < queueWait ? 'deadline' : 'busy';
        end(() => reject(new AdcError(code, `${full}; waited ${wait}ms, ${this.#waiters.size} other leases wait`)));
      }, wait);
      const onAbort = (): void => end(() => reject(new AdcError('aborted', signal ? abortText(signal) : 'aborted')));
      const waiter: Waiter = {
        attempt: () => {
          if (this.#closing !== undefined) {
            const text = this.#closing;
            end(() => reject(new AdcError('aborted', text)));
            return;
          }
          const pool = this.#acquire(route, this.#waiters.size);
          if (pool !== undefined) end(() => resolve(pool));
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #wakeWaiters(): void {
    if (this.#waiters.size === 0) return;
    // Later, for this may be called while one of them makes room.
    queueMicrotask(() => {
      for (const waiter of this.#waiters) waiter.attempt();
    });
  }

  #startTicking(): void {
    if (this.#ticker !== undefined) return;
    const { idleTimeout, maxAge } = this.#settings;
    const period = Math.max(10, Math.min(250, Math.floor(Math.min(idleTimeout, maxAge) / 10)));
    this.#ticker = setInterval(() => this.#tick(performance.now()), period);
    this.#ticker.unref();
  }

  #tick(now: number): void {
    for (const [key, pool] of this.#pools) {
      pool.tick(now);
      if (pool.leases === 0 && pool.isEmpty && now - pool.usedAt > this.#settings.maxAge) this.#pools.delete(key);
    }
  }
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
