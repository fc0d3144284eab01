/** A duration in milliseconds: fixed, or drawn anew each time between two ends. */
export interface Span {
  readonly min: number;
  readonly max: number;
}

/** How a duration may be written: milliseconds, `5ms`, `2-7ms`, `1s`, or its two ends in milliseconds. */
export type SpanInput = number | string | Span;

/**
 * Reads a duration.
 *
 * @throws RangeError when it is none, is negative, or ends before it begins.
 */
export function parseSpan(input: SpanInput): Span {
  const span = typeof input === 'object' ? input : typeof input === 'number' ? { min: input, max: input } : read(input);
  if (span === undefined || !(span.min >= 0) || !(span.max >= span.min) || !Number.isFinite(span.max)) {
    throw new RangeError(`not a duration: '${JSON.stringify(input)}' (write 5, '5ms', '2-7ms' or '1s')`);
  }
  return span;
}

function read(text: string): Span | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)(?:\s*-\s*(\d+(?:\.\d+)?))?\s*(ms|s)?\s*$/.exec(text);
  if (match === null) return undefined;
  const unit = match[3] === 's' ? 1000 : 1;
  const min = Number(match[1]) * unit;
  return { min, max: match[2] === undefined ? min : Number(match[2]) * unit };
}

/** Draws a duration from a span, in milliseconds. */
export function draw(span: Span): number {
  return span.max === span.min ? span.min : span.min + Math.random() * (span.max - span.min);
}

/** What goes wrong on purpose. Rates are shares of the requests, from 0 to 1. */
export interface FaultOptions {
  /** Wait before an answer is sent. Default 0. */
  readonly latency?: SpanInput;
  /** Share of requests refused with `failStatus` and not applied. */
  readonly failRate?: number;
  /** The status of such a refusal. Default 500. */
  readonly failStatus?: number;
  /** Share of requests whose connection is reset. */
  readonly resetRate?: number;
  /** When a reset happens: before the request is applied, after it, or by chance either. Default `either`. */
  readonly resetWhen?: 'before' | 'after' | 'either';
  /** Share of requests that are not applied and never answered. */
  readonly hangRate?: number;
  /** Restricts the faults to these methods. Default: all. */
  readonly methods?: readonly string[];
  /** Restricts the faults to paths that contain this text. Default: all. */
  readonly path?: string;
}

/** The faults in force. */
export interface Faults {
  readonly latency: Span;
  readonly failRate: number;
  readonly failStatus: number;
  readonly resetRate: number;
  readonly resetWhen: 'before' | 'after' | 'either';
  readonly hangRate: number;
  readonly methods: readonly string[];
  readonly path: string;
}

/** No faults at all. */
export const noFaults: Faults = {
  latency: { min: 0, max: 0 },
  failRate: 0,
  failStatus: 500,
  resetRate: 0,
  resetWhen: 'either',
  hangRate: 0,
  methods: [],
  path: '',
};

/**
 * Lays new faults over those in force; what is not named stays.
 *
 * @throws RangeError on a rate outside 0–1, an unknown moment, a status outside 400–599 or a duration that is none.
 */
export function changeFaults(current: Faults, change: FaultOptions): Faults {
  const rate = (name: 'failRate' | 'resetRate' | 'hangRate'): number => {
    const value = change[name] ?? current[name];
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
      throw new RangeError(`${name} is a share from 0 to 1, not ${JSON.stringify(value)}`);
    }
    return value;
  };
  const failStatus = change.failStatus ?? current.failStatus;
  if (!Number.isInteger(failStatus) || failStatus < 400 || failStatus > 599) {
    throw new RangeError(`failStatus is a status from 400 to 599, not ${JSON.stringify(failStatus)}`);
  }
  const resetWhen = change.resetWhen ?? current.resetWhen;
  if (!['before', 'after', 'either'].includes(resetWhen)) {
    throw new RangeError(`resetWhen is before, after or either, not ${JSON.stringify(resetWhen)}`);
  }
  return {
    latency: change.latency === undefined ? current.latency : parseSpan(change.latency),
    failRate: rate('failRate'),
    failStatus,
    resetRate: rate('resetRate'),
    resetWhen,
    hangRate: rate('hangRate'),
    methods: (change.methods ?? current.methods).map((method) => method.toUpperCase()),
    path: change.path ?? current.path,
  };
}

/** What befalls one request. */
export type Fate = 'serve' | 'fail' | 'reset before' | 'reset after' | 'hang';

/** Draws the fate of a request. */
export function drawFate(faults: Faults, method: string, url: string): Fate {
  if (faults.failRate === 0 && faults.resetRate === 0 && faults.hangRate === 0) return 'serve';
  if (!concerns(faults, method, url)) return 'serve';
  if (Math.random() < faults.hangRate) return 'hang';
  if (Math.random() < faults.resetRate) {
    if (faults.resetWhen === 'either') return Math.random() < 0.5 ? 'reset before' : 'reset after';
    return faults.resetWhen === 'before' ? 'reset before' : 'reset after';
  }
  return Math.random() < faults.failRate ? 'fail' : 'serve';
}

/** Draws how long the answer to a request waits, in milliseconds. */
export function drawLatency(faults: Faults, method: string, url: string): number {
  return faults.latency.max > 0 && concerns(faults, method, url) ? draw(faults.latency) : 0;
}

function concerns(faults: Faults, method: string, url: string): boolean {
  return (faults.methods.length === 0 || faults.methods.includes(method)) && url.includes(faults.path);
}
