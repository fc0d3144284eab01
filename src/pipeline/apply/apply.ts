import { setMaxListeners } from 'node:events';
import type { Backend } from '../../backend/backend.js';
import { AdcError, GatewayError } from '../../model/errors.js';
import type { Operation, Plan } from '../../model/operation.js';
import { systemClock, type Clock } from './clock.js';
import { createTouched, lagPatience, lagPause } from './lag.js';
import type { OperationOutcome, Progress } from './outcome.js';
import { createSchedule } from './schedule.js';

/** How a plan is carried out. */
export interface ApplyOptions {
  /** Operations in flight at once; default 10. */
  readonly concurrency?: number;
  /** Start nothing new after the first failure. Default: go on with what does not depend on it. */
  readonly failFast?: boolean;
  /** Start nothing new once it is aborted; what is in flight is finished. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch at which nothing new is started and what is in flight is cut off. */
  readonly deadline?: number;
  /** Called whenever an operation started or ended. Must not throw. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called once for each operation, when its outcome is known. Must not throw. */
  readonly onOutcome?: (outcome: OperationOutcome) => void;
  readonly clock?: Clock;
  /** In [0, 1); spreads repetitions. */
  readonly random?: () => number;
}

/** The longest a timer of Node can wait, in milliseconds. */
const longestWait = 2 ** 31 - 1;

/**
 * Carries out a plan: every operation starts as soon as all it waits for have succeeded and there is room. What depends
 * on a failure is skipped. A refusal that may come from the gateway's lagging memory, naming an object that this very
 * job changed or deleted or knows not to be in the way, is repeated for at most a second; any other refusal is final.
 * After a refused key nothing more is sent to that endpoint.
 *
 * Never rejects: whatever goes wrong is in the outcomes, one for each operation, in the order of the plan.
 */
export async function apply(
  plan: Plan,
  backend: Pick<Backend, 'execute' | 'lagRefusal'>,
  options: ApplyOptions = {},
): Promise<readonly OperationOutcome[]> {
  const { operations } = plan;
  const total = operations.length;
  if (total === 0) return [];
  const { concurrency = 10, failFast = false, signal, deadline, clock = systemClock, random = Math.random } = options;
  const schedule = createSchedule(plan);
  const touched = createTouched();
  // By place in the plan, as are all operations below.
  const outcomes: (OperationOutcome | undefined)[] = operations.map(() => undefined);
  const closedEndpoints = new Map<string, string>();
  const stopped = new AbortController();
  const cutOff = new AbortController();
  // Every operation in flight listens to it; that is no leak, however many there are.
  setMaxListeners(0, cutOff.signal);
  const finished = new AbortController();
  let running = 0;
  let done = 0;
  let failed = 0;

  const operationAt = (place: number): Operation => operations[place] as Operation;

  const tell = (): void => options.onProgress?.({ total, done, failed, running });

  const record = (place: number, outcome: OperationOutcome): void => {
    if (outcomes[place] === undefined) done += 1;
    outcomes[place] = outcome;
    const wentThrough = outcome.status === 'applied' || outcome.status === 'unchanged';
    if (!wentThrough || outcome.refused !== undefined) failed += 1;
    options.onOutcome?.(outcome);
  };

  const now = (): Date => new Date(clock.now());

  const stop = (because?: string, error?: AdcError): void => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    for (const place of schedule.drain()) {
      record(place, {
        operation: operationAt(place),
        status: 'aborted',
        at: now(),
        attempts: 0,
        ...(because === undefined ? {} : { because }),
        ...(error === undefined ? {} : { error }),
      });
    }
    tell();
  };

  const skip = (places: readonly number[], because: string): void => {
    for (const place of places) {
      record(place, { operation: operationAt(place), status: 'skipped', because, at: now(), attempts: 0 });
    }
  };

  const settle = (place: number, outcome: OperationOutcome): void => {
    const { operation, status } = outcome;
    record(place, outcome);
    if (status === 'applied' || status === 'unchanged') {
      touched.note(operation);
      schedule.complete(place);
      return;
    }
    if (outcome.error instanceof AdcError && outcome.error.code === 'unauthorized') {
      closedEndpoints.set(operation.endpoint, operation.id);
    }
    skip(schedule.drop(place), operation.id);
    if (failFast) stop(operation.id);
  };

  const attempt = async (operation: Operation): Promise<OperationOutcome> => {
    const started = clock.now();
    for (let attempts = 1; ; attempts += 1) {
      try {
        const { at, written, refused } = await backend.execute(operation, cutOff.signal);
        const status = written ? 'applied' : 'unchanged';
        return { operation, status, at, attempts, ...(refused === undefined ? {} : { refused }) };
      } catch (error) {
        const pause = lagPause(attempts, random());
        const refusal = backend.lagRefusal(error, operation);
        const isLag = refusal !== undefined && (refusal.isOutdated || touched.has(operation.endpoint, refusal.object));
        const inTime = clock.now() + pause - started <= lagPatience;
        if (isLag && inTime && !stopped.signal.aborted) await clock.wait(pause, stopped.signal);
        if (!isLag || !inTime || stopped.signal.aborted) {
          return {
            operation,
            status: isUndecided(error, cutOff.signal) ? 'unknown' : 'failed',
            error,
            at: now(),
            attempts,
          };
        }
      }
    }
  };

  await new Promise<void>((resolve) => {
    const run = async (place: number): Promise<void> => {
      const outcome = await attempt(operationAt(place));
      running -= 1;
      settle(place, outcome);
      // The pool's timer may run before ours: nothing new may begin between the two.
      if (deadline !== undefined && (clock.now() >= deadline || isDeadline(outcome.error))) strike();
      tell();
      pump();
    };
    const pump = (): void => {
      while (running < concurrency && !stopped.signal.aborted) {
        const place = schedule.take();
        if (place === undefined) break;
        const closedBy = closedEndpoints.get(operationAt(place).endpoint);
        if (closedBy !== undefined) {
          skip([place, ...schedule.drop(place)], closedBy);
          continue;
        }
        running += 1;
        tell();
        void run(place);
      }
      if (running === 0) resolve();
    };
    const strike = (): void => {
      if (finished.signal.aborted) return;
      stop(undefined, new AdcError('deadline', 'not started: the time for the job was over'));
      cutOff.abort(new AdcError('deadline', 'cut off: the time for the job was over'));
      if (running === 0) resolve();
    };
    const onAbort = (): void => {
      stop(undefined, new AdcError('aborted', 'not started: the job was stopped'));
      if (running === 0) resolve();
    };
    signal?.addEventListener('abort', onAbort, { signal: finished.signal });
    if (deadline !== undefined) {
      const left = deadline - clock.now();
      if (left <= 0) strike();
      else void clock.wait(Math.min(left, longestWait), finished.signal).then(strike);
    }
    if (signal?.aborted === true) onAbort();
    pump();
  });
  finished.abort();
  return outcomes as readonly OperationOutcome[];
}

/** Tells whether a failure leaves open if the gateway carried the operation out: it was sent, and no answer came. */
function isUndecided(error: unknown, cutOff: AbortSignal): boolean {
  if (error instanceof GatewayError && error.failure.status !== undefined) return false;
  if (error instanceof GatewayError && error.failure.mayHaveActed === true) return true;
  // An operation that ended with a read has written nothing, or was refused what it wrote.
  if (error instanceof GatewayError && ['GET', 'HEAD'].includes(error.failure.method)) return false;
  if (cutOff.aborted) return true;
  return isDeadline(error) || (error instanceof AdcError && error.code === 'aborted');
}

function isDeadline(error: unknown): boolean {
  return error instanceof AdcError && error.code === 'deadline';
}
