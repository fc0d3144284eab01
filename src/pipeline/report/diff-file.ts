import { dump } from 'js-yaml';
import type { Change } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import type { Resource, ResourceKey, State } from '../../model/resource.js';
import { eventDocument } from './documents.js';
import { maskFields, maskResource } from './masking.js';

/** What the diff file is written from. A `Difference` is one. */
export interface DiffFileFacts {
  readonly changes: readonly Change[];
  readonly desired: State;
  readonly current: State;
}

/** Options of the diff file. */
export interface DiffFileOptions {
  /** Write secrets in clear. Default false. */
  readonly showSecrets?: boolean;
}

/** By kind, the field under which a parent lists it. */
const nestedFields: Readonly<Partial<Record<Kind, string>>> = {
  upstream: 'upstreams',
  route: 'routes',
  stream_route: 'stream_routes',
  consumer_credential: 'credentials',
};

type Children = ReadonlyMap<ResourceKey, readonly Resource[]>;

/**
 * Gives the entries of `diff.yaml`, one for each change, in the order of the changes. Keys stand in the order people
 * know: resourceType, type, resourceId, resourceName, oldValue, newValue, diff, parentId. The values of a created or
 * deleted parent list what is nested in it; those of an updated one do not. One entry is made at a time, so that a large
 * diff is never held whole.
 */
export function* diffDocument(facts: DiffFileFacts, options: DiffFileOptions = {}): Generator<JsonObject> {
  const { showSecrets = false } = options;
  const desired = childrenOf(facts.desired);
  const current = childrenOf(facts.current);
  const whole = (resource: Resource, children: Children): JsonObject =>
    withChildren(resource, children.get(resource.key) ?? [], (child) => maskResource(child, showSecrets));

  for (const change of facts.changes) {
    const { parentId, ...event } = eventDocument(change);
    const parent = parentId === undefined ? {} : { parentId };
    switch (change.type) {
      case 'create':
        yield { ...event, newValue: whole(change.desired, desired), ...parent };
        break;
      case 'update':
        yield {
          ...event,
          oldValue: maskResource(change.current, showSecrets),
          newValue: maskResource(change.desired, showSecrets),
          diff: maskFields(change, showSecrets),
          ...parent,
        };
        break;
      case 'delete':
        yield { ...event, oldValue: whole(change.current, current), ...parent };
        break;
    }
  }
}

/** Writes the entries of {@link diffDocument} as YAML, piece by piece; `[]` where there are none. */
export function* diffYaml(facts: DiffFileFacts, options: DiffFileOptions = {}): Generator<string> {
  if (facts.changes.length === 0) yield '[]\n';
  for (const entry of diffDocument(facts, options)) yield dump([entry], { noRefs: true, lineWidth: -1 });
}

function childrenOf(state: State): Children {
  const children = new Map<ResourceKey, Resource[]>();
  for (const resource of state.resources.values()) {
    if (resource.parent === undefined) continue;
    const siblings = children.get(resource.parent);
    if (siblings === undefined) children.set(resource.parent, [resource]);
    else siblings.push(resource);
  }
  return children;
}

function withChildren(
  resource: Resource,
  children: readonly Resource[],
  bodyOf: (resource: Resource) => JsonObject,
): JsonObject {
  const nested: Record<string, JsonObject[]> = {};
  for (const child of children) {
    const field = nestedFields[child.kind];
    if (field !== undefined) (nested[field] ??= []).push(bodyOf(child));
  }
  return { ...bodyOf(resource), ...nested };
}
