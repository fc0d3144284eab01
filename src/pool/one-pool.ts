import type { Socket } from 'node:net';
import { Bag } from './bag.js';
import { Connection } from './connection.js';
import { IdleRules } from './idle-rules.js';
import { Opener, type OpenerPool } from './opener.js';
import { FairQueue } from './queue.js';
import type { Destination } from './connect.js';
import type { Carrier, Exchange, Member } from './exchange.js';
import type { DurationHistogram } from './histogram.js';
import type { Identity } from './identity.js';
import type { PoolSettings } from './options.js';
import type { PoolReport } from './pool.js';
import type { Wheel } from './wheel.js';

/** What all pools of a process share. */
export interface Shared {
  readonly settings: PoolSettings;
  readonly wheel: Wheel;
  readonly queueWait: DurationHistogram;
  readonly connect: DurationHistogram;
  readonly firstByte: DurationHistogram;
}

/** The connections of one (origin, TLS identity, proxy), and the requests that use them or wait for them. */
export class OnePool implements Carrier, OpenerPool {
  readonly settings: PoolSettings;
  readonly wheel: Wheel;
  readonly origin: string;
  readonly pathPrefix: string;
  readonly proxyAuthorization: string | undefined;
  readonly tls: boolean;
  readonly clientCertificate: boolean;
  /** How many leases use it. */
  leases = 0;
  /** When it was last leased or released, by `performance.now()`. */
  usedAt = performance.now();

  readonly #shared: Shared;
  readonly #destination: Destination;
  readonly #opener: Opener;
  readonly #idleRules: IdleRules;
  readonly #queue = new FairQueue<Exchange>();
  readonly #connections = new Set<Connection>();
  /** The most recently used last. */
  readonly #idle: Connection[] = [];
  /** Every request without an answer, waiting ones included. */
  readonly #active = new Bag<Exchange>();
  /** What was opened and has not reported its close, destroyed or not. */
  readonly #sockets = new Set<Socket>();
  readonly #closed: Record<string, number> = {};
  readonly #retried: Record<string, number> = {};
  #created = 0;
  #reused = 0;
  #staleRetries = 0;
  #pumping = false;
  #draining: { readonly reason: string; readonly done: () => void } | undefined;

  constructor(destination: Destination, shared: Shared) {
    const { origin, proxy } = destination;
    const spoken = destination.tls ? undefined : proxy;
    this.settings = shared.settings;
    this.wheel = shared.wheel;
    this.origin = origin;
    this.pathPrefix = spoken === undefined ? '' : origin;
    this.proxyAuthorization = spoken?.authorization;
    this.tls = destination.tls;
    this.clientCertificate = destination.identity.clientCertificate;
    this.#shared = shared;
    this.#destination = destination;
    this.#opener = new Opener(destination, shared.settings, shared.connect, this);
    this.#idleRules = new IdleRules(shared.settings);
  }

  get identity(): Identity {
    return this.#destination.identity;
  }

  /** Nothing is open, nothing waits. */
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#opener.size === 0 && this.#active.size === 0;
  }

  /** It finishes what it carries, and then goes. */
  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** Takes a request in. */
  submit(exchange: Exchange): void {
    const { member } = exchange;
    this.#active.add(exchange);
    member.unanswered += 1;
    const now = exchange.submittedAt;
    if (now >= member.deadline) {
      exchange.refuse('deadline', 'the deadline of the job has passed');
      return;
    }
    if (member.hasRoom()) {
      this.#takeRoom(exchange, now);
      if (this.#start(exchange, now)) return;
      this.#leaveRoom(exchange);
    }
    if (this.#queue.length >= this.settings.queueLength) {
      exchange.refuse('busy', `no room to wait for ${this.describeLoad()}`);
      return;
    }
    exchange.wait(now);
    this.#queue.push(exchange);
  }

  /** Gives up what a lease still waits for. */
  abortOf(member: Member, text: string): void {
    if (member.unanswered === 0) return;
    for (const exchange of this.#active) if (exchange.member === member) exchange.abort(text);
  }

  resume(exchange: Exchange): void {
    const now = performance.now();
    if (this.#start(exchange, now)) return;
    exchange.wait(now);
    this.#queue.pushAgain(exchange);
  }

  free(connection: Connection): void {
    // With the last request of a pool that drains its connections went.
    if (!this.#connections.has(connection)) return;
    connection.served += 1;
    this.#opener.succeeded();
    this.#release(connection, performance.now());
  }

  lose(connection: Connection, reason: string): void {
    if (!this.#connections.delete(connection)) return;
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    connection.exchange = undefined;
    this.#closed[reason] = (this.#closed[reason] ?? 0) + 1;
    connection.socket.destroy();
    this.#pumpSoon();
  }

  opened(socket: Socket, owner: Exchange | undefined): void {
    const now = performance.now();
    const { maxAge, bodyMax, random } = this.settings;
    this.#created += 1;
    const connection = new Connection(socket, this.origin, now + maxAge * (0.8 + 0.2 * random()), bodyMax);
    this.#connections.add(connection);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (connection.exchange !== undefined || !this.#connections.has(connection)) return;
      const closedAt = performance.now();
      this.#idleRules.noteServerClose(closedAt - connection.idleSince, closedAt);
      this.lose(connection, 'server');
    });
    if (owner === undefined) this.#release(connection, now);
    else this.#send(owner, connection, now);
    this.#pumpSoon();
  }

  openFailed(): void {
    this.#pumpSoon();
  }

  wantsProbe(now: number): boolean {
    return this.#hasSlot && (this.leases > 0 || now - this.usedAt <= this.settings.breakerWaitMax);
  }

  beginning(waited: number): void {
    this.#shared.queueWait.record(waited);
  }

  answering(waited: number): void {
    this.#shared.firstByte.record(waited);
  }

  countRetry(reason: string): void {
    this.#retried[reason] = (this.#retried[reason] ?? 0) + 1;
  }

  countStale(): void {
    this.#staleRetries += 1;
  }

  settled(exchange: Exchange, aborted: boolean): void {
    const { member } = exchange;
    this.#active.delete(exchange);
    member.unanswered -= 1;
    // Where it still waits, or a connection is being opened for it; in the common case it does neither.
    if (this.#queue.length > 0) this.#queue.remove(exchange);
    // After a timeout it goes on, or a slow handshake would never end. Who aborts wants nothing left behind.
    if (this.#opener.size > 0) this.#opener.disown(exchange, aborted && this.#queue.length === 0);
    if (exchange.holdsRoom) this.#leaveRoom(exchange);
    if (member.unanswered === 0) member.quiet();
    if (this.#queue.ready) this.#pumpSoon();
    if (this.#active.size === 0 && this.#draining !== undefined) this.#finishDraining();
  }

  describeLoad(): string {
    const identity = this.#destination.identity.hash.slice(0, 8);
    const busy = this.#busy + this.#opener.size;
    return (
      `a connection of the pool of ${this.origin} (identity ${identity}): ${busy} of at most ` +
      `${this.settings.connectionsPerPool} connections busy, ${this.#queue.length} requests waiting`
    );
  }

  /** Closes what has idled or lived too long, and what idles beyond need. */
  tick(now: number): void {
    this.#idleRules.turn(now, this.#busy);
    for (const connection of this.#idle.slice()) {
      if (now >= connection.ageUntil) this.lose(connection, 'age');
      else if (now >= connection.idleUntil) this.lose(connection, 'idle');
    }
    // Those unused longest stand first.
    for (const connection of this.#idle.slice(0, Math.max(0, this.#idle.length - this.#idleRules.kept))) {
      this.lose(connection, 'trimmed');
    }
  }

  /** Closes what is idle, finishes what it carries, and then calls `done`, possibly at once. Undone by {@link revive}. */
  drain(reason: string, done: () => void): void {
    this.#draining = { reason, done };
    for (const connection of this.#idle.slice()) this.lose(connection, reason);
    this.#opener.giveUpSpares();
    if (this.#active.size === 0) this.#finishDraining();
  }

  /** It is wanted again after all. */
  revive(): void {
    this.#draining = undefined;
  }

  /** Ends everything at once: requests fail with `text`. Resolves once no socket is left. */
  async destroy(reason: string, text: string): Promise<void> {
    for (const exchange of this.#active) exchange.abort(text);
    this.#opener.close();
    for (const connection of this.#connections) this.lose(connection, reason);
    await Promise.all(
      [...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
    );
  }

  report(): PoolReport {
    const { identity, proxy } = this.#destination;
    return {
      origin: this.origin,
      identity: identity.hash.slice(0, 8),
      ...(proxy && { proxy: proxy.origin }),
      open: this.#connections.size,
      busy: this.#busy,
      idle: this.#idle.length,
      queued: this.#queue.length,
      leases: this.leases,
      created: this.#created,
      reused: this.#reused,
      closed: { ...this.#closed },
      retried: { ...this.#retried },
      staleRetries: this.#staleRetries,
      breaker: this.#opener.breaker,
    };
  }

  get #busy(): number {
    return this.#connections.size - this.#idle.length;
  }

  #takeRoom(exchange: Exchange, now: number): void {
    exchange.holdsRoom = true;
    exchange.member.inFlight += 1;
    exchange.member.progressAt = now;
  }

  #leaveRoom(exchange: Exchange): void {
    exchange.holdsRoom = false;
    exchange.member.inFlight -= 1;
    this.#queue.roomFor(exchange.member);
  }

  /** Gives a request a connection, opens one for it, or tells why there will be none; false where it has to wait. */
  #start(exchange: Exchange, now: number): boolean {
    if (exchange.needsFresh) {
      if (!this.#hasSlot && this.#idle[0] !== undefined) this.lose(this.#idle[0], 'trimmed');
    } else {
      const connection = this.#takeIdle(now);
      if (connection !== undefined) {
        this.#send(exchange, connection, now);
        return true;
      }
    }
    if (this.#opener.size > 0 && this.#opener.adopt(exchange)) {
      exchange.begin(now);
      return true;
    }
    if (!this.#hasSlot) return false;
    if (this.#opener.mayOpen(now)) {
      exchange.begin(now);
      this.#opener.open(exchange, now);
      return true;
    }
    // The breaker is open. What is connected may still serve; where nothing is, there is nothing to wait for.
    if (this.#connections.size > 0) return false;
    const { code, text, cause } = this.#opener.refusal(now);
    exchange.refuse(code, text, cause);
    return true;
  }

  get #hasSlot(): boolean {
    return this.#connections.size + this.#opener.size < this.settings.connectionsPerPool;
  }

  #takeIdle(now: number): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (now >= connection.ageUntil) this.lose(connection, 'age');
      else if (now >= connection.idleUntil) this.lose(connection, 'idle');
      else if (connection.socket.destroyed) this.lose(connection, 'server');
      else return connection;
    }
  }

  #send(exchange: Exchange, connection: Connection, now: number): void {
    if (connection.served > 0) this.#reused += 1;
    this.#idleRules.noteBusy(this.#busy);
    exchange.send(connection, now);
  }

  /** A connection has nothing to carry: gives it to the next in turn, or lets it rest. */
  #release(connection: Connection, now: number): void {
    connection.exchange = undefined;
    if (connection.ending) {
      this.lose(connection, 'server');
      return;
    }
    if (now >= connection.ageUntil) {
      this.lose(connection, 'age');
      return;
    }
    const next = this.#queue.ready ? this.#queue.shift() : this.#opener.takeOwner();
    if (next === undefined) {
      this.#rest(connection, now);
      return;
    }
    if (!next.holdsRoom) this.#takeRoom(next, now);
    this.#queue.roomFor(next.member);
    if (next.needsFresh && connection.served > 0) {
      this.lose(connection, 'trimmed');
      next.begin(now);
      this.#opener.open(next, now);
    } else {
      this.#send(next, connection, now);
    }
  }

  #rest(connection: Connection, now: number): void {
    if (this.#draining !== undefined) {
      this.lose(connection, this.#draining.reason);
      return;
    }
    connection.idleSince = now;
    connection.idleUntil = this.#idleRules.idleUntil(now, connection.keepAlive);
    this.#idle.push(connection);
    connection.rest();
  }

  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // Not at once: a request whose connection was lost has the first right to the slot.
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump(performance.now());
    });
  }

  /** Starts what waits, as far as there is room. */
  #pump(now: number): void {
    while (this.#queue.ready) {
      const canStart = this.#idle.length > 0 || this.#hasSlot;
      if (!canStart) return;
      if (this.#connections.size > 0 && this.#idle.length === 0 && !this.#opener.mayOpen(now)) return;
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (!next.holdsRoom) this.#takeRoom(next, now);
      this.#queue.roomFor(next.member);
      if (this.#start(next, now)) continue;
      next.wait(now);
      this.#queue.pushAgain(next);
      return;
    }
  }

  #finishDraining(): void {
    const draining = this.#draining;
    if (draining === undefined) return;
    this.#draining = undefined;
    this.#opener.close();
    for (const connection of this.#connections) this.lose(connection, draining.reason);
    draining.done();
  }
}
