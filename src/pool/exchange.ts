import type { Dispatcher } from 'undici';
import { GatewayError, type ErrorCode, type GatewayFailure } from '../model/errors.js';
import { classifyExchange, isRefusedRequest, type Failure } from './failure.js';
import { parseHeaders, readAnnouncement, requestHeaders, type RawHeaders } from './headers.js';
import { parseRetryAfter, retriedStatus, retryDelay } from './retry.js';
import { Answer } from './answer.js';
import type { Placed } from './bag.js';
import type { Connection } from './connection.js';
import type { PoolSettings } from './options.js';
import type { PoolRequest, PoolResponse } from './pool.js';
import type { QueueItem, QueueMember } from './queue.js';
import type { Expiring, Wheel } from './wheel.js';

/** What an exchange asks of the pool that carries it. */
export interface Carrier {
  readonly settings: PoolSettings;
  readonly wheel: Wheel;
  readonly origin: string;
  /** What to put before the path where a proxy is spoken to; else empty. */
  readonly pathPrefix: string;
  readonly proxyAuthorization: string | undefined;
  readonly tls: boolean;
  readonly clientCertificate: boolean;
  /** A request begins that has waited so many ms in the queue. */
  beginning(waited: number): void;
  /** The first byte of an answer came, so many ms after the request was sent. */
  answering(waited: number): void;
  /** The connection carried its answer to the end. */
  free(connection: Connection): void;
  /** The connection is of no use any more. */
  lose(connection: Connection, reason: string): void;
  /** Runs an exchange again that still holds its lease's room. */
  resume(exchange: Exchange): void;
  countRetry(reason: string): void;
  countStale(): void;
  /** The exchange came to its end; `aborted` where that was the caller's doing. */
  settled(exchange: Exchange, aborted: boolean): void;
  /** For the message of an exchange that waited too long. */
  describeLoad(): string;
}

/** What an exchange and its pool ask of a lease. */
export interface Member extends QueueMember<Exchange> {
  /** How many requests of this lease have no answer yet, waiting ones included. Written by the pool. */
  unanswered: number;
  /** How many of its requests run; what waits in the queue does not. Written by the pool. */
  inFlight: number;
  /** By `performance.now()`. */
  readonly deadline: number;
  /** When one of its requests was last started, by `performance.now()`. Written by the pool. */
  progressAt: number;
  /** Called when nothing of it is left without an answer. */
  quiet(): void;
}

type Phase = 'waiting' | 'connecting' | 'sent' | 'reading' | 'pausing' | 'settled';

/** The request's own default, in ms. */
const defaultTimeout = 10_000;

/**
 * One request from its submission to its answer or failure, over as many attempts as that takes. It is its own handler
 * towards undici, its own entry in the queue and in the wheel: one object a request.
 */
export class Exchange implements Expiring, Placed, QueueItem<Exchange>, Dispatcher.DispatchHandler {
  slot = 0;
  slotPlace = 0;
  place = -1;
  readonly member: Member;
  readonly options: Dispatcher.DispatchOptions;
  /** Waits only for a connection that nothing was sent over yet. */
  needsFresh: boolean;
  /** Whether it counts among what runs of its lease; written by the pool. */
  holdsRoom = false;
  readonly submittedAt: number;

  readonly #carrier: Carrier;
  readonly #request: PoolRequest;
  readonly #repeatable: boolean;
  readonly #timeout: number;
  readonly #resolve: (response: PoolResponse) => void;
  readonly #reject: (error: Error) => void;

  #phase: Phase = 'waiting';
  #connection: Connection | undefined;
  /** When the last step was made: queued, begun, sent, or a part of the answer received. */
  #since: number;
  #attemptEnd = Infinity;
  #phaseEnd = Infinity;
  #attempts = 0;
  #retries = 0;
  #stale = false;
  #ambiguous = false;
  /** This attempt may have put bytes on the wire. */
  #started = false;
  /** An answer to this attempt has begun. */
  #answered = false;
  #status = 0;
  #statusText = '';
  #rawHeaders: RawHeaders = [];
  #chunks: Buffer[] = [];
  /** The last complete answer, given where no later attempt brings a better one. */
  #fallback: PoolResponse | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(
    carrier: Carrier,
    member: Member,
    request: PoolRequest,
    resolve: (response: PoolResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.#carrier = carrier;
    this.member = member;
    this.#request = request;
    this.#repeatable = request.repeatable ?? true;
    // What must not be sent twice must not meet a connection that the server is just closing.
    this.needsFresh = !this.#repeatable;
    this.#timeout = request.timeout ?? defaultTimeout;
    this.#resolve = resolve;
    this.#reject = reject;
    this.submittedAt = performance.now();
    this.#since = this.submittedAt;
    const { method, body = null } = request;
    const path = carrier.pathPrefix === '' ? request.path : carrier.pathPrefix + request.path;
    const headers = requestHeaders(request, carrier.proxyAuthorization);
    // undici would close after HEAD for fear of servers that send a body.
    this.options = method === 'HEAD' ? { method, path, headers, body, reset: false } : { method, path, headers, body };
  }

  /** Tells when the wait in the queue ends. */
  wait(now: number): void {
    this.#phase = 'waiting';
    this.#since = now;
    this.#phaseEnd = Infinity;
    this.#attemptEnd = Infinity;
    this.#carrier.wheel.add(this, Math.min(this.#waitEnd(), this.member.deadline));
  }

  /** An attempt begins: with the opening of a connection for it, or at once on one that is open. */
  begin(now: number): void {
    if (this.#phase === 'waiting') this.#carrier.beginning(now - this.#since);
    this.#since = now;
    this.#phase = 'connecting';
    this.#started = false;
    this.#answered = false;
    this.#attemptEnd = this.#timeout > 0 ? now + this.#timeout : Infinity;
    this.#phaseEnd = Infinity;
    this.#carrier.wheel.add(this, Math.min(this.#attemptEnd, this.member.deadline));
  }

  /** Sends it over a connection. */
  send(connection: Connection, now: number): void {
    if (this.#phase !== 'connecting') this.begin(now);
    this.#phase = 'sent';
    this.#since = now;
    this.#phaseEnd = now + this.#carrier.settings.headersTimeout;
    if (this.#phaseEnd < this.#attemptEnd) this.#carrier.wheel.add(this, this.#phaseEnd);
    this.#connection = connection;
    connection.send(this);
  }

  // The calls of undici. These are its older handler methods: the newer ones do not tell when an answer's first byte
  // comes, on which it depends whether a failure is that of a stale connection, and cost one object a request more.

  onConnect(): void {
    this.#started = true;
    this.#attempts += 1;
  }

  onResponseStarted(): void {
    if (this.#answered) return;
    this.#answered = true;
    if (this.#phase === 'settled') return;
    const now = performance.now();
    this.#carrier.answering(now - this.#since);
    this.#since = now;
  }

  onHeaders(status: number, rawHeaders: Buffer[], _resume: () => void, statusText: string): boolean {
    if (status < 200 || this.#connection === undefined) return true;
    this.#phase = 'reading';
    this.#phaseEnd = Infinity;
    const bodyEnd = this.#since + this.#carrier.settings.bodyTimeout;
    if (bodyEnd < this.#attemptEnd) this.#carrier.wheel.add(this, bodyEnd);
    this.#status = status;
    this.#statusText = statusText;
    this.#rawHeaders = rawHeaders;
    const { closes, keepAlive } = readAnnouncement(rawHeaders);
    if (closes) this.#connection.ending = true;
    this.#connection.keepAlive = keepAlive;
    return true;
  }

  onData(chunk: Buffer): boolean {
    // The first part comes with the headers, as a rule.
    if (this.#chunks.length > 0) this.#since = performance.now();
    this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    const retried = retriedStatus(this.#status);
    if (retried === undefined || !this.#retryAnswer(body, retried.mayHaveActed)) this.#answer(this.#response(body));
    this.#carrier.free(connection);
  }

  onError(error: Error): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#chunks = [];
    if (isRefusedRequest(error)) {
      this.#carrier.free(connection);
      this.#fail('usage', error.message, error);
      return;
    }
    const fresh = connection.served === 0;
    const stale = !fresh && !this.#answered;
    this.#carrier.lose(connection, stale ? 'stale' : 'error');
    if (this.#phase === 'settled') return;
    if (stale && !this.#stale && (this.#repeatable || !this.#started)) {
      this.#stale = true;
      this.#ambiguous ||= this.#started;
      this.needsFresh = true;
      this.#carrier.countStale();
      this.#carrier.resume(this);
      return;
    }
    const { tls, clientCertificate } = this.#carrier;
    const headersRead = this.#phase === 'reading';
    this.attemptFailed(
      classifyExchange(error, { tls, fresh, clientCertificate, headersRead, first: connection.error }),
    );
  }

  /** An attempt came to no answer: waits and tries again, or gives up. */
  attemptFailed(failure: Failure): void {
    if (this.#phase === 'settled') return;
    const mayRepeat = failure.transient && (this.#repeatable || !this.#started);
    const now = performance.now();
    const delay = mayRepeat ? retryDelay(this.#retries, this.#carrier.settings, this.member.deadline - now) : undefined;
    if (delay !== undefined) {
      this.#ambiguous ||= this.#started;
      this.#again(failure.reason, delay);
    } else if (this.#fallback !== undefined) {
      this.#answer(this.#fallback);
    } else {
      this.#fail(failure.code, failure.text, failure.cause);
    }
  }

  /** Ends it with an error whose text stands behind method and URL, or with the last answer where there was one. */
  refuse(code: ErrorCode, text: string, cause?: unknown): void {
    if (this.#phase === 'settled') return;
    if (this.#fallback !== undefined && code !== 'aborted') this.#answer(this.#fallback);
    else this.#fail(code, text, cause);
  }

  expire(now: number): void {
    if (this.#phase === 'settled') return;
    if (now >= this.member.deadline) {
      this.#cut('timeout');
      this.refuse('deadline', 'the deadline of the job has passed');
    } else if (now >= this.#attemptEnd) {
      this.#timedOut();
    } else if (this.#phase === 'waiting' && now >= this.#waitEnd()) {
      this.refuse('busy', `waited ${Math.round(now - this.#since)}ms for ${this.#carrier.describeLoad()}`);
    } else if (this.#phase === 'sent' && now >= this.#phaseEnd) {
      this.#cut('timeout');
      this.refuse('unreachable', `no answer within ${this.#carrier.settings.headersTimeout}ms`);
    } else if (this.#phase === 'reading' && now >= this.#since + this.#carrier.settings.bodyTimeout) {
      this.#cut('timeout');
      this.refuse('unreachable', `the answer stopped for ${this.#carrier.settings.bodyTimeout}ms`);
    } else {
      this.#carrier.wheel.add(this, this.#nextEnd());
    }
  }

  /** The caller has gone. */
  abort(text: string): void {
    if (this.#phase === 'settled') return;
    this.#cut('aborted');
    this.refuse('aborted', text);
  }

  #waitEnd(): number {
    // As long as others of the same lease get their turn, the queue moves, and this one only stands behind them.
    return Math.max(this.#since, this.member.progressAt) + this.#carrier.settings.queueWait;
  }

  #nextEnd(): number {
    const { deadline } = this.member;
    if (this.#phase === 'waiting') return Math.min(deadline, this.#waitEnd());
    const reading = this.#phase === 'reading' ? this.#since + this.#carrier.settings.bodyTimeout : Infinity;
    return Math.min(deadline, this.#attemptEnd, this.#phaseEnd, reading);
  }

  #timedOut(): void {
    this.#cut('timeout');
    if (this.#fallback !== undefined) {
      this.#answer(this.#fallback);
      return;
    }
    const { method } = this.#request;
    this.#settle();
    this.#reject(
      new GatewayError('unreachable', this.#failure('unreachable'), {
        message:
          `Request "${method} ${this.#url}" timed out after ${this.#timeout}ms. ` +
          'Consider increasing the timeout with the --timeout flag.',
      }),
    );
  }

  /** Takes the request off the wire, which costs the connection. */
  #cut(reason: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#chunks = [];
    if (connection !== undefined) this.#carrier.lose(connection, reason);
  }

  /** Asks again after an answer that says "not now"; tells whether that is possible. */
  #retryAnswer(body: Uint8Array, mayHaveActed: boolean): boolean {
    if (!this.#repeatable || this.#phase === 'settled') return false;
    const now = performance.now();
    const after = parseRetryAfter(parseHeaders(this.#rawHeaders)['retry-after'], Date.now());
    const delay = retryDelay(this.#retries, this.#carrier.settings, this.member.deadline - now, after);
    if (delay === undefined) return false;
    this.#fallback = this.#response(body);
    this.#ambiguous ||= mayHaveActed;
    this.#again(String(this.#status), delay);
    return true;
  }

  #again(reason: string, delay: number): void {
    this.#retries += 1;
    this.#stale = false;
    this.#carrier.countRetry(reason);
    this.#phase = 'pausing';
    this.#attemptEnd = Infinity;
    this.#phaseEnd = Infinity;
    this.needsFresh = !this.#repeatable;
    // Of its own and holding the process alive: nothing else does while a request pauses.
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#carrier.resume(this);
    }, delay);
  }

  #response(body: Uint8Array): PoolResponse {
    return new Answer(this.#status, this.#statusText, this.#rawHeaders, body, this.#attempts, this.#ambiguous);
  }

  #answer(response: PoolResponse): void {
    if (this.#phase === 'settled') return;
    this.#settle();
    this.#resolve(response);
  }

  #fail(code: ErrorCode, text: string, cause: unknown): void {
    if (this.#phase === 'settled') return;
    const { method } = this.#request;
    this.#settle(code === 'aborted');
    this.#reject(new GatewayError(code, this.#failure(code), { message: `${method} ${this.#url}: ${text}`, cause }));
  }

  /** What is known of it when no answer is to come. A server that refuses a client has read nothing of its request. */
  #failure(code: ErrorCode): GatewayFailure {
    const { method } = this.#request;
    const wasSent = this.#ambiguous || (this.#started && code !== 'tls_handshake' && code !== 'usage');
    const mayHaveActed = wasSent && method !== 'GET' && method !== 'HEAD';
    return { method, url: this.#url, ...(mayHaveActed ? { mayHaveActed } : {}) };
  }

  #settle(aborted = false): void {
    this.#phase = 'settled';
    this.#carrier.wheel.remove(this);
    if (this.#pause !== undefined) clearTimeout(this.#pause);
    this.#carrier.settled(this, aborted);
  }

  get #url(): string {
    return this.#carrier.origin + this.#request.path;
  }
}
