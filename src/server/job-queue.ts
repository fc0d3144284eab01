import { AdcError } from '../model/errors.js';
import { Bag, type Placed } from '../pool/bag.js';

/** One job as the queue sees it. */
export interface Job<T> {
  /** Jobs of one lane run one at a time, in the order they came. Without one it waits for a free place only. */
  readonly lane?: string | undefined;
  /**
   * Jobs next to each other in a lane that have the same word replace each other wholly: only the newest runs, and its result answers
   * them all. Absent for a job that must run itself.
   */
  readonly replaces?: string | undefined;
  /**
   * Aborted when whoever waits for the result is gone: the job leaves the queue, and a running one that nobody waits for is
   * aborted. The queue aborts it too, to stop a job that runs for nobody else.
   */
  readonly controller: AbortController;
  /** Milliseconds since the epoch after which it is not begun any more. */
  readonly deadline: number;
  /** Does the work. The signal is that of everybody who waits for this result. */
  run(signal: AbortSignal): Promise<T>;
}

/** What the queue tells beside the result. */
export interface JobResult<T> {
  readonly value: T;
  /** Milliseconds between coming and beginning. */
  readonly waited: number;
  /** True where a newer job's result answered this one. */
  readonly replaced: boolean;
}

/** The numbers of a {@link JobQueue}. */
export interface QueueReport {
  readonly running: number;
  readonly waiting: number;
}

/** Bounds of a {@link JobQueue}. */
export interface QueueLimits {
  readonly concurrency: number;
  readonly length: number;
}

interface Waiting<T> {
  readonly job: Job<T>;
  readonly came: number;
  resolve(result: JobResult<T>): void;
  reject(error: unknown): void;
  /** Ends the watch over its time and its caller. */
  leave: () => void;
}

interface Lane<T> {
  readonly waiting: Waiting<T>[];
  busy: boolean;
}

/** A job that runs, with what aborts it. */
interface Running extends Placed {
  readonly controller: AbortController;
}

/** Watches over a job that has to wait: it goes when its caller does, and when its time is over. */
function watchWaiting<T>({ job, came }: Waiting<T>, remove: (error: AdcError) => void): () => void {
  const gone = (): void => remove(new AdcError('aborted', 'the caller went away before the job began'));
  const late = (): void => {
    const waited = `its time ended after ${Date.now() - came} ms of waiting for its turn`;
    remove(new AdcError('deadline', `${waited}; nothing was written`));
  };
  const timer = setTimeout(late, Math.max(0, job.deadline - Date.now()));
  const { signal } = job.controller;
  signal.addEventListener('abort', gone, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', gone);
  };
}

/** A job that another one answers is not waited for longer than its own time. */
function endInTime<T>(waiting: Waiting<T>): NodeJS.Timeout {
  const { job, came } = waiting;
  const late = (): void => {
    const took = `its time ended after ${Date.now() - came} ms`;
    waiting.reject(
      new AdcError('deadline', `${took}; a newer configuration of its key, which replaces it, is still being synced`),
    );
  };
  return setTimeout(late, Math.max(0, job.deadline - Date.now()));
}

/** One run that answers several jobs: it is aborted when the last caller is gone, and waited for by each only in its own time. */
function shareRun<T>(
  together: readonly Waiting<T>[],
  newest: Waiting<T>,
): { readonly controller: AbortController; readonly end: () => void } {
  const controller = new AbortController();
  const signals = together.map(({ job }) => job.controller.signal);
  const gone = (): void => {
    if (signals.every(({ aborted }) => aborted)) controller.abort(newest.job.controller.signal.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', gone, { once: true });
  const outOfTime = together.filter(({ job }) => job.deadline < newest.job.deadline).map(endInTime);
  return {
    controller,
    end: () => {
      for (const timer of outOfTime) clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', gone);
    },
  };
}

/**
 * Orders jobs: one at a time in a lane, lanes take turns, so many run at once, so many wait. When too many wait, the lane
 * with the most waiting gives up its newest job before a lane with fewer is turned away.
 */
export class JobQueue<T> {
  readonly #limits: QueueLimits;
  readonly #lanes = new Map<string, Lane<T>>();
  /** Lanes that have a job and are not busy, in the order of their turns. */
  readonly #turns = new Set<string>();
  readonly #running = new Bag<Running>();
  #waiting = 0;
  #unnamed = 0;
  /** Milliseconds of the last jobs, smoothed: what a place in the queue costs. */
  #took = 100;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** How much runs and waits. */
  report(): QueueReport {
    return { running: this.#running.size, waiting: this.#waiting };
  }

  /** Seconds after which somebody who was turned away may come again. */
  retryAfter(): number {
    return Math.min(60, Math.max(1, Math.ceil((this.#took * (this.#waiting + 1)) / this.#limits.concurrency / 1000)));
  }

  /**
   * Takes a job in and gives its result.
   *
   * @throws AdcError `busy` when too many wait, `deadline` when its time ended before its turn, `aborted` when its signal did;
   *   and whatever the job throws
   */
  submit(job: Job<T>): Promise<JobResult<T>> {
    return new Promise<JobResult<T>>((resolve, reject) => {
      job.controller.signal.throwIfAborted();
      const name = job.lane ?? `\0${(this.#unnamed += 1)}`;
      if (this.#waiting >= this.#limits.length) this.#makeRoom(name);
      const lane = this.#laneOf(name);
      const remove = (error: AdcError): void => {
        const index = lane.waiting.indexOf(waiting);
        if (index < 0) return;
        lane.waiting.splice(index, 1);
        this.#forget(waiting);
        this.#settleLane(name, lane);
        reject(error);
      };
      const waiting: Waiting<T> = { job, came: Date.now(), resolve, reject, leave: () => undefined };
      lane.waiting.push(waiting);
      this.#waiting += 1;
      if (!lane.busy) this.#turns.add(name);
      this.#next();
      if (lane.waiting.includes(waiting)) waiting.leave = watchWaiting(waiting, remove);
    });
  }

  /** Turns everything that waits away and aborts what runs. */
  abort(reason: AdcError): void {
    for (const [name, lane] of this.#lanes) {
      for (const waiting of lane.waiting.splice(0)) {
        this.#forget(waiting);
        waiting.reject(reason);
      }
      this.#settleLane(name, lane);
    }
    for (const { controller } of this.#running) controller.abort(reason);
  }

  #laneOf(name: string): Lane<T> {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane<T> = { waiting: [], busy: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  #forget(waiting: Waiting<T>): void {
    waiting.leave();
    this.#waiting -= 1;
  }

  /** A lane without jobs is no lane; one that may go on stands in the row of turns. */
  #settleLane(name: string, lane: Lane<T>): void {
    if (lane.busy) return;
    if (lane.waiting.length > 0) this.#turns.add(name);
    else {
      this.#turns.delete(name);
      this.#lanes.delete(name);
    }
  }

  #makeRoom(name: string): void {
    const own = this.#lanes.get(name)?.waiting.length ?? 0;
    let longest: Lane<T> | undefined;
    for (const lane of this.#lanes.values()) if (lane.waiting.length > (longest?.waiting.length ?? 0)) longest = lane;
    const refusal = new AdcError('busy', `${this.#waiting} jobs wait already (limit ${this.#limits.length})`);
    const last = longest !== undefined && longest.waiting.length > own + 1 ? longest.waiting.pop() : undefined;
    if (last === undefined) throw refusal;
    this.#forget(last);
    last.reject(refusal);
  }

  #next(): void {
    for (const name of this.#turns) {
      if (this.#running.size >= this.#limits.concurrency) return;
      this.#turns.delete(name);
      const lane = this.#lanes.get(name);
      if (lane !== undefined) this.#begin(name, lane);
    }
  }

  #begin(name: string, lane: Lane<T>): void {
    const replaces = lane.waiting[0]?.job.replaces;
    const other = replaces === undefined ? 1 : lane.waiting.findIndex((waiting) => waiting.job.replaces !== replaces);
    const together = lane.waiting.splice(0, other < 0 ? lane.waiting.length : other);
    const newest = together.at(-1);
    if (newest === undefined) return;
    for (const waiting of together) this.#forget(waiting);
    lane.busy = true;

    const shared = together.length === 1 ? undefined : shareRun(together, newest);
    const running: Running = { place: -1, controller: shared?.controller ?? newest.job.controller };
    this.#running.add(running);
    const end = (): void => {
      shared?.end();
      this.#running.delete(running);
      lane.busy = false;
      this.#settleLane(name, lane);
      this.#next();
    };
    void this.#carryOut(together, newest, running.controller.signal).then(end);
  }

  async #carryOut(together: readonly Waiting<T>[], newest: Waiting<T>, signal: AbortSignal): Promise<void> {
    const began = Date.now();
    try {
      const value = await newest.job.run(signal);
      for (const waiting of together) {
        waiting.resolve({ value, waited: began - waiting.came, replaced: waiting !== newest });
      }
    } catch (error) {
      for (const waiting of together) waiting.reject(error);
    }
    this.#took += (Date.now() - began - this.#took) / 16;
  }
}
