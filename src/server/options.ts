import type { Memory } from '../memory/memory.js';
import type { Pools } from '../pool/pool.js';

/** The levels of the server's log, from most to least said. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** A level of the server's log. */
export type LogLevel = (typeof logLevels)[number];

/** The files an `https://` listener serves with. Read at start and again on {@link Server.reload} or when they change. */
export interface ServerTls {
  /** PEM: the certificate, followed by its chain. */
  readonly certFile: string;
  /** PEM: its private key. */
  readonly keyFile: string;
  /** PEM: with it every client must show a certificate that one of these authorities signed. */
  readonly clientCaFile?: string;
}

/** Where {@link startServer} listens, what it works with and where its limits are. Only `pools` and `memory` must be given. */
export interface ServerOptions {
  /** Of the process. The server closes them at the end of {@link Server.drain} and {@link Server.close}. */
  readonly pools: Pools;
  readonly memory: Memory;
  /** `http://host:port`, `https://host:port` or `unix:/path` (also `unix:///path`). Port 0 takes a free one. Default `http://127.0.0.1:3000`. */
  readonly listen?: string;
  /** Port of probes, metrics and `/debug`, on every address of both families; 0 takes a free one. Default 3001. */
  readonly statusPort?: number;
  /** Needed for `https://`, refused without it. */
  readonly tls?: ServerTls;
  /** A file with the bearer token that requests (and `/debug` from elsewhere than loopback) must carry. Read again with the certificates. */
  readonly authTokenFile?: string;
  /** The gateways that requests may name: origins (`https://gateway:9180`), hosts (`gateway`, `gateway:9180`), `*.domain`. Default: any. */
  readonly allowTargets?: readonly string[];
  /** Bytes of one request body; above it 413. Default 100 MiB. */
  readonly bodyLimit?: number;
  /** Bytes of all request bodies held at one moment, waiting jobs included; above it 503. Default 4 × `bodyLimit`. */
  readonly bodiesLimit?: number;
  /** Jobs that may run at the same moment, each for a different `cacheKey`. Default 16. */
  readonly concurrency?: number;
  /** Jobs that may wait; above it 503 with `Retry-After`. Default 1,024. */
  readonly queueLength?: number;
  /** Open client connections; further ones are closed at once. Default 4,096. */
  readonly maxConnections?: number;
  /** Milliseconds an idle client connection is kept; callers do not replay a PUT, so it is long. Default 10 minutes. */
  readonly keepAliveTimeout?: number;
  /** Milliseconds a client may take to send its headers. Default 20 s. */
  readonly headersTimeout?: number;
  /** Milliseconds a client may take to send a whole request. Default 60 s. */
  readonly requestTimeout?: number;
  /** Milliseconds that running jobs are given when the server drains; then they are stopped before their next write. Default 30 s. */
  readonly drainTimeout?: number;
  /** Default `info`. See {@link logLevelFrom}. */
  readonly logLevel?: LogLevel;
  /** Takes each line of the log, newline included. Default: standard output. */
  readonly writeLog?: (line: string) => void;
}

/** A running server. */
export interface Server {
  /** The URL of the listener, with the real port; `unix:/path` for a socket. */
  readonly addresses: readonly string[];
  /** The URLs of the status port, one for each address family that this machine has. */
  readonly statusAddresses: readonly string[];
  /**
   * Stops accepting, says 503 on `/healthz/ready`, finishes the jobs that run and wait within the drain timeout, then
   * closes everything, the pools included. Calling it again gives the same promise. Never rejects.
   */
  drain(): Promise<void>;
  /** Aborts what runs before its next write and closes everything, the pools included. Idempotent. */
  close(): Promise<void>;
  /** Reads certificates and the token file again (on SIGHUP). What cannot be read is logged and the old ones stay. */
  reload(): Promise<void>;
}

/** Reads a level of the log from an environment value such as that of `ADC_INGRESS_LOG_LEVEL`; anything unknown is `info`. */
export function logLevelFrom(value: string | undefined): LogLevel {
  const word = value?.trim().toLowerCase();
  if (word === 'warning') return 'warn';
  return logLevels.find((level) => level === word) ?? 'info';
}
