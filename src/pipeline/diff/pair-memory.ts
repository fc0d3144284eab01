import type { State } from '../../model/resource.js';

/** Remembers, by identity, what was found out about two states. Keeps no state alive. */
export interface PairMemory<T> {
  /** `circumstances`: whatever else decided it, such as the scope and the gateway's version. */
  get(desired: State, current: State, circumstances: string): T | undefined;
  set(desired: State, current: State, circumstances: string, value: T): void;
}

/** How many circumstances are kept for one pair; more means that something in them is not stable. */
const mostCircumstances = 16;

/** Starts empty. */
export function createPairMemory<T>(): PairMemory<T> {
  const pairs = new WeakMap<State, WeakMap<State, Map<string, T>>>();
  return {
    get: (desired, current, circumstances) => pairs.get(desired)?.get(current)?.get(circumstances),
    set: (desired, current, circumstances, value) => {
      const partners = pairs.get(desired) ?? new WeakMap<State, Map<string, T>>();
      pairs.set(desired, partners);
      const known = partners.get(current) ?? new Map<string, T>();
      partners.set(current, known);
      if (known.size < mostCircumstances || known.has(circumstances)) known.set(circumstances, value);
    },
  };
}
