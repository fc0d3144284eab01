import type { Operation, Plan } from '../../model/operation.js';

/** Which operations of a plan may start, as others end. One per run of a plan. */
export interface Schedule {
  /** The next operation whose needs are met; undefined where none is ready now. */
  take(): Operation | undefined;
  /** Says that an operation succeeded. */
  complete(operation: Operation): void;
  /** Says that an operation did not succeed; gives all that never can any more, in the order of the plan's edges. */
  drop(operation: Operation): readonly Operation[];
  /** Gives all that was neither taken nor dropped, in the order of the plan; afterwards nothing is left. */
  drain(): readonly Operation[];
}

/** Makes the schedule of a plan. Every step takes time proportional to the edges it follows. */
export function createSchedule(plan: Plan): Schedule {
  const { operations } = plan;
  const numbers = new Map<string, number>();
  for (const [number, operation] of operations.entries()) numbers.set(operation.id, number);
  for (const name of plan.joins.keys()) numbers.set(name, numbers.size);

  const size = numbers.size;
  const waits = new Int32Array(size);
  const starts = new Int32Array(size + 1);
  const lists = [...plan.after, ...plan.joins];
  for (const [id, needs] of lists) {
    waits[numbers.get(id) ?? 0] = needs.length;
    for (const need of needs) starts[(numbers.get(need) ?? 0) + 1] = (starts[(numbers.get(need) ?? 0) + 1] ?? 0) + 1;
  }
  for (let number = 0; number < size; number += 1)
    starts[number + 1] = (starts[number + 1] ?? 0) + (starts[number] ?? 0);
  const cursor = starts.slice();
  const dependents = new Int32Array(starts[size] ?? 0);
  for (const [id, needs] of lists) {
    for (const need of needs) {
      const from = numbers.get(need) ?? 0;
      dependents[cursor[from] ?? 0] = numbers.get(id) ?? 0;
      cursor[from] = (cursor[from] ?? 0) + 1;
    }
  }

  const settled = new Uint8Array(size);
  const ready: number[] = [];
  let head = 0;
  const release = (first: number): void => {
    const met = [first];
    for (let number = met.pop(); number !== undefined; number = met.pop()) {
      if (number < operations.length) ready.push(number);
      else forDependents(number, (dependent) => meet(dependent, met));
    }
  };
  const meet = (number: number, met: number[]): void => {
    waits[number] = (waits[number] ?? 0) - 1;
    if (waits[number] === 0) met.push(number);
  };
  const forDependents = (number: number, visit: (dependent: number) => void): void => {
    for (let place = starts[number] ?? 0; place < (starts[number + 1] ?? 0); place += 1) visit(dependents[place] ?? 0);
  };
  for (let number = 0; number < operations.length; number += 1) if (waits[number] === 0) ready.push(number);

  return {
    take: () => {
      while (head < ready.length) {
        const number = ready[head] ?? 0;
        head += 1;
        if (settled[number] === 1) continue;
        settled[number] = 1;
        return operations[number];
      }
      return undefined;
    },
    complete: (operation) => {
      const met: number[] = [];
      forDependents(numbers.get(operation.id) ?? 0, (dependent) => meet(dependent, met));
      for (const number of met) release(number);
    },
    drop: (operation) => {
      const dropped: Operation[] = [];
      const lost = [numbers.get(operation.id) ?? 0];
      for (let next = 0; next < lost.length; next += 1) {
        forDependents(lost[next] ?? 0, (dependent) => {
          if (settled[dependent] === 1) return;
          settled[dependent] = 1;
          lost.push(dependent);
          const unreachable = operations[dependent];
          if (unreachable !== undefined) dropped.push(unreachable);
        });
      }
      return dropped;
    },
    drain: () => {
      const rest = operations.filter((_, number) => settled[number] === 0);
      settled.fill(1);
      return rest;
    },
  };
}
