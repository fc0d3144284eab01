import type { FieldChange } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { ObjectRef } from '../../model/operation.js';
import type { Resource, ResourceKey, State } from '../../model/resource.js';
import { objectRef, type AdminObject } from './collections.js';
import type { Draft, DraftInput } from './draft.js';
import { keepStored, withClientKey } from './keep.js';
import { referencesOf } from './references.js';
import { toAdmin } from './to-admin.js';
import { isUnlabelled, isUpstreamInside, ownsUpstream } from './upstream-roles.js';
import { asObject, asText } from './values.js';

/**
 * Drafts the writes of a service as it is desired, carrying changes. `fields` are those that differ from what is stored;
 * none means all of it.
 */
export type ServiceWriter = (
  desired: Resource,
  changes: readonly ResourceKey[],
  fields: readonly FieldChange[],
) => void;

/**
 * A service and its default upstream are two objects. Only what changed is written, unless the stored service does not
 * yet refer to an upstream of its own: an inline or shared one would stay in force. Where the place of its own upstream
 * is taken by an upstream of others, the service holds its upstream inside: nothing of others is overwritten.
 */
export function createServiceWriter(draft: Draft, { desired: wanted, features }: DraftInput): ServiceWriter {
  const hasUpstreams = holdsUpstreams(wanted);
  let users: ReadonlyMap<ObjectRef, number> | undefined;
  const usersOf = (ref: ObjectRef): number => {
    users ??= countUsers(draft.storedObjects());
    return users.get(ref) ?? 0;
  };

  /**
   * A service has its own upstream there, or finds it there after it was interrupted before it was written itself. One
   * that has another name and that others use as well was somebody else's before the service referred to it.
   */
  const isPlaceTaken = ({ name }: Resource, ref: ObjectRef, stored: AdminObject | undefined): boolean => {
    const there = draft.stored(ref)?.value;
    if (there === undefined) return false;
    if (ownsUpstream(stored, there)) return there['name'] !== stored?.value['name'] && usersOf(ref) > 1;
    return !isUnlabelled(there) || asText(there['name']) !== name || usersOf(ref) > 0;
  };

  return (desired, changes, fields) => {
    const ref = objectRef('services', desired.id);
    const ownRef = objectRef('upstreams', desired.id);
    const stored = draft.stored(ref);
    const own = draft.stored(ownRef);
    const isInside = (hasUpstreams && isUpstreamInside(desired, wanted)) || isPlaceTaken(desired, ownRef, stored);
    const wasInPlace = own !== undefined && ownsUpstream(stored, own.value);
    const isWhole = isInside || fields.length === 0 || desired.body['upstream'] === undefined || !wasInPlace;
    const differs = (field: 'upstream' | 'rest'): boolean =>
      isWhole || fields.some(({ path }) => (path[0] === 'upstream') === (field === 'upstream'));
    const before = storedUpstreamOf(draft, stored) ?? {};

    for (const object of toAdmin(desired, features, isInside)) {
      const { collection, value } = object;
      const inside = asObject(value['upstream']);
      if (collection === 'upstreams') {
        const kept = withClientKey(value, before);
        if (differs('upstream')) draft.put(kept === value ? object : { ...object, value: kept }, changes, ownRef);
      } else if (inside !== undefined) {
        draft.put(
          keepStored({ ...object, value: { ...value, upstream: withClientKey(inside, before) } }, stored),
          changes,
          ref,
        );
      } else if (differs('rest')) draft.put(keepStored(object, stored), changes, ref);
    }
  };
}

/** The upstream a stored service uses now: its own, another, or the one inside it. */
function storedUpstreamOf(draft: Draft, service: AdminObject | undefined): JsonObject | undefined {
  const id = asText(service?.value['upstream_id']);
  return id === undefined ? asObject(service?.value['upstream']) : draft.stored(objectRef('upstreams', id))?.value;
}

/** Tells whether a state has any upstream beside those inside services. */
function holdsUpstreams({ resources }: State): boolean {
  for (const { kind } of resources.values()) if (kind === 'upstream') return true;
  return false;
}

/** How many objects refer to each object. */
function countUsers(objects: Iterable<AdminObject>): ReadonlyMap<ObjectRef, number> {
  const counts = new Map<ObjectRef, number>();
  for (const object of objects) {
    for (const used of referencesOf(object)) counts.set(used, (counts.get(used) ?? 0) + 1);
  }
  return counts;
}
