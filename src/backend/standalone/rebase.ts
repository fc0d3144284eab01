import type { Change, Unmanaged } from '../../model/change.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { ObjectRef } from '../../model/operation.js';
import type { Resource, ResourceKey, State } from '../../model/resource.js';
import { canonical } from '../shared/canonical.js';
import type { AdminObject } from '../shared/collections.js';
import type { Draft } from '../shared/draft.js';
import { draftChanges } from '../shared/draft-changes.js';
import { referencesOf } from '../shared/references.js';
import { isSame, omit } from '../shared/values.js';
import { idOf, isBlank, managedSections, type Document, type Section } from './document.js';
import { placeOf, type Inventory } from './inventory.js';

/** What a job wants, seen from the instance its changes were made from. */
export interface Goal {
  /** The instance whose state was compared with what is desired. */
  readonly newest: Inventory;
  readonly changes: readonly Change[];
  /** Projected. */
  readonly desired: State;
  /** What of a state is outside the job's scope. */
  readonly unmanagedIn?: (state: State) => Unmanaged;
}

/** What an instance is to hold. */
export interface Rebased {
  /** The instance's own document where nothing of it has to change. */
  readonly document: Document;
  /** The objects that differ from those the instance holds now, by section and id, and the changes each is there for. */
  readonly written: ReadonlyMap<ObjectRef, readonly ResourceKey[]>;
  /** Changes that this instance cannot take as it is, and why. */
  readonly withheld: ReadonlyMap<ResourceKey, string>;
  /** Every list has to be sent, those of sections the tool does not manage too: the instance holds nothing. */
  readonly fills: boolean;
}

/** Chooses the version of a section that changes: above the one the instance holds it under. */
export type VersionAbove = (held: number) => number;

/**
 * Works out what an instance is to hold: in scope what is desired, out of scope what it holds, and everything that the
 * newest instance is to hold where it holds nothing at all. Sections in which nothing differs are kept as they are, with
 * their version. Pure but for the choice of versions.
 *
 * What an instance with etcd behind it would refuse is not written here either, although a standalone gateway takes it:
 * an object that refers to nothing, and the removal of one that is still in use.
 *
 * @param withheld changes known not to be possible, and why: their resources stay as they are
 */
export function rebase(
  goal: Goal,
  instance: Inventory,
  withheld: ReadonlyMap<ResourceKey, string>,
  versionAbove: VersionAbove,
): Rebased {
  if (instance !== goal.newest && isBlank(instance.document)) return fill(goal, instance, withheld, versionAbove);
  const all = changesFor(goal, instance);
  let refused = withheld;
  for (;;) {
    const draft = draftChanges({
      changes: all.filter(({ key }) => !refused.has(key)),
      desired: goal.desired,
      snapshot: instance,
      features: instance.features,
      ...(goal.unmanagedIn === undefined ? {} : { unmanagedIn: goal.unmanagedIn }),
    });
    const impossible = findImpossible(draft, instance, refused);
    if (impossible.size > 0) {
      refused = new Map([...refused, ...impossible]);
      continue;
    }
    return { ...write(goal, instance, draft, versionAbove), withheld: refused, fills: false };
  }
}

/** Gives an empty instance everything the newest one is to hold, under the same versions. */
function fill(
  goal: Goal,
  instance: Inventory,
  withheld: ReadonlyMap<ResourceKey, string>,
  versionAbove: VersionAbove,
): Rebased {
  const wanted = rebase(goal, goal.newest, withheld, versionAbove);
  if (isBlank(wanted.document)) return { ...wanted, document: instance.document, fills: true };
  const sections = new Map<string, Section>();
  for (const [name, section] of instance.document.sections) {
    sections.set(name, wanted.document.sections.get(name) ?? section);
  }
  const isWhole = [...wanted.document.sections.keys()].every((name) => sections.has(name));
  const same = isWhole && sections.size === wanted.document.sections.size;
  const missing = new Map<ResourceKey, string>();
  for (const [ref, keys] of wanted.written) {
    if (!sections.has(placeOf(ref).section)) for (const key of keys) missing.set(key, noSection(ref));
  }
  return {
    document: same ? wanted.document : { sections },
    written: wanted.written,
    withheld: new Map([...wanted.withheld, ...missing]),
    fills: true,
  };
}

/** What has to change on an instance: the job's own changes on the newest, what differs from the same goal on another. */
function changesFor(goal: Goal, instance: Inventory): readonly Change[] {
  const { newest, desired, changes } = goal;
  if (instance.state === newest.state) return changes;
  const byKey = new Map(changes.map((change) => [change.key, change]));
  const found: Change[] = [];
  for (const [key, wanted] of desired.resources) {
    const held = instance.state.resources.get(key);
    const change = byKey.get(key);
    const isForced = change?.type === 'update' && change.fields.length === 0;
    if (held === undefined) found.push({ type: 'create', ...identity(wanted), desired: wanted });
    else if (isForced || !holds(held, wanted, change === undefined ? newest.state.resources.get(key) : undefined)) {
      found.push({ type: 'update', ...identity(wanted), desired: wanted, current: held, fields: [] });
    }
  }
  const unmanaged = goal.unmanagedIn?.(instance.state);
  for (const [key, held] of instance.state.resources) {
    if (desired.resources.has(key)) continue;
    const isInScope = unmanaged === undefined ? byKey.get(key)?.type === 'delete' : !unmanaged.has(key);
    if (isInScope) found.push({ type: 'delete', ...identity(held), current: held });
  }
  return found;
}

/** Tells whether what is held is what is wanted, or what the newest instance has in its place and nobody wants to change. */
function holds(held: Resource, wanted: Resource, accepted: Resource | undefined): boolean {
  return [wanted, accepted].some(
    (one) =>
      one !== undefined &&
      held.parent === one.parent &&
      (isSame(held.body, one.body) || isSame(canonical(held.kind, held.body), canonical(one.kind, one.body))),
  );
}

function identity(resource: Resource): Pick<Change, 'key' | 'kind' | 'id' | 'name' | 'parentId'> {
  const { key, kind, id, name, parent } = resource;
  const parentId = parent?.slice(parent.indexOf('/') + 1);
  return { key, kind, id, name, ...(parentId === undefined ? {} : { parentId }) };
}

/** Changes that would leave a reference to nothing, and those for whose objects the instance has no section. */
function findImpossible(
  draft: Draft,
  { document }: Inventory,
  known: ReadonlyMap<ResourceKey, string>,
): ReadonlyMap<ResourceKey, string> {
  const impossible = new Map<ResourceKey, string>();
  const refuse = (keys: Iterable<ResourceKey>, why: string): void => {
    for (const key of keys) if (!known.has(key) && !impossible.has(key)) impossible.set(key, why);
  };
  const removed = new Set<ObjectRef>();
  for (const [ref, { object, changes }] of draft.writes) {
    if (object === undefined) {
      removed.add(ref);
      continue;
    }
    if (!document.sections.has(placeOf(ref).section)) refuse(changes, noSection(ref));
    for (const needed of referencesOf({ ...object, value: omit(object.value, ['plugins']) })) {
      if (draft.final(needed) === undefined)
        refuse(changes, `it refers to ${needed}, which this instance does not have`);
    }
  }
  if (removed.size === 0) return impossible;
  for (const object of draft.finals()) {
    // A credential goes with its consumer.
    if (object.collection === 'credentials') continue;
    for (const needed of referencesOf(object)) {
      if (!removed.has(needed)) continue;
      const user = `${object.collection}/${object.id}`;
      refuse(draft.writes.get(needed)?.changes ?? [], `${needed} cannot be deleted: ${user} is still using it`);
    }
  }
  return impossible;
}

function noSection(ref: ObjectRef): string {
  return `this instance has no ${placeOf(ref).section}`;
}

function write(
  goal: Goal,
  { document }: Inventory,
  draft: Draft,
  versionAbove: VersionAbove,
): Pick<Rebased, 'document' | 'written'> {
  const edits = new Map<string, Map<string, AdminObject | undefined>>();
  const written = new Map<ObjectRef, readonly ResourceKey[]>();
  const changed = new Set(goal.changes.map(({ key }) => key));
  for (const [ref, { object, stored, changes }] of draft.writes) {
    const { section, id } = placeOf(ref);
    const isOwn = changes.length === 0 || changes.some((key) => changed.has(key));
    const accepted = isOwn ? undefined : goal.newest.objects.get(ref);
    const wanted = object === undefined ? undefined : (accepted ?? object);
    if (wanted !== undefined && stored !== undefined && isSame(bare(wanted.value), bare(stored.value))) continue;
    const known = edits.get(section) ?? new Map<string, AdminObject | undefined>();
    edits.set(section, known.set(id, wanted));
    written.set(ref, changes);
  }
  if (edits.size === 0) return { document, written };
  const sections = new Map(document.sections);
  for (const name of [...managedSections, ...edits.keys()]) {
    const held = document.sections.get(name);
    const section = edits.get(name);
    if (held === undefined || section === undefined) continue;
    const version = versionAbove(held.version);
    sections.set(name, { version, items: edit(held.items, section, name, version) });
  }
  return { document: { sections }, written };
}

/** Puts, replaces and removes objects of a list; all others stay the very same, in their places. */
function edit(
  items: readonly Json[],
  edits: ReadonlyMap<string, AdminObject | undefined>,
  section: string,
  version: number,
): readonly Json[] {
  const placed = new Set<string>();
  const next: Json[] = [];
  for (const item of items) {
    const id = idOf(item);
    if (id === undefined || !edits.has(id)) {
      // Credentials of a consumer that goes away go with it, those too that are no resources.
      const consumer = section === 'consumers' ? id?.split('/credentials/') : undefined;
      const isOrphan =
        consumer?.length === 2 && edits.has(consumer[0] ?? '') && edits.get(consumer[0] ?? '') === undefined;
      if (!isOrphan) next.push(item);
      continue;
    }
    const object = edits.get(id);
    placed.add(id);
    if (object !== undefined) next.push(itemOf(object, section, id, version));
  }
  for (const [id, object] of edits) {
    if (object !== undefined && !placed.has(id)) next.push(itemOf(object, section, id, version));
  }
  return next;
}

/** An object as it stands in a document. Its `modifiedIndex` tells the data plane that this one changed, and no other. */
function itemOf({ collection, value }: AdminObject, section: string, id: string, version: number): JsonObject {
  const identity = section === 'consumers' && collection === 'consumers' ? { username: id } : { id };
  return { ...bare(value), ...identity, modifiedIndex: version };
}

function bare(value: JsonObject): JsonObject {
  return omit(value, ['id', 'modifiedIndex']);
}
