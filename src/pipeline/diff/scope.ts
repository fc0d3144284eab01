import type { Unmanaged } from '../../model/change.js';
import { isJsonObject } from '../../model/json.js';
import { kinds, optInKinds, type Kind } from '../../model/kinds.js';
import type { Resource, ResourceKey, State } from '../../model/resource.js';

/** What part of a gateway a job is about. */
export interface Scope {
  /**
   * Words of `--include-resource-type`: only these top-level collections. An empty list says nothing. A word of nested
   * resources (`route`) or of none (`stream_service`) selects no collection.
   */
  readonly include?: readonly string[];
  /** Words of `--exclude-resource-type`: all top-level collections but these. */
  readonly exclude?: readonly string[];
  /** Every pair must stand in the labels of a resource. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Kinds whose top-level collection the configuration names; the opt-in kinds that are not here are unmanaged. */
  readonly mentioned: ReadonlySet<Kind>;
}

/** Kinds that a label selector does not filter. */
const unlabelled: ReadonlySet<Kind> = new Set<Kind>(['global_rule', 'plugin_metadata']);

/** The kinds that are nested in another: by kind, the kind of their parent. An upstream is nested where it has a parent. */
const parentKinds: Readonly<Partial<Record<Kind, Kind>>> = {
  route: 'service',
  stream_route: 'service',
  consumer_credential: 'consumer',
};

/** How people call the collection of a kind. */
const collectionWords: Readonly<Partial<Record<Kind, string>>> = {
  upstream: 'upstreams',
  plugin_config: 'plugin_configs',
  consumer_group: 'consumer_groups',
};

/** Tells whether the resource type words let the top-level collection of a kind through. */
export function isSelected(kind: Kind, scope: Pick<Scope, 'include' | 'exclude'>): boolean {
  if (scope.include !== undefined && scope.include.length > 0 && !scope.include.includes(kind)) return false;
  return !(scope.exclude?.includes(kind) ?? false);
}

/**
 * Marks every current resource that is outside the scope, with the reason in words for people. What is nested (routes,
 * stream routes, named upstreams, credentials) follows its parent; global rules and plugin metadata are never filtered
 * by labels; a label whose value is a list matches nothing. What no configuration can hold is outside every scope.
 *
 * What is nested in a desired parent is in scope, and goes where it is not desired itself: also where the parent is taken
 * over, or its missing parent comes with this job. It would be in scope in the next job, and go then.
 *
 * @param desired where parents are looked up; none by default
 */
export function scopeOf(current: State, scope: Scope, desired?: State): Unmanaged {
  const kindReasons = new Map<Kind, string | undefined>(kinds.map((kind) => [kind, kindReason(kind, scope)]));
  const pairs = Object.entries(scope.labels ?? {});
  const unmanaged = new Map<ResourceKey, string>();
  // Without labels only kinds decide, a resource's own and that of its parent: most need no look at resources at all.
  const isLeftAlone = (kind: Kind): boolean => kindReasons.get(kind) !== undefined;
  const concerned = new Set(
    kinds.filter((kind) => pairs.length > 0 || isLeftAlone(kind) || isLeftAlone(parentKinds[kind] ?? 'service')),
  );
  if (concerned.size === 0 && current.outside === undefined) return unmanaged;

  const topLevelReason = (resource: Resource): string | undefined =>
    kindReasons.get(resource.kind) ?? labelReason(resource, pairs);

  const orphanReason = (kind: Kind, parent: ResourceKey | undefined): string | undefined =>
    pairs.length === 0 || (parent !== undefined && desired?.resources.has(parent) === true)
      ? undefined
      : `its ${kind} does not exist`;

  const parentReasonOf = ({ key, parent }: Resource): ((parent: Resource) => string | undefined) => {
    const goesWithParent = parent !== undefined && desired?.resources.has(parent) === true;
    return goesWithParent && !desired.resources.has(key) ? ({ kind }) => kindReasons.get(kind) : topLevelReason;
  };
  const reasonOf = (resource: Resource): string | undefined =>
    isNested(resource)
      ? nestedReason(
          resource,
          current,
          parentReasonOf(resource),
          (kind) => kindReasons.get(kind) ?? orphanReason(kind, resource.parent),
        )
      : topLevelReason(resource);

  for (const resource of current.resources.values()) {
    const reason =
      outsideReason(resource, current, desired) ?? (concerned.has(resource.kind) ? reasonOf(resource) : undefined);
    if (reason !== undefined) unmanaged.set(resource.key, reason);
  }
  return unmanaged;
}

/**
 * Why a current resource is out of reach of any configuration; undefined where it is not. What is nested in something that
 * does not exist, but is desired, is in reach.
 */
export function outsideReason({ key, parent }: Resource, current: State, desired?: State): string | undefined {
  const reason = current.outside?.get(key);
  if (reason === undefined) return undefined;
  const isAdopted = parent !== undefined && !current.resources.has(parent) && desired?.resources.has(parent) === true;
  return isAdopted ? undefined : reason;
}

function isNested(resource: Resource): boolean {
  return resource.parent !== undefined || parentKinds[resource.kind] !== undefined;
}

function nestedReason(
  resource: Resource,
  current: State,
  topLevelReason: (parent: Resource) => string | undefined,
  reasonWithoutParent: (kind: Kind) => string | undefined,
): string | undefined {
  const parentKind = parentKinds[resource.kind] ?? 'service';
  const parent = resource.parent === undefined ? undefined : current.resources.get(resource.parent);
  if (parent === undefined) return reasonWithoutParent(parentKind);
  const reason = topLevelReason(parent);
  return reason === undefined ? undefined : `its ${parentKind} "${parent.name}" is left alone: ${reason}`;
}

function kindReason(kind: Kind, scope: Scope): string | undefined {
  if (!isSelected(kind, scope)) return `resource type ${kind} is not selected`;
  if (optInKinds.includes(kind) && !scope.mentioned.has(kind)) {
    return `the configuration does not mention ${collectionWords[kind] ?? kind}`;
  }
  return undefined;
}

function labelReason(resource: Resource, pairs: readonly (readonly [string, string])[]): string | undefined {
  if (pairs.length === 0 || unlabelled.has(resource.kind)) return undefined;
  const labels = resource.body['labels'];
  const missing = pairs.find(([name, value]) => !isJsonObject(labels) || !hasLabel(labels, name, value));
  return missing === undefined ? undefined : `it does not carry the label ${missing[0]}=${missing[1]}`;
}

function hasLabel(labels: Resource['body'], name: string, value: string): boolean {
  return Object.hasOwn(labels, name) && labels[name] === value;
}
