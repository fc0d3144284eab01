import type { Stage } from '../sync.js';
import type { Context } from './context.js';

/** Watches for a stop in the stages of a sync. */
export interface StopWatch {
  /** To be told which stage begins. */
  readonly enter: (stage: Stage) => void;
  /** Ends the watching. */
  readonly end: () => void;
}

/** Says what a stop waits for: one that comes while a sync reads ends it at once, one that comes while it writes does not. */
export function watchForStop({ signal, terminal }: Context): StopWatch {
  let writing = false;
  const say = (): void => {
    if (writing) terminal.say('Stopping: waiting for the requests in flight. Once more to exit at once.', 0);
  };
  signal.addEventListener('abort', say, { once: true });
  return {
    enter: (stage) => {
      writing = stage === 'apply';
    },
    end: () => signal.removeEventListener('abort', say),
  };
}
