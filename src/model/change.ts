import type { Json, JsonObject, JsonPath } from './json.js';
import type { Kind } from './kinds.js';
import type { Resource, ResourceKey, State } from './resource.js';

/** One changed field, in the form `diff.yaml` has: N added, D removed, E edited. `path` starts at the resource's body. */
export type FieldChange =
  | { readonly kind: 'N'; readonly path: JsonPath; readonly rhs: Json }
  | { readonly kind: 'D'; readonly path: JsonPath; readonly lhs: Json }
  | { readonly kind: 'E'; readonly path: JsonPath; readonly lhs: Json; readonly rhs: Json }
  | {
      readonly kind: 'A';
      readonly path: JsonPath;
      readonly index: number;
      readonly item: { readonly kind: 'N'; readonly rhs: Json } | { readonly kind: 'D'; readonly lhs: Json };
    };

interface ChangeOf {
  readonly key: ResourceKey;
  readonly kind: Kind;
  readonly id: string;
  readonly name: string;
  /** Service id or username, for nested kinds. */
  readonly parentId?: string;
}

/** A resource that the gateway does not have and should. */
export interface Creation extends ChangeOf {
  readonly type: 'create';
  readonly desired: Resource;
}

/** A resource that both have and that differs. `fields` is never empty, unless the change only takes the resource over or is forced. */
export interface Update extends ChangeOf {
  readonly type: 'update';
  readonly desired: Resource;
  readonly current: Resource;
  readonly fields: readonly FieldChange[];
  /** Set where the current resource was outside the scope: why it was unmanaged so far. */
  readonly takesOver?: string;
}

/** A resource that the gateway has, that is in scope, and that should not be there. */
export interface Deletion extends ChangeOf {
  readonly type: 'delete';
  readonly current: Resource;
}

/** What a person sees of a diff: one resource created, updated or deleted. */
export type Change = Creation | Update | Deletion;

/** A resource that both sides have and whose body is not the same on both, as it is. */
export interface Pair {
  readonly current: Resource;
  readonly desired: Resource;
}

/** What there is to compare of a pair: the current side and the desired one. */
export interface Sides {
  readonly lhs: JsonObject;
  readonly rhs: JsonObject;
}

/**
 * Brings what differs in the bodies of a pair into a form in which equal meanings are equal values: defaults of the
 * gateway's own schemas filled in, shapes made canonical. What is equal as it is may be left as it is, or left out on both
 * sides. Pure.
 */
export type Normalise = (pair: Pair) => Sides;

/** Why each current resource that is outside the scope is left alone. */
export type Unmanaged = ReadonlyMap<ResourceKey, string>;

/** What a diff compares. */
export interface DiffInput {
  readonly desired: State;
  readonly current: State;
  readonly unmanaged: Unmanaged;
  readonly normalise?: Normalise;
}
