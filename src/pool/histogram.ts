import type { Histogram } from './pool.js';

/** Upper bounds in seconds: from a tenth of a millisecond, which is a hand-over, to half a minute, which is a trouble. */
const bounds: readonly number[] = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Counts durations by size. */
export class DurationHistogram {
  readonly #counts: number[] = Array.from({ length: bounds.length + 1 }, () => 0);
  #sum = 0;

  /** Counts one duration, in milliseconds. */
  record(milliseconds: number): void {
    const seconds = milliseconds / 1000;
    let index = 0;
    while (index < bounds.length && seconds > (bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += seconds;
  }

  report(): Histogram {
    return { bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
