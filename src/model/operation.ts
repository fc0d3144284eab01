import type { ResourceKey } from './resource.js';

/** A stored object of one gateway as the plan sees it: `services/abc`, `consumers/ann/credentials/c1`, `configs`. */
export type ObjectRef = string;

/** What goes over the wire: one request that writes or deletes one stored object. */
export interface Operation {
  /** Unique in its plan, such as `PUT services/abc`. */
  readonly id: string;
  /** The base URL of the endpoint it is sent to. References and claims hold within one endpoint. */
  readonly endpoint: string;
  readonly method: 'PUT' | 'DELETE';
  /** Below the endpoint's base URL, ids already encoded: `/apisix/admin/services/abc`. */
  readonly path: string;
  /** The serialised body; absent for DELETE. */
  readonly body?: string;
  /** The object that is written or deleted. */
  readonly object: ObjectRef;
  /** Objects the new content refers to: writes of these come first. */
  readonly references: readonly ObjectRef[];
  /** Objects the stored content refers to and the new content (or nothing, for DELETE) does not: their deletes come later. */
  readonly releases: readonly ObjectRef[];
  /** What may exist only once and that this operation takes, such as `key-auth/key/<hash>`. */
  readonly claims: readonly string[];
  /** What may exist only once and that this operation gives up. The operation that frees precedes the one that claims. */
  readonly frees: readonly string[];
  /** What traffic it answers (`uri/host` words): a create or update that serves something precedes the delete that stops serving it. */
  readonly serves: readonly string[];
  /** A DELETE of the same object, to be run first when the claims of several updates form a ring. Absent where none can. */
  readonly vacate?: Operation;
  /** The changes this operation carries. Several operations may carry one change, and one operation several. Empty for repairs. */
  readonly changes: readonly ResourceKey[];
}

/** Operations and, for each, those that must have succeeded before it starts. */
export interface Plan {
  readonly operations: readonly Operation[];
  /** By operation id, what it waits for: ids of operations, and names of {@link Plan.joins}. Acyclic. */
  readonly after: ReadonlyMap<string, readonly string[]>;
  /** By name, the operations a join stands for. Keeps the plan small where many operations wait for the same many. */
  readonly joins: ReadonlyMap<string, readonly string[]>;
}
