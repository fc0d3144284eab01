import type { State } from '../../model/resource.js';

/** Remembers, by identity, pairs of states that were compared and found equal. Keeps no state alive. */
export interface KnownEqual {
  /** `circumstances`: whatever else decided the comparison, such as the scope and the gateway's version. */
  has(desired: State, current: State, circumstances: string): boolean;
  add(desired: State, current: State, circumstances: string): void;
}

/** How many circumstances are kept for one pair; more means that something in them is not stable. */
const mostCircumstances = 16;

/** Starts empty. */
export function createKnownEqual(): KnownEqual {
  const pairs = new WeakMap<State, WeakMap<State, Set<string>>>();
  return {
    has: (desired, current, circumstances) => pairs.get(desired)?.get(current)?.has(circumstances) ?? false,
    add: (desired, current, circumstances) => {
      const partners = pairs.get(desired) ?? new WeakMap<State, Set<string>>();
      pairs.set(desired, partners);
      const known = partners.get(current) ?? new Set<string>();
      partners.set(current, known);
      if (known.size < mostCircumstances) known.add(circumstances);
    },
  };
}
