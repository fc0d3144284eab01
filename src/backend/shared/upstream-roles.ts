import { deriveId } from '../../model/ids.js';
import type { JsonObject } from '../../model/json.js';
import { managedByLabel, sharedLabel, upstreamServiceLabel } from '../../model/labels.js';
import { resourceKey, type Resource, type State } from '../../model/resource.js';
import type { AdminObject } from './collections.js';
import { asObject, asText } from './values.js';

/*
 * What a stored upstream is goes by its labels: a named one says which service it belongs to, a shared one that it is
 * shared. One without such a word is the default upstream of the service of its id, where that refers to it; any other
 * was made by somebody else, and is taken for a shared one.
 */

/** The service that a named upstream says it belongs to. */
export function ownerOf(upstream: JsonObject): string | undefined {
  return labelOf(upstream, upstreamServiceLabel);
}

/** Tells whether an upstream says that it is shared. */
function isMarkedShared(upstream: JsonObject): boolean {
  return labelOf(upstream, sharedLabel) !== undefined;
}

/** Tells whether a service has an upstream as its own: by the service's id, and not marked as shared. */
export function ownsUpstream(
  service: Pick<AdminObject, 'id' | 'value'> | undefined,
  upstream: JsonObject | undefined,
): boolean {
  if (service === undefined || asText(service.value['upstream_id']) !== service.id) return false;
  return upstream === undefined || !isMarkedShared(upstream);
}

/**
 * Tells whether a service has an upstream to send requests to: a file has named upstreams only in such a service.
 *
 * @param hasOwn whether there is an upstream of the service's id
 */
export function hasTarget({ id, value }: Pick<AdminObject, 'id' | 'value'>, hasOwn: boolean): boolean {
  const reference = asText(value['upstream_id']);
  if (reference !== undefined && (reference !== id || hasOwn)) return true;
  return asObject(value['upstream']) !== undefined;
}

/** Tells whether a state has a place for the upstream of a service only inside it: another upstream has the service's id. */
export function isUpstreamInside({ kind, id, body }: Resource, state: State): boolean {
  return kind === 'service' && body['upstream'] !== undefined && state.resources.has(resourceKey('upstream', id));
}

/**
 * Tells whether an upstream that no service has as its own may be what is left of a service that had: nothing says that
 * it is somebody else's, and it has the id and the name that the default upstream of a service with a derived id has.
 */
export function mayBeLeftover({ id, value }: Pick<AdminObject, 'id' | 'value'>): boolean {
  return isUnlabelled(value) && id === deriveId(asText(value['name']) ?? '');
}

/** Tells whether nothing says that an upstream is named, shared or managed: default upstreams carry none of these labels. */
export function isUnlabelled(upstream: JsonObject): boolean {
  return [managedByLabel.key, upstreamServiceLabel, sharedLabel].every((name) => labelOf(upstream, name) === undefined);
}

function labelOf(upstream: JsonObject, name: string): string | undefined {
  return asText(asObject(upstream['labels'])?.[name]);
}
