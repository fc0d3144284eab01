import type { ObjectRef, Operation } from '../../model/operation.js';

/** Milliseconds over which an operation that a lagging gateway refused is repeated. */
export const lagPatience = 1000;

/** The first pause in milliseconds, about what an idle gateway lags behind; each later one is twice as long. */
const firstPause = 5;

/** The pause before the repetition of that number (from 1), in milliseconds. `random` is in [0, 1). */
export function lagPause(repetition: number, random: number): number {
  return firstPause * 2 ** (repetition - 1) * (0.5 + random / 2);
}

/** What a job has changed or deleted so far. */
export interface Touched {
  /** Notes an operation that the gateway took. */
  note(operation: Operation): void;
  /** Tells whether the job changed or deleted an object at an endpoint, or something that belongs to the object. */
  has(endpoint: string, object: ObjectRef): boolean;
}

/** Starts an empty record. What was noted is looked at only once somebody asks, which few jobs ever do. */
export function createTouched(): Touched {
  const objects = new Map<string, Set<ObjectRef>>();
  const noted: Operation[] = [];
  let seen = 0;
  const look = ({ endpoint, object }: Operation): void => {
    const known = objects.get(endpoint) ?? new Set<ObjectRef>();
    objects.set(endpoint, known);
    known.add(object);
    // A refusal names the consumer where the clash is with one of its credentials.
    const owner = /^[^/]+\/[^/]+(?=\/)/.exec(object)?.[0];
    if (owner !== undefined) known.add(owner);
  };
  return {
    note: (operation) => {
      noted.push(operation);
    },
    has: (endpoint, object) => {
      for (; seen < noted.length; seen += 1) look(noted[seen] as Operation);
      return objects.get(endpoint)?.has(object) ?? false;
    },
  };
}
