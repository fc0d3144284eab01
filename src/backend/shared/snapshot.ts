import type { ObjectRef } from '../../model/operation.js';
import type { State } from '../../model/resource.js';
import type { Notice } from '../../model/notice.js';
import type { AdminObject } from './collections.js';

/** What one read found: the state, and the stored objects behind it. Never looked up again in its job. */
export interface Snapshot {
  readonly state: State;
  readonly notices: readonly Notice[];
  readonly objects: ReadonlyMap<ObjectRef, AdminObject>;
}
