import type { Progress } from '../pipeline/apply/outcome.js';
import { liveLine, progressLine } from '../pipeline/report/progress.js';
import type { Terminal } from './terminal.js';

/** Shows how far a run is. */
export interface ProgressDisplay {
  advance(now: Progress): void;
  /** Removes the live line; elsewhere says how it ended, and how long it took. */
  end(): void;
}

/** Milliseconds between two renewals of the live line, and between two plain lines. */
const intervals = { live: 100, plain: 2_000 } as const;

/**
 * Builds the progress display: one line that is renewed on a terminal, a plain line every two seconds and at the end elsewhere
 * (a log shows that it lives), nothing at verbosity 0.
 *
 * @param clock milliseconds, from any start; by default the process's own
 */
export function createProgress(terminal: Terminal, clock: () => number = () => performance.now()): ProgressDisplay {
  if (terminal.level === 0) return { advance: () => undefined, end: () => undefined };
  const started = clock();
  const interval = terminal.interactive ? intervals.live : intervals.plain;
  let shown = started;
  let last: Progress | undefined;
  return {
    advance: (now) => {
      const at = clock();
      last = now;
      if (at - shown < interval) return;
      shown = at;
      if (terminal.interactive) terminal.live(liveLine(now, at - started, terminal.width));
      else terminal.say(progressLine(now, at - started));
    },
    end: () => {
      if (terminal.interactive) terminal.live('');
      else if (last !== undefined && last.total > 0) terminal.say(progressLine(last, clock() - started));
    },
  };
}
