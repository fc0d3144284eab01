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
  /** Serialises the body, when it is sent: the bodies of a large plan are never there all at once. Absent for DELETE. */
  readonly body?: (() => string) | undefined;
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
  /**
   * What traffic it answers (`uri/host` words): a create or update that serves something precedes the delete that stops serving
   * it. May be left out where nothing is deleted.
   */
  readonly serves: readonly string[];
  /** A DELETE of the same object, to be run first when the claims of several updates form a ring. Absent where none can. */
  readonly vacate?: Operation;
  /** The changes this operation carries. Several operations may carry one change, and one operation several. Empty for repairs. */
  readonly changes: readonly ResourceKey[];
}

/** Operations in an order in which they could be carried out one by one, and what really has to wait for what. */
export interface Plan {
  readonly operations: readonly Operation[];
  readonly order: Precedence;
}

/**
 * Who waits for whom: an acyclic graph. Its nodes are numbers: the operations of a plan by their place, then joins. A join
 * is nothing that is sent; it stands for all that lead to it, and keeps the graph small where many wait for the same many.
 */
export interface Precedence {
  /** How many nodes there are. */
  readonly size: number;
  /** By node, where in `dependents` those begin that wait for it. One more than there are nodes: the last is the end. */
  readonly starts: Int32Array;
  /** Nodes that must not start before the node they stand at has succeeded. One may stand there more than once. */
  readonly dependents: Int32Array;
}
