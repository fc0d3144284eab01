import type { Stage } from '../sync.js';
import type { Context } from './context.js';

/** What a stop means in the stages of a sync. */
export interface Stops {
  /** For requests: aborted by a stop before the first write. */
  readonly whileReading: AbortSignal;
  /** To be told which stage begins. */
  readonly enter: (stage: Stage) => void;
  /** Ends the watching. */
  readonly end: () => void;
}

/**
 * A stop cuts a reading short, where nothing can be lost. Writes in flight are waited for, because a write that was cut
 * leaves open whether it happened.
 */
export function splitSignal({ signal, terminal }: Context): Stops {
  const cut = new AbortController();
  const watched = new AbortController();
  let writing = false;
  const stop = () => {
    if (writing) terminal.say('Stopping: waiting for the requests in flight. Once more to exit at once.', 0);
    else cut.abort(signal.reason);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { signal: watched.signal });
  return {
    whileReading: cut.signal,
    enter: (stage) => {
      writing = stage === 'apply';
    },
    end: () => watched.abort(),
  };
}
