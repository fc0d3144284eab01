/** Something that has an end. */
export interface Expiring {
  /** Where the wheel keeps it; 0 while it is not in the wheel. Written by the wheel alone. */
  slot: number;
  /** Its place there. Written by the wheel alone. */
  slotPlace: number;
  /** Called once its time has come; it may have been put off, then it adds itself again. */
  expire(now: number): void;
}

/** Milliseconds of one slot: the precision of every timeout of a request. */
const grain = 10;

/**
 * One timer for all requests. A timer of its own for each of thousands of requests a second, nearly all of which are
 * cleared unused, would cost more than the rest of the bookkeeping. The timer holds no process alive: what waits here
 * holds a socket, or a timer of its own.
 */
export class Wheel {
  readonly #slots = new Map<number, Expiring[]>();
  #timer: NodeJS.Timeout | undefined;
  #armed = Infinity;

  /** Sees to it that `item.expire` is called at `due` (by `performance.now()`) at the earliest, within {@link grain} ms. */
  add(item: Expiring, due: number): void {
    if (due === Infinity) return;
    const slot = Math.max(1, Math.ceil(due / grain));
    if (item.slot !== 0) {
      // It expires earlier than asked for, and then adds itself again: cheaper than moving it at every step.
      if (item.slot <= slot) return;
      this.remove(item);
    }
    let items = this.#slots.get(slot);
    if (items === undefined) {
      items = [];
      this.#slots.set(slot, items);
      if (slot < this.#armed) this.#arm(slot);
    }
    item.slotPlace = items.push(item) - 1;
    item.slot = slot;
  }

  remove(item: Expiring): void {
    if (item.slot === 0) return;
    const items = this.#slots.get(item.slot);
    // What is just being called stands in no slot any more, though it does not know it yet.
    if (items?.[item.slotPlace] === item) {
      const last = items.pop();
      if (last !== undefined && last !== item) {
        items[item.slotPlace] = last;
        last.slotPlace = item.slotPlace;
      }
      if (items.length === 0) this.#slots.delete(item.slot);
    }
    item.slot = 0;
  }

  /** Forgets everything and leaves no timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#armed = Infinity;
    this.#slots.clear();
  }

  #arm(slot: number): void {
    clearTimeout(this.#timer);
    this.#armed = slot;
    const wait = Math.min(Math.max(1, Math.ceil(slot * grain - performance.now())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#turn(), wait);
    this.#timer.unref();
  }

  #turn(): void {
    this.#armed = Infinity;
    const now = performance.now();
    const past = [...this.#slots.keys()].filter((slot) => slot * grain <= now);
    for (const slot of past) {
      const items = this.#slots.get(slot) ?? [];
      this.#slots.delete(slot);
      for (const item of items) {
        // One that came before it may have taken it out, or put it elsewhere.
        if (item.slot !== slot) continue;
        item.slot = 0;
        item.expire(now);
      }
    }
    let next = Infinity;
    for (const slot of this.#slots.keys()) next = Math.min(next, slot);
    if (next < this.#armed) this.#arm(next);
  }
}
