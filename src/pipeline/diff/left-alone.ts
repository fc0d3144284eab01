import type { Unmanaged } from '../../model/change.js';
import type { Notice } from '../../model/notice.js';
import type { ResourceKey, State } from '../../model/resource.js';
import { leaveInUse } from './in-use.js';
import { scopeOf, type Scope } from './scope.js';

/** What of a gateway's state a job leaves alone: what is out of its scope, and what cannot go because that uses it. */
export function leftAlone(state: State, desired: State, scope: Scope): Unmanaged {
  const isInScope = (key: ResourceKey): boolean => {
    const id = key.slice(key.indexOf('/') + 1);
    const service = desired.resources.get(key) ?? { kind: 'service', key, id, name: id, body: {} };
    return scopeOf({ resources: new Map([[key, service]]) }, scope).size === 0;
  };
  return leaveInUse(state, desired, scopeOf(state, scope, desired), isInScope);
}

/** Tells whether a notice about what is outside a configuration's reach holds in this job, which may take it over. */
export function noticeHolds(
  { key, onTakeOver, omits }: Notice,
  current: State,
  isLeftAlone: (key: ResourceKey) => boolean,
): boolean {
  if (key === undefined || current.outside?.has(key) !== true) return true;
  return onTakeOver === true ? !isLeftAlone(key) : omits === undefined || isLeftAlone(key);
}
