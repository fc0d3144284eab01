import type { FieldChange } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { Resource, ResourceKey } from '../../model/resource.js';
import { objectRef, type AdminObject } from './collections.js';
import type { Draft } from './draft.js';
import type { Features } from './features.js';
import { keepStored, withClientKey } from './keep.js';
import { referencesOf } from './references.js';
import { toAdmin } from './to-admin.js';
import { isUnlabelled, ownsUpstream } from './upstream-roles.js';
import { asObject, asText, omit } from './values.js';

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
export function createServiceWriter(draft: Draft, features: Features): ServiceWriter {
  let inUse: ReadonlySet<string> | undefined;
  const isUsed = (ref: string): boolean => {
    inUse ??= new Set([...draft.storedObjects()].flatMap(referencesOf));
    return inUse.has(ref);
  };

  /** A service interrupted before it was written, or after it lost its upstream, may find its own upstream there. */
  const isPlaceFree = (own: AdminObject, stored: AdminObject | undefined): boolean => {
    const ref = objectRef('upstreams', own.id);
    const there = draft.stored(ref)?.value;
    if (there === undefined || ownsUpstream(stored, there)) return true;
    return isUnlabelled(there) && asText(there['name']) === asText(own.value['name']) && !isUsed(ref);
  };

  return (desired, changes, fields) => {
    const stored = draft.stored(objectRef('services', desired.id));
    const [service, own] = toAdmin(desired, features).toSorted(
      (a, b) => Number(a.collection === 'upstreams') - Number(b.collection === 'upstreams'),
    );
    if (service === undefined) return;
    if (own === undefined) {
      draft.put(keepStored(service, stored), changes);
      return;
    }
    const upstream = withClientKey(own.value, storedUpstreamOf(draft, stored) ?? {});
    if (!isPlaceFree(own, stored)) {
      const value = {
        ...omit(service.value, ['upstream_id']),
        upstream: omit(upstream, ['id', 'name']),
      };
      draft.put(keepStored({ ...service, value }, stored), changes);
      return;
    }
    const isWhole =
      fields.length === 0 ||
      draft.stored(objectRef('upstreams', own.id)) === undefined ||
      !ownsUpstream(stored, draft.stored(objectRef('upstreams', own.id))?.value);
    const differs = (isUpstream: boolean): boolean =>
      fields.some(({ path }) => (path[0] === 'upstream') === isUpstream);
    if (isWhole || differs(false)) draft.put(keepStored(service, stored), changes);
    if (isWhole || differs(true)) draft.put({ ...own, value: upstream }, changes);
  };
}

/** The upstream a stored service uses now: its own, another, or the one inside it. */
function storedUpstreamOf(draft: Draft, service: AdminObject | undefined): JsonObject | undefined {
  const id = asText(service?.value['upstream_id']);
  return id === undefined ? asObject(service?.value['upstream']) : draft.stored(objectRef('upstreams', id))?.value;
}
