import type { Unmanaged } from '../../model/change.js';
import type { Kind } from '../../model/kinds.js';
import { referenceKey, referencesIn } from '../../model/references.js';
import { resourceKey, type Resource, type ResourceKey, type State } from '../../model/resource.js';

/** What others may refer to: gateways do not delete it as long as somebody does. */
const referable: ReadonlySet<Kind> = new Set<Kind>(['upstream', 'plugin_config', 'consumer_group', 'ssl']);

/**
 * Adds to what is unmanaged what cannot go because it is in use by something that stays as it is: by what is unmanaged
 * itself, or by what a desired resource refers to although it does not stand in the configuration. A gateway refuses to
 * delete it, now and in every sync to come.
 *
 * @param isInScope tells whether a service is, if it were there: leftovers of such are removed by this job, unless in use
 */
export function leaveInUse(
  current: State,
  desired: State,
  unmanaged: Unmanaged,
  isInScope: (service: ResourceKey) => boolean = () => false,
): Unmanaged {
  const canGo = (resource: Resource | undefined): boolean =>
    resource !== undefined &&
    referable.has(resource.kind) &&
    !desired.resources.has(resource.key) &&
    !unmanaged.has(resource.key);
  if (!some(current.resources.values(), canGo)) return unmanaged;

  const inUse = new Map<ResourceKey, string>();
  const open: ResourceKey[] = [];
  const leftBehind = new Set<ResourceKey>();
  const goes = new Set<ResourceKey>();
  for (const [key, service] of current.leftovers ?? []) {
    if (unmanaged.has(key) && !desired.resources.has(key) && isInScope(service)) goes.add(key);
  }
  const keep = (targets: readonly ResourceKey[], why: () => string): void => {
    for (const target of targets) {
      const isMore = goes.has(target) || isLeftBehind(target, current, desired);
      if (isMore && !leftBehind.has(target)) {
        leftBehind.add(target);
        open.push(target);
      }
      if (inUse.has(target) || !canGo(current.resources.get(target))) continue;
      inUse.set(target, why());
      open.push(target);
    }
  };
  const keepWhatItUses = (key: ResourceKey): void => {
    if (desired.resources.has(key)) return;
    const { kind, name } = current.resources.get(key) ?? { kind: 'upstream', name: key.slice(key.indexOf('/') + 1) };
    keep(
      current.references?.get(key) ?? [],
      () => `it is in use by ${kind} ${JSON.stringify(name)}, which is left alone`,
    );
  };

  for (const key of unmanaged.keys()) if (!goes.has(key)) keepWhatItUses(key);
  for (const { key, kind, name, body } of desired.resources.values()) {
    const wanted = [...referencesIn(kind, body).map(referenceKey), ...keptReferences(key, kind, body, current)];
    keep(wanted, () => `${kind} ${JSON.stringify(name)} of the configuration refers to it`);
  }
  for (let key = open.pop(); key !== undefined; key = open.pop()) keepWhatItUses(key);
  return inUse.size === 0 ? unmanaged : new Map([...unmanaged, ...inUse]);
}

/** A service's own upstream, which a service that goes away or turns to another one leaves to the others who use it. */
function isLeftBehind(key: ResourceKey, current: State, desired: State): boolean {
  if (!key.startsWith('upstream/') || current.resources.has(key) || desired.resources.has(key)) return false;
  return desired.resources.get(resourceKey('service', key.slice('upstream/'.length)))?.body['upstream'] === undefined;
}

function some<T>(values: Iterable<T>, holds: (value: T) => boolean): boolean {
  for (const value of values) if (holds(value)) return true;
  return false;
}

/** A certificate that a route refers to stands in its inline upstream: an update keeps that, unless it names another. */
function keptReferences(key: ResourceKey, kind: Kind, body: Resource['body'], current: State): readonly ResourceKey[] {
  if ((kind !== 'route' && kind !== 'stream_route') || body['upstream_id'] !== undefined) return [];
  return current.references?.get(key)?.filter((target) => target.startsWith('ssl/')) ?? [];
}
