import type { Change, Creation, Unmanaged, Update } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { ObjectRef } from '../../model/operation.js';
import { resourceKey, type ResourceKey, type State } from '../../model/resource.js';
import { collectionOf, idOf, objectRef, type AdminObject } from './collections.js';
import type { Features } from './features.js';
import { ownerOf } from './from-admin.js';
import { referencesOf } from './references.js';
import { mayBeDefaultUpstream, toAdmin } from './to-admin.js';
import { asObject, asText, omit } from './values.js';
import { createDraft, type Draft } from './draft.js';
import { keepStored, withClientKey } from './keep.js';
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

/**
 * Turns changes into writes of stored objects: what each change writes or deletes, then what follows from all of them
 * together (a shared upstream that goes away while a service still uses it, upstreams that nothing needs any more,
 * leftovers of earlier jobs). Pure.
 */
export function draftChanges(input: DraftInput): Draft {
  const { changes, snapshot, features } = input;
  const draft = createDraft(snapshot.objects);
  const rules = ruleHolders(snapshot);
  const released: { readonly ref: ObjectRef; readonly key: ResourceKey }[] = [];
  // Children of a deleted consumer go with it, whichever of them comes first among the changes.
  const ordered = changes.toSorted(
    (a, b) => Number(a.kind === 'consumer_credential') - Number(b.kind === 'consumer_credential'),
  );
  for (const change of ordered) {
    if (change.kind === 'service') {
      const own = objectRef('upstreams', change.id);
      draftService(draft, change, features);
      if (draft.stored(own) !== undefined && draft.writes.get(own) === undefined) {
        if (refersToOwnUpstream(draft.stored(objectRef('services', change.id))))
          released.push({ ref: own, key: change.key });
      }
    } else if (change.kind === 'global_rule') draftGlobalRule(draft, change, rules);
    else if (change.kind === 'consumer_credential') draftCredential(draft, change, features);
    else draftSimple(draft, change, features);
  }
  moveOffDeletedUpstreams(draft, input);
  removeUnused(draft, released, input.desired);
  removeLeftovers(draft, input);
  markShared(draft, input);
  return draft;
}

function draftSimple(draft: Draft, change: Change, features: Features): void {
  const ref = objectRef(collectionOf[change.kind], change.id, change.parentId);
  if (change.type === 'delete') {
    draft.remove(ref, [change.key]);
    return;
  }
  for (const object of toAdmin(change.desired, features)) {
    draft.put(keepStored(object, draft.stored(ref)), [change.key]);
  }
}

/**
 * A credential is never written or deleted by its own path where the gateway has none: before 3.11 a DELETE there
 * deletes the whole consumer.
 */
function draftCredential(draft: Draft, change: Change, features: Features): void {
  if (!features.has('credentials')) return;
  const consumer = objectRef('consumers', change.parentId ?? '');
  const write = draft.writes.get(consumer);
  const goesWithConsumer = write !== undefined && write.object === undefined;
  if (change.type === 'delete' && goesWithConsumer) draft.carry(consumer, [change.key]);
  else draftSimple(draft, change, features);
}

/**
 * A service and its default upstream are two objects. Only what changed is written, unless the stored service does not
 * yet refer to an upstream of its own: an inline or shared one would stay in force.
 */
function draftService(draft: Draft, change: Change, features: Features): void {
  const ref = objectRef('services', change.id);
  if (change.type === 'delete') {
    draft.remove(ref, [change.key]);
    return;
  }
  const stored = draft.stored(ref);
  const parts = touchedParts(change, stored, draft.stored(objectRef('upstreams', change.id)));
  for (const object of toAdmin(change.desired, features)) {
    if (object.collection === 'services' && parts.service) draft.put(keepStored(object, stored), [change.key]);
    if (object.collection === 'upstreams' && parts.upstream) {
      const value = withClientKey(object.value, storedUpstreamOf(draft, stored) ?? {});
      draft.put({ ...object, value }, [change.key]);
    }
  }
}

function touchedParts(
  change: Creation | Update,
  stored: AdminObject | undefined,
  own: AdminObject | undefined,
): { readonly service: boolean; readonly upstream: boolean } {
  if (change.type === 'create' || change.fields.length === 0) return { service: true, upstream: true };
  const wantsUpstream = change.desired.body['upstream'] !== undefined;
  if (wantsUpstream && (own === undefined || !refersToOwnUpstream(stored))) return { service: true, upstream: true };
  const upstream = change.fields.some(({ path }) => path[0] === 'upstream');
  const rest = change.fields.some(({ path }) => path[0] !== 'upstream');
  return { service: rest || !wantsUpstream, upstream };
}

function refersToOwnUpstream(service: AdminObject | undefined): boolean {
  return service !== undefined && asText(service.value['upstream_id']) === service.id;
}

/** The upstream a stored service uses now: its own, another, or the one inside it. */
function storedUpstreamOf(draft: Draft, service: AdminObject | undefined): JsonObject | undefined {
  const id = asText(service?.value['upstream_id']);
  return id === undefined ? asObject(service?.value['upstream']) : draft.stored(objectRef('upstreams', id))?.value;
}

/** The ids of the stored rules that hold each plugin. */
function ruleHolders(snapshot: Snapshot): ReadonlyMap<string, readonly ObjectRef[]> {
  const holders = new Map<string, ObjectRef[]>();
  for (const [ref, { collection, value }] of snapshot.objects) {
    if (collection !== 'global_rules') continue;
    for (const plugin of Object.keys(asObject(value['plugins']) ?? {})) {
      const known = holders.get(plugin);
      if (known === undefined) holders.set(plugin, [ref]);
      else known.push(ref);
    }
  }
  return holders;
}

/**
 * A plugin is changed in every rule that holds it, whatever the rule's id; a new one gets a rule named after it. Changes
 * of plugins that share a rule become one write of that rule, and a rule without plugins is deleted.
 */
function draftGlobalRule(draft: Draft, change: Change, holders: ReadonlyMap<string, readonly ObjectRef[]>): void {
  const plugin = change.id;
  const refs = holders.get(plugin) ?? [objectRef('global_rules', plugin)];
  for (const ref of refs) {
    const id = idOf(ref);
    const plugins = asObject(draft.final(ref)?.value['plugins']) ?? {};
    const rest = omit(plugins, [plugin]);
    const next = change.type === 'delete' ? rest : { ...rest, [plugin]: change.desired.body };
    if (Object.keys(next).length > 0) {
      draft.put({ collection: 'global_rules', id, value: { plugins: next } }, [change.key]);
    } else if (draft.stored(ref) !== undefined) draft.drop(ref, [change.key]);
  }
}

/**
 * A shared upstream goes away that a service of the configuration still uses, because the upstream the file gives it is
 * equal and was no change so far: the service gets its own now.
 */
function moveOffDeletedUpstreams(draft: Draft, { desired, features }: DraftInput): void {
  const gone = new Map(
    [...draft.writes].filter(([ref, { object }]) => object === undefined && ref.startsWith('upstreams/')),
  );
  if (gone.size === 0) return;
  const services = [...draft.finals()].filter(({ collection }) => collection === 'services');
  for (const user of services) {
    const write = gone.get(upstreamRefOf(user));
    const service = desired.resources.get(resourceKey('service', user.id));
    if (write === undefined || service?.body['upstream'] === undefined) continue;
    for (const object of toAdmin(service, features)) {
      draft.put(keepStored(object, draft.stored(objectRef(object.collection, object.id))), [...write.changes]);
    }
  }
}

function upstreamRefOf({ value }: AdminObject): ObjectRef {
  return objectRef('upstreams', asText(value['upstream_id']) ?? '');
}

/** Deletes the own upstreams of services that went away or turned to another upstream, where nothing else uses them. */
function removeUnused(
  draft: Draft,
  released: readonly { readonly ref: ObjectRef; readonly key: ResourceKey }[],
  desired: State,
): void {
  if (released.length === 0) return;
  const used = new Set([...draft.finals()].flatMap(referencesOf));
  for (const { ref, key } of released) {
    const isShared = desired.resources.has(resourceKey('upstream', idOf(ref)));
    if (!used.has(ref) && !isShared) draft.remove(ref, [key]);
  }
}

/**
 * Deletes what an interrupted job left behind: upstreams that are ours and that nothing uses. Ours is one that says which
 * service it belongs to, where that service is gone; and one that can only be the default upstream of a service with a
 * derived id. Where the job's scope could not have held its service, it stays.
 */
function removeLeftovers(draft: Draft, { desired, unmanagedIn }: DraftInput): void {
  const candidates: AdminObject[] = [];
  for (const object of draft.finals()) {
    if (object.collection === 'upstreams' && isLeftover(draft, object, desired)) candidates.push(object);
  }
  if (candidates.length === 0) return;
  const used = new Set([...draft.finals()].flatMap(referencesOf));
  for (const { id, value } of candidates) {
    const ref = objectRef('upstreams', id);
    if (used.has(ref) || draft.writes.has(ref)) continue;
    const service = ownerOf(value) ?? id;
    const key = resourceKey('service', service);
    const resource = { kind: 'service', key, id: service, name: asText(value['name']) ?? service, body: {} } as const;
    if (unmanagedIn?.({ resources: new Map([[key, resource]]) }).has(key) !== true) draft.remove(ref, []);
  }
}

function isLeftover(draft: Draft, { id, value }: AdminObject, desired: State): boolean {
  const service = draft.final(objectRef('services', id));
  if (refersToOwnUpstream(service) || desired.resources.has(resourceKey('upstream', id))) return false;
  const owner = ownerOf(value);
  if (owner !== undefined) return draft.final(objectRef('services', owner)) === undefined;
  const isNamedAlike = service === undefined || asText(service.value['name']) === asText(value['name']);
  return isNamedAlike && mayBeDefaultUpstream(id, value);
}

/**
 * Marks shared upstreams that were stored without a word of being shared, such as a leftover that the file has made its
 * own as it is: a later file that does not mention upstreams would take them for leftovers.
 */
function markShared(draft: Draft, { desired, features }: DraftInput): void {
  const upstreams = [...draft.finals()].filter(({ collection }) => collection === 'upstreams');
  for (const stored of upstreams) {
    const shared = desired.resources.get(resourceKey('upstream', stored.id));
    if (shared === undefined || shared.parent !== undefined || !mayBeDefaultUpstream(stored.id, stored.value)) continue;
    for (const object of toAdmin(shared, features)) draft.put(keepStored(object, stored), []);
  }
}
