import type { Change, Unmanaged } from '../../model/change.js';
import type { ObjectRef } from '../../model/operation.js';
import type { ResourceKey, State } from '../../model/resource.js';
import { objectRef, type AdminObject, type Collection } from './collections.js';
import type { Features } from './features.js';
import type { Snapshot } from './snapshot.js';

/** What drafting needs to know. */
export interface DraftInput {
  readonly changes: readonly Change[];
  /** Projected. */
  readonly desired: State;
  readonly snapshot: Snapshot;
  readonly features: Features;
  /** What of a state is outside the job's scope. */
  readonly unmanagedIn?: (state: State) => Unmanaged;
}

/** A write or a delete of one stored object, before it becomes an operation. */
export interface DraftWrite {
  /** The object as it shall be; undefined for a delete. */
  readonly object: AdminObject | undefined;
  /** The object as it is stored; undefined where there is none. */
  readonly stored: AdminObject | undefined;
  /** Each once. */
  readonly changes: readonly ResourceKey[];
}

/** What a job will write, object by object, and the picture of the gateway that comes of it. */
export interface Draft {
  readonly writes: ReadonlyMap<ObjectRef, DraftWrite>;
  stored(ref: ObjectRef): AdminObject | undefined;
  /** Every object that is stored. */
  storedObjects(): Iterable<AdminObject>;
  /** Every stored object that nothing is drafted for. */
  untouched(): Iterable<AdminObject>;
  /**
   * Writes an object, in place of whatever was drafted for it; the changes of both are carried.
   *
   * @param ref its name, where that is known already
   */
  put(object: AdminObject, changes: readonly ResourceKey[], ref?: ObjectRef): void;
  /** Deletes a stored object; nothing where none is stored. A write that was drafted for it stands. */
  remove(ref: ObjectRef, changes: readonly ResourceKey[]): void;
  /** Deletes a stored object, in place of whatever was drafted for it. */
  drop(ref: ObjectRef, changes: readonly ResourceKey[]): void;
  /** Adds changes to what is drafted for an object. */
  carry(ref: ObjectRef, changes: readonly ResourceKey[]): void;
  /** The object as it will be; undefined where there will be none. */
  final(ref: ObjectRef): AdminObject | undefined;
  /** Every object that will be. */
  finals(): Iterable<AdminObject>;
  /** Of a collection, every object that will be. */
  finalsOf(collection: Collection): readonly AdminObject[];
}

/** Starts with what is stored, and nothing to do. */
export function createDraft(objects: ReadonlyMap<ObjectRef, AdminObject>): Draft {
  const writes = new Map<ObjectRef, DraftWrite>();
  const record = (ref: ObjectRef, object: AdminObject | undefined, changes: readonly ResourceKey[]): void => {
    const before = writes.get(ref);
    writes.set(ref, {
      object,
      stored: objects.get(ref),
      changes: before === undefined ? changes : joined(before.changes, changes),
    });
  };
  return {
    writes,
    stored: (ref) => objects.get(ref),
    storedObjects: () => objects.values(),
    *untouched() {
      for (const [ref, object] of objects) if (!writes.has(ref)) yield object;
    },
    put: (object, changes, ref = objectRef(object.collection, object.id, object.parent)) =>
      record(ref, object, changes),
    remove: (ref, changes) => {
      if (objects.has(ref) && writes.get(ref)?.object === undefined) record(ref, undefined, changes);
    },
    drop: (ref, changes) => record(ref, undefined, changes),
    carry: (ref, changes) => {
      const write = writes.get(ref);
      if (write !== undefined) writes.set(ref, { ...write, changes: joined(write.changes, changes) });
    },
    final: (ref) => {
      const write = writes.get(ref);
      return write === undefined ? objects.get(ref) : write.object;
    },
    *finals() {
      for (const [ref, object] of objects) if (!writes.has(ref)) yield object;
      for (const { object } of writes.values()) if (object !== undefined) yield object;
    },
    finalsOf: (collection) => {
      const found: AdminObject[] = [];
      for (const [ref, object] of objects) if (object.collection === collection && !writes.has(ref)) found.push(object);
      for (const { object } of writes.values()) if (object?.collection === collection) found.push(object);
      return found;
    },
  };
}

function joined(known: readonly ResourceKey[], more: readonly ResourceKey[]): readonly ResourceKey[] {
  const added = more.filter((key) => !known.includes(key));
  return added.length === 0 ? known : [...known, ...added];
}
