import type { JsonObject, JsonPath } from './json.js';
import type { Kind } from './kinds.js';

/** Identifies a resource in a state: `<kind>/<id>`, and `consumer_credential/<username>/<id>` for credentials. */
export type ResourceKey = string;

/** Where a person wrote a resource: the file and the path inside its document. Line and column are found when needed. */
export interface Source {
  /** Absolute path, or `-` for standard input. */
  readonly file: string;
  readonly path: JsonPath;
}

/** One resource of a state. */
export interface Resource {
  readonly kind: Kind;
  readonly key: ResourceKey;
  readonly id: string;
  /** What a person calls it: the name; the username of a consumer; the joined SNIs of an SSL; a plugin's name. */
  readonly name: string;
  /** The service of a route, a stream route or a named upstream; the consumer of a credential. */
  readonly parent?: ResourceKey;
  /**
   * The fields in the shape of the ADC file, without `id` and without nested resources. A service's default upstream is
   * inside its body (`upstream`); named upstreams (`services[].upstreams[]`), routes, stream routes and credentials are
   * resources of their own. References (`upstream_id`, `plugin_config_id`, `group_id`) hold ids, never names. The body
   * of a global rule or plugin metadata is the plugin's configuration itself.
   */
  readonly body: JsonObject;
  readonly source?: Source;
}

/** A flat, immutable set of resources, in a deterministic order. Never mutated after it was made. */
export interface State {
  readonly resources: ReadonlyMap<ResourceKey, Resource>;
  /**
   * Of a current state, the resources that no configuration can hold as they are stored (routes outside services, what is
   * nested in something that does not exist), and why. Absent where there are none, and of what is desired.
   */
  readonly outside?: ReadonlyMap<ResourceKey, string>;
  /**
   * Of a current state, what the stored form of each resource refers to besides its parent, fields that no configuration
   * can mention included. A target need not exist. The upstream that a service has as its own is no resource, but stands
   * here under its key as well. Absent where nothing refers to anything, and of what is desired.
   */
  readonly references?: ReadonlyMap<ResourceKey, readonly ResourceKey[]>;
  /**
   * Of a current state, the upstreams that refer to something and that may be what an interrupted job left behind, with the
   * key of the service they belonged to: a job removes them where nothing uses them and its scope covers that service.
   */
  readonly leftovers?: ReadonlyMap<ResourceKey, ResourceKey>;
}

/** The key of a resource. `parentId` is the username, needed for credentials and ignored for every other kind. */
export function resourceKey(kind: Kind, id: string, parentId?: string): ResourceKey {
  return kind === 'consumer_credential' ? `${kind}/${parentId ?? ''}/${id}` : `${kind}/${id}`;
}

/** The id of a resource's parent (service id, username), or undefined for a resource without one. */
export function parentIdOf(resource: Pick<Resource, 'parent'>): string | undefined {
  return resource.parent === undefined ? undefined : resource.parent.slice(resource.parent.indexOf('/') + 1);
}
