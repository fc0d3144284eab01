import type { ObjectRef } from '../../model/operation.js';
import { resourceKey, type ResourceKey, type State } from '../../model/resource.js';
import { idOf, objectRef, type AdminObject } from './collections.js';
import type { Draft, DraftInput, DraftWrite } from './draft.js';
import { keepStored } from './keep.js';
import { referencesOf } from './references.js';
import type { ServiceWriter } from './service-objects.js';
import { toAdmin } from './to-admin.js';
import { hasTarget, isUpstreamInside, mayBeLeftover, ownerOf, ownsUpstream } from './upstream-roles.js';
import { asText } from './values.js';

/** The own upstream of a service that may not need it any more, and the change of that service. */
export interface Released {
  readonly ref: ObjectRef;
  readonly key: ResourceKey;
}

/**
 * A shared upstream goes away that a service of the configuration still uses, because the upstream the file gives it is
 * equal and was no change so far: the service gets its own now.
 */
export function moveOffDeletedUpstreams(draft: Draft, desired: State, writeService: ServiceWriter): void {
  const gone = new Map<ObjectRef, DraftWrite>();
  for (const [ref, write] of draft.writes)
    if (write.object === undefined && ref.startsWith('upstreams/')) gone.set(ref, write);
  if (gone.size === 0) return;
  for (const user of draft.finalsOf('services')) {
    const write = gone.get(upstreamRefOf(user));
    const service = desired.resources.get(resourceKey('service', user.id));
    if (write === undefined || service?.body['upstream'] === undefined) continue;
    writeService(service, write.changes, []);
  }
}

/**
 * A shared upstream is to have the place of the upstream that a service has as its own, although nothing of the service
 * was a change so far: the service holds its upstream inside now.
 */
export function moveOffTakenPlaces(draft: Draft, desired: State, writeService: ServiceWriter): void {
  for (const { kind, id } of desired.resources.values()) {
    const service = kind === 'upstream' ? desired.resources.get(resourceKey('service', id)) : undefined;
    if (service === undefined || !isUpstreamInside(service, desired)) continue;
    const changes = draft.writes.get(objectRef('upstreams', id))?.changes ?? [];
    const held = draft.final(objectRef('services', id));
    if (asText(held?.value['upstream_id']) === id) writeService(service, changes, []);
  }
}

function upstreamRefOf({ value }: AdminObject): ObjectRef {
  return objectRef('upstreams', asText(value['upstream_id']) ?? '');
}

/** Deletes the own upstreams of services that went away or turned to another upstream, where nothing else uses them. */
export function removeUnused(draft: Draft, released: readonly Released[], desired: State): void {
  if (released.length === 0) return;
  const used = new Set([...draft.finals()].flatMap(referencesOf));
  for (const { ref, key } of released) {
    const isShared = desired.resources.has(resourceKey('upstream', idOf(ref)));
    if (!used.has(ref) && !isShared) draft.remove(ref, [key]);
  }
}

/**
 * Deletes what an interrupted job left behind: upstreams that are ours and that nothing uses. Ours is one that says which
 * service it belongs to, where that service is gone, only comes with this job or has no other upstream; and one that can only be the default
 * upstream of a service with a derived id. Where the job's scope could not have held its service, it stays.
 */
export function removeLeftovers(draft: Draft, { desired, unmanagedIn }: DraftInput): void {
  const candidates: AdminObject[] = [];
  for (const object of draft.untouched()) {
    if (object.collection === 'upstreams' && isLeftover(draft, object, desired)) candidates.push(object);
  }
  if (candidates.length === 0) return;
  const used = new Set([...draft.finals()].flatMap(referencesOf));
  for (const { id, value } of candidates) {
    const ref = objectRef('upstreams', id);
    if (used.has(ref)) continue;
    const service = ownerOf(value) ?? id;
    const key = resourceKey('service', service);
    const gone = { kind: 'service', key, id: service, name: asText(value['name']) ?? service, body: {} } as const;
    const resource = desired.resources.get(key) ?? gone;
    if (unmanagedIn?.({ resources: new Map([[key, resource]]) }).has(key) !== true) draft.remove(ref, []);
  }
}

function isLeftover(draft: Draft, { id, value }: AdminObject, desired: State): boolean {
  const service = draft.final(objectRef('services', id));
  if (ownsUpstream(service, value) || desired.resources.has(resourceKey('upstream', id))) return false;
  const owner = ownerOf(value);
  if (owner !== undefined) {
    const ref = objectRef('services', owner);
    const held = draft.stored(ref);
    if (held === undefined || draft.final(ref) === undefined) return true;
    return !hasTarget(held, draft.stored(objectRef('upstreams', owner)) !== undefined);
  }
  const isNamedAlike = service === undefined || asText(service.value['name']) === asText(value['name']);
  return isNamedAlike && mayBeLeftover({ id, value });
}

/**
 * Marks shared upstreams that may be taken for leftovers: such as are, but that the file has made its own as they are. A
 * later file that does not mention upstreams would delete them.
 */
export function markShared(draft: Draft, { desired, features }: DraftInput): void {
  for (const shared of desired.resources.values()) {
    if (shared.kind !== 'upstream' || shared.parent !== undefined) continue;
    const ref = objectRef('upstreams', shared.id);
    const held = draft.final(ref);
    if (held === undefined || !mayBeLeftover(held)) continue;
    for (const object of toAdmin(shared, features)) draft.put(keepStored(object, held), [], ref);
  }
}
