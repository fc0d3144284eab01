import type { Readable } from 'node:stream';
import type { Memory } from '../memory/memory.js';
import type { PoolManagerOptions } from '../pool/options.js';
import type { Pools } from '../pool/pool.js';
import type { Environment, OutputStream, Terminal } from './terminal.js';

/** What the process gives the command line. All that is global about a process is in here, and nowhere else. */
export interface Process {
  /** Standard input, opened when it is asked for. */
  readonly stdin: () => Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Flags, then this, then defaults: the process environment over that of `.env`. */
  readonly env: Environment;
  /** The working directory, absolute. */
  readonly directory: string;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** What a process that was stopped by that signal exits with; undefined where none came. */
  readonly signalStatus: () => number | undefined;
  /** Calls back on each SIGHUP; gives the function that ends it. */
  readonly onReload: (callback: () => void) => () => void;
  /** Builds the pools of the process; closed by the caller at the end. Called once at most. */
  readonly openPools: (options: PoolManagerOptions) => Promise<Pools>;
  /** Builds the memory of the process. Called once at most. */
  readonly openMemory: () => Promise<Memory>;
}

/** What a running command works with. */
export interface Context extends Process {
  readonly terminal: Terminal;
}

/** Runs a command and gives its exit status. Expected failures are thrown as AdcError. */
export type Run<V> = (context: Context, values: V) => Promise<number>;
