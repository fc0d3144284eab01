import type { ListenerLimits } from './listen.js';
import type { Health, StatusAnswer, StatusQuestion } from './status.js';

/** What the status thread is started with. */
export interface StatusThreadData {
  readonly port: number;
  readonly limits: ListenerLimits;
  readonly pulse: Pulse;
}

/** Memory that both threads see: whether the server is ready (0 or 1), and when the main thread was last seen moving. */
export type Pulse = Float64Array<SharedArrayBuffer>;

/** What the status thread says. */
export type FromStatusThread =
  | { readonly type: 'listening'; readonly port: number; readonly addresses: readonly string[] }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'question'; readonly id: number; readonly question: StatusQuestion };

/** What the main thread answers. */
export interface ToStatusThread {
  readonly id: number;
  readonly answer: StatusAnswer;
}

/** Makes a pulse that has just been felt. */
export function createPulse(): Pulse {
  const pulse = new Float64Array(new SharedArrayBuffer(16));
  feel(pulse, false);
  return pulse;
}

/** Says that the main thread moves, and whether the server is ready. */
export function feel(pulse: Pulse, isReady: boolean): void {
  pulse[0] = isReady ? 1 : 0;
  pulse[1] = Date.now();
}

/** Reads a pulse. */
export function pulseOf(pulse: Pulse): Health {
  return { isReady: pulse[0] === 1, silentFor: Date.now() - (pulse[1] ?? 0) };
}
