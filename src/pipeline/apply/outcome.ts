import type { Operation } from '../../model/operation.js';
import type { ResourceKey } from '../../model/resource.js';

/**
 * How an operation ended.
 *
 * - `applied`: the gateway took it
 * - `unchanged`: the gateway already held it, nothing was written
 * - `failed`: refused, or it never reached the gateway
 * - `skipped`: never sent, because what it depends on did not succeed
 * - `aborted`: never sent, because the job was stopped
 * - `unknown`: sent, and no answer came, so that it may have been applied
 */
export type OperationStatus = 'applied' | 'unchanged' | 'failed' | 'skipped' | 'aborted' | 'unknown';

/** What became of one operation. */
export interface OperationOutcome {
  readonly operation: Operation;
  readonly status: OperationStatus;
  /** Of `failed` and `unknown`: what the gateway, the network or the stop said. */
  readonly error?: unknown;
  /** Of `skipped` and, with fail-fast, `aborted`: the id of the operation that failed. */
  readonly because?: string;
  /** The gateway's clock where it answered with one, else ours. */
  readonly at: Date;
  /** How often it was sent; 0 for what never was. Repetitions by the pool are not counted. */
  readonly attempts: number;
  /** Resources that the endpoint refused although the operation went through: by key, its words. */
  readonly refused?: ReadonlyMap<ResourceKey, string>;
}

/** How far a job is. */
export interface Progress {
  /** Operations of the plan. */
  readonly total: number;
  /** Operations that have ended, in whatever way. */
  readonly done: number;
  /** Of those: failed, skipped, aborted or unknown. */
  readonly failed: number;
  /** Operations in flight. */
  readonly running: number;
}
