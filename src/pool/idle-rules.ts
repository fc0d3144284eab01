import type { PoolSettings } from './options.js';

/** Shorter than this, a close tells nothing of an idle timeout: it ended a burst, or counted requests. */
const leastLesson = 100;

/** How long a connection may idle, and how many may. */
export class IdleRules {
  readonly #settings: PoolSettings;
  /** The highest numbers of busy connections, the oldest first, each up to the next one's time. */
  #peaks: readonly { readonly until: number; readonly busy: number }[] = [];
  #peak = 0;
  /** How long the connection had idled that the server closed last. */
  #lastClose = 0;
  #lesson = Infinity;
  #lessonUntil = 0;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /** Notes how many connections are busy; called whenever that has grown. */
  noteBusy(busy: number): void {
    if (busy > this.#peak) this.#peak = busy;
  }

  /** Moves the window on. Called regularly; `busy` connections are busy now. */
  turn(now: number, busy: number): void {
    const from = now - this.#settings.idleWindow;
    this.#peaks = [...this.#peaks.filter(({ until }) => until >= from), { until: now, busy: this.#peak }];
    this.#peak = busy;
  }

  /** How many connections may idle. */
  get kept(): number {
    return this.#peaks.reduce((most, { busy }) => Math.max(most, busy), Math.max(this.#settings.idleKept, this.#peak));
  }

  /** A time, by `performance.now()`, after which a connection that idles from `now` on is not used again. */
  idleUntil(now: number, keepAlive: number): number {
    const { idleTimeout, random } = this.#settings;
    // What the server announces includes the way of our next request to it.
    const announced = keepAlive - Math.min(1000, keepAlive / 2);
    const learned = now < this.#lessonUntil ? this.#lesson : Infinity;
    return now + Math.min(idleTimeout, announced, learned) * (0.8 + 0.2 * random());
  }

  /**
   * The server closed a connection that had idled so long. Two in a row after about the same time are taken for its
   * idle timeout; connections that end with a restart or by count differ in it. Forgotten after `maxAge`, for the
   * server may be configured anew.
   */
  noteServerClose(idled: number, now: number): void {
    if (idled < leastLesson) return;
    const agrees = Math.abs(idled - this.#lastClose) <= 0.1 * idled + 50;
    if (agrees) {
      this.#lesson = 0.75 * Math.min(idled, this.#lastClose);
      this.#lessonUntil = now + this.#settings.maxAge;
    }
    this.#lastClose = idled;
  }
}
