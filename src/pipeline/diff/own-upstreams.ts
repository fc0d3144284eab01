import type { Unmanaged } from '../../model/change.js';
import { isJsonObject } from '../../model/json.js';
import { resourceKey, type Resource, type ResourceKey, type State } from '../../model/resource.js';

/** A current state, and what of it is left alone. */
export interface Seen {
  readonly current: State;
  readonly unmanaged: Unmanaged;
}

/**
 * Lets the upstream that an unmanaged service has as its own be seen as a resource where the configuration has another
 * upstream of that id: to write that is to overwrite what the service uses. Everywhere else it is a part of its service.
 */
export function showTakenUpstreams({ current, unmanaged }: Seen, desired: State): Seen {
  const shown = new Map<ResourceKey, Resource>();
  const reasons = new Map<ResourceKey, string>();
  for (const { key, kind, id } of desired.resources.values()) {
    if (kind !== 'upstream' || current.resources.has(key)) continue;
    const serviceKey = resourceKey('service', id);
    const service = current.resources.get(serviceKey);
    if (service === undefined || !unmanaged.has(serviceKey) || desired.resources.has(serviceKey)) continue;
    const upstream = service.body['upstream'];
    const isStoredThere = current.references?.get(serviceKey)?.includes(key) === true;
    if (!isStoredThere || !isJsonObject(upstream)) continue;
    const { name } = service;
    shown.set(key, { kind, key, id, name, body: { name, ...upstream } });
    reasons.set(key, `it is the upstream of service ${JSON.stringify(name)}, which is left alone`);
  }
  if (shown.size === 0) return { current, unmanaged };
  return {
    current: { ...current, resources: new Map([...current.resources, ...shown]) },
    unmanaged: new Map([...unmanaged, ...reasons]),
  };
}
