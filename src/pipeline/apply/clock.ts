import { setTimeout } from 'node:timers/promises';

/** Time as a job sees it; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after that many milliseconds, or at once when the signal is aborted. Never rejects. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. A wait does not keep the process alive by itself. */
export const systemClock: Clock = {
  now: Date.now,
  wait: async (milliseconds, signal) => {
    try {
      await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch {
      // Aborted: the wait is over, which is what the caller wants to know.
    }
  },
};
