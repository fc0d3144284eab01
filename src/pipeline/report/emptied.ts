import type { Change, Unmanaged } from '../../model/change.js';
import { kinds, type Kind } from '../../model/kinds.js';
import type { State } from '../../model/resource.js';

/** A collection of which nothing in scope is left. */
export interface EmptiedCollection {
  readonly kind: Kind;
  /** How many are deleted: all there are in scope. */
  readonly deleted: number;
}

/** What people call several of a kind. */
const plurals: Readonly<Record<Kind, string>> = {
  service: 'services',
  upstream: 'upstreams',
  route: 'routes',
  stream_route: 'stream routes',
  ssl: 'SSLs',
  consumer: 'consumers',
  consumer_credential: 'consumer credentials',
  consumer_group: 'consumer groups',
  plugin_config: 'plugin configs',
  global_rule: 'global rules',
  plugin_metadata: 'plugin metadata',
};

/**
 * Finds the top-level collections that a diff empties: something of the kind is in scope, all of it is deleted and none
 * of the kind is desired. A plan says so in words of its own, because it is what an empty list in a file does.
 */
export function findEmptied(
  changes: readonly Change[],
  desired: State,
  current: State,
  unmanaged: Unmanaged,
): readonly EmptiedCollection[] {
  const deleted = new Map<Kind, number>();
  for (const change of changes) {
    if (change.type === 'delete' && change.current.parent === undefined) {
      deleted.set(change.kind, (deleted.get(change.kind) ?? 0) + 1);
    }
  }
  if (deleted.size === 0) return [];
  const wanted = new Set<Kind>();
  for (const resource of desired.resources.values()) if (resource.parent === undefined) wanted.add(resource.kind);
  const inScope = new Map<Kind, number>();
  for (const [key, { kind, parent }] of current.resources) {
    if (parent === undefined && !unmanaged.has(key)) inScope.set(kind, (inScope.get(kind) ?? 0) + 1);
  }
  return kinds.flatMap((kind) => {
    const count = deleted.get(kind);
    return count === undefined || wanted.has(kind) || inScope.get(kind) !== count ? [] : [{ kind, deleted: count }];
  });
}

/** The words for it: `all 12 services will be deleted`. */
export function emptiedText({ kind, deleted }: EmptiedCollection): string {
  return deleted === 1
    ? `the only ${kind.replace('_', ' ')} will be deleted`
    : `all ${deleted} ${plurals[kind]} will be deleted`;
}
