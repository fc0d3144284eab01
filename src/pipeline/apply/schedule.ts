import type { Plan } from '../../model/operation.js';

/** Which operations of a plan may start, as others end: each by its place in the plan. One per run of a plan. */
export interface Schedule {
  /** The next operation whose needs are met; undefined where none is ready now. */
  take(): number | undefined;
  /** Says that an operation succeeded. */
  complete(operation: number): void;
  /** Says that an operation did not succeed; gives all that never can any more, in the order of the plan's edges. */
  drop(operation: number): readonly number[];
  /** Gives all that was neither taken nor dropped, in the order of the plan; afterwards nothing is left. */
  drain(): readonly number[];
}

/** Makes the schedule of a plan. Every step takes time proportional to the edges it follows. */
export function createSchedule({ operations, order }: Plan): Schedule {
  const count = operations.length;
  const { size, starts, dependents } = order;
  const waits = new Int32Array(size);
  for (const dependent of dependents) waits[dependent] = (waits[dependent] ?? 0) + 1;

  const settled = new Uint8Array(size);
  // Each operation becomes ready once.
  const ready = new Int32Array(count);
  let head = 0;
  let end = 0;
  const makeReady = (number: number): void => {
    ready[end] = number;
    end += 1;
  };
  for (let number = 0; number < count; number += 1) if (waits[number] === 0) makeReady(number);

  /** Adds the joins whose needs are met with it to `joins`. */
  const meet = (number: number, joins: number[]): void => {
    for (let place = starts[number] ?? 0; place < (starts[number + 1] ?? 0); place += 1) {
      const dependent = dependents[place] ?? 0;
      const left = (waits[dependent] ?? 0) - 1;
      waits[dependent] = left;
      if (left > 0) continue;
      if (dependent < count) makeReady(dependent);
      else joins.push(dependent);
    }
  };

  return {
    take: () => {
      while (head < end) {
        const number = ready[head] ?? 0;
        head += 1;
        if (settled[number] === 1) continue;
        settled[number] = 1;
        return number;
      }
      return undefined;
    },
    complete: (operation) => {
      const joins: number[] = [];
      meet(operation, joins);
      for (let join = joins.pop(); join !== undefined; join = joins.pop()) meet(join, joins);
    },
    drop: (operation) => {
      const dropped: number[] = [];
      const lost = [operation];
      for (let next = 0; next < lost.length; next += 1) {
        const number = lost[next] ?? 0;
        for (let place = starts[number] ?? 0; place < (starts[number + 1] ?? 0); place += 1) {
          const dependent = dependents[place] ?? 0;
          if (settled[dependent] === 1) continue;
          settled[dependent] = 1;
          lost.push(dependent);
          if (dependent < count) dropped.push(dependent);
        }
      }
      return dropped;
    },
    drain: () => {
      const rest: number[] = [];
      for (let number = 0; number < count; number += 1) if (settled[number] === 0) rest.push(number);
      settled.fill(1);
      return rest;
    },
  };
}
