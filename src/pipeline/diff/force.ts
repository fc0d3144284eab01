import type { Change } from '../../model/change.js';
import type { State } from '../../model/resource.js';
import { update } from './diff.js';
import { compareChanges } from './order.js';

/**
 * Adds an update without fields for every desired SSL that both sides have and that does not differ. A gateway never
 * returns private keys, so a key that alone was replaced cannot be seen; sending the SSL again is the only way.
 */
export function resendSsls(changes: readonly Change[], desired: State, current: State): readonly Change[] {
  const changed = new Set(changes.filter((change) => change.kind === 'ssl').map((change) => change.key));
  const forced: Change[] = [];
  for (const [key, wanted] of desired.resources) {
    const stored = wanted.kind === 'ssl' && !changed.has(key) ? current.resources.get(key) : undefined;
    if (stored !== undefined) forced.push(update(stored, wanted, []));
  }
  return forced.length === 0 ? changes : [...changes, ...forced].sort(compareChanges);
}
