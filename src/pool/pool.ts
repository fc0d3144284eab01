/**
 * The face of the connection pools: what a backend is handed and what it may ask of it. The manager behind it is the
 * only place in the program that opens a connection to a gateway.
 */

/** Everything that makes a TLS connection usable for one caller and not for another. PEM texts, never paths. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Of an encrypted key. */
  readonly passphrase?: string;
  readonly serverName?: string;
  /** Default true. */
  readonly verify?: boolean;
  /** Trust the system's certificate authorities beside `ca`. Default: only when no `ca` is given. */
  readonly systemCa?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What a lease is for. */
export interface PoolTarget {
  /** `http://host:port` or `https://host:port`; a path is ignored. */
  readonly origin: string;
  readonly tls?: TlsIdentity;
}

/** Options of one lease. */
export interface LeaseOptions {
  /** Aborting it aborts what is queued or in flight on this lease and refuses what comes later, unless it was shielded. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch after which nothing more is sent, retried or waited for. */
  readonly deadline?: number | undefined;
  /** The most requests this job will have in flight; default 10. */
  readonly concurrency?: number | undefined;
}

/** One request. The body is serialised already, so that it is serialised once however often it is sent. */
export interface PoolRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Milliseconds for one attempt, connect to last byte; default 10,000. */
  readonly timeout?: number | undefined;
  /** Aborts this request only. */
  readonly signal?: AbortSignal | undefined;
  /** False for a request that must not be sent twice (a POST that creates). Default true. */
  readonly repeatable?: boolean;
}

/** A complete answer, of whatever status: the pool throws only where there was none. */
export interface PoolResponse {
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names; several values of one header are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** One header, by its lower-case name: looked for alone, it takes a tenth of what parsing all of them does. */
  header(name: string): string | undefined;
  /** How often it was sent, the first time included. */
  readonly attempts: number;
  /**
   * True where an attempt before this answer may have reached the gateway (a DELETE that then finds nothing succeeded,
   * a PUT that answers 200 may have created).
   */
  readonly ambiguous: boolean;
}

/** A backend's use of a pool for the length of one job. */
export interface Lease {
  /**
   * Sends a request and gives the whole answer.
   *
   * @throws GatewayError `unreachable`, `tls_handshake`, `deadline`, `aborted` or `busy`, with method and URL.
   */
  request(request: PoolRequest): Promise<PoolResponse>;
  /** Ends the use; idempotent. What it still carries is finished, and the pool stays for others. */
  release(): void;
  /** Ends the use and gives up what it still carries. Idempotent. */
  abandon(): void;
  /** From now on the signal it was leased with aborts nothing: a write that is cut leaves open whether it happened. */
  shield(): void;
}

/** The numbers of one pool. Keys, certificates and tokens appear nowhere. */
export interface PoolReport {
  readonly origin: string;
  /** The first 8 hex digits of the TLS identity's hash; `plain` for http. */
  readonly identity: string;
  /** The proxy's origin, where one is used. */
  readonly proxy?: string;
  readonly open: number;
  readonly busy: number;
  readonly idle: number;
  readonly queued: number;
  readonly leases: number;
  readonly created: number;
  readonly reused: number;
  /** By reason: idle, trimmed, age, evicted, stale, error, aborted, timeout, server, shutdown. */
  readonly closed: Readonly<Record<string, number>>;
  /** Retries by reason: connect, reset, timeout, 429, 500, 502, 503, 504. */
  readonly retried: Readonly<Record<string, number>>;
  readonly staleRetries: number;
  readonly breaker: 'closed' | 'open' | 'half-open';
}

/** A histogram: counts by upper bound in seconds, and the sum. */
export interface Histogram {
  readonly bounds: readonly number[];
  /** One more than bounds: the last counts what is above. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** The numbers of the whole process. */
export interface PoolsReport {
  readonly pools: readonly PoolReport[];
  readonly evictions: number;
  /** In seconds. */
  readonly queueWait: Histogram;
  readonly connect: Histogram;
  readonly firstByte: Histogram;
}

/** The pools of the process. Built once, handed down, closed at the end. */
export interface Pools {
  /**
   * Leases the pool of an origin and TLS identity, making it where there is none.
   *
   * @throws AdcError `tls_material` naming the field, before any connection is made; `busy` where the cap on pools is
   *   reached and nothing could be evicted in time; `aborted` after {@link Pools.close} began.
   */
  lease(target: PoolTarget, options?: LeaseOptions): Promise<Lease>;
  report(): PoolsReport;
  /** Stops accepting, drains until `deadline` ms have passed (default 5,000), then destroys. No socket or timer is left. */
  close(deadline?: number): Promise<void>;
}
