import { GatewayError } from '../../model/errors.js';
import type { ObjectRef, Operation } from '../../model/operation.js';
import type { LagRefusal } from '../backend.js';
import type { AdminObject } from '../shared/collections.js';
import { referencesOf } from '../shared/references.js';
import { isInTheWay, lagRefusal } from './execute.js';

/** What a job knows of the objects on its gateway: what it read, and what it has written since. */
export interface Knowledge {
  /** Notes what was read. */
  read(objects: ReadonlyMap<ObjectRef, AdminObject>): void;
  /** Notes an operation that the gateway took. */
  note(operation: Operation): void;
  /**
   * Refuses to delete what something still uses, where gateways do not: no gateway looks at who uses a certificate, and
   * those before 3.10 not at who uses a plugin config.
   *
   * @throws GatewayError naming one user
   */
  checkUnused(operation: Operation, url: string): void;
  /** As a backend's `lagRefusal`. */
  lagRefusal(error: unknown, operation: Operation): LagRefusal | undefined;
}

const unguarded = /^(?:ssls|plugin_configs)\//;

/** Starts with nothing known. */
export function createKnowledge(): Knowledge {
  let stored: ReadonlyMap<ObjectRef, AdminObject> | undefined;
  let users: ReadonlyMap<ObjectRef, readonly ObjectRef[]> | undefined;
  const noted: Operation[] = [];
  const written = new Set<ObjectRef>();
  const deleted = new Set<ObjectRef>();
  let seen = 0;
  /** What was written and deleted is worked out when it matters, which it does in few jobs. */
  const catchUp = (): void => {
    for (; seen < noted.length; seen += 1) {
      const { method, object } = noted[seen] as Operation;
      written.add(object);
      if (method === 'DELETE') deleted.add(object);
    }
  };
  return {
    read: (objects) => {
      stored = objects;
      users = undefined;
    },
    note: (operation) => {
      noted.push(operation);
    },
    checkUnused: ({ method, object }, url) => {
      if (method !== 'DELETE' || !unguarded.test(object) || stored === undefined) return;
      users ??= usersIn(stored);
      catchUp();
      const user = users.get(object)?.find((ref) => !written.has(ref));
      if (user === undefined) return;
      throw new GatewayError(
        'refused',
        { method, url },
        { message: `DELETE ${url} was not sent: ${user} still uses it` },
      );
    },
    lagRefusal: (error, operation) => {
      catchUp();
      const object = lagRefusal(error, deleted);
      if (object === undefined) return undefined;
      return { object, isOutdated: stored !== undefined && !isInTheWay(stored.get(object), operation) };
    },
  };
}

/** By what is used, for {@link unguarded} objects: who uses it. */
function usersIn(objects: ReadonlyMap<ObjectRef, AdminObject>): ReadonlyMap<ObjectRef, readonly ObjectRef[]> {
  const users = new Map<ObjectRef, ObjectRef[]>();
  for (const [ref, object] of objects) {
    for (const used of referencesOf(object)) {
      if (!unguarded.test(used)) continue;
      const known = users.get(used);
      if (known === undefined) users.set(used, [ref]);
      else known.push(ref);
    }
  }
  return users;
}
