/** One that puts requests into a queue and is served in turn with the others. */
export interface QueueMember<T> {
  /** Its waiting requests, the oldest first. Written by the queue alone. */
  readonly waiting: Set<T>;
  /** Whether one more of its requests may run now. */
  hasRoom(): boolean;
}

/** What waits: it knows whom it belongs to. */
export interface QueueItem<T> {
  readonly member: QueueMember<T>;
}

/**
 * A fair queue: members are served in turn, one request each, however many each of them has put in, so that a job of
 * ten thousand requests does not make one of ten wait for it.
 */
export class FairQueue<T extends QueueItem<T>> {
  /** Members that have something waiting and room to run it, in the order of their turns. */
  readonly #turns = new Set<QueueMember<T>>();
  /** Requests that had their turn already and run again: they go first. */
  readonly #again = new Set<T>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    item.member.waiting.add(item);
    this.#length += 1;
    this.roomFor(item.member);
  }

  /** Puts in a request that holds its member's room already. */
  pushAgain(item: T): void {
    this.#again.add(item);
    this.#length += 1;
  }

  /** To be called when a member may have got room. */
  roomFor(member: QueueMember<T>): void {
    if (member.waiting.size > 0 && member.hasRoom()) this.#turns.add(member);
  }

  /** Whether {@link shift} would give something. */
  get ready(): boolean {
    return this.#again.size > 0 || this.#turns.size > 0;
  }

  /** Takes out the next request whose member has room. */
  shift(): T | undefined {
    for (const item of this.#again) {
      this.#again.delete(item);
      this.#length -= 1;
      return item;
    }
    for (const member of this.#turns) {
      this.#turns.delete(member);
      if (!member.hasRoom()) continue;
      for (const item of member.waiting) {
        member.waiting.delete(item);
        this.#length -= 1;
        return item;
      }
    }
    return undefined;
  }

  /** Takes out one request; tells whether it was in. */
  remove(item: T): boolean {
    if (!this.#again.delete(item)) {
      if (!item.member.waiting.delete(item)) return false;
      if (item.member.waiting.size === 0) this.#turns.delete(item.member);
    }
    this.#length -= 1;
    return true;
  }
}
