import type { Operation } from '../../model/operation.js';
import { draftChanges } from '../shared/draft-changes.js';
import type { DraftInput } from '../shared/draft.js';
import { toOperations } from './operations.js';

/** What lowering needs to know. */
export interface LowerInput extends DraftInput {
  /** The endpoint's base URL. */
  readonly endpoint: string;
}

/** Turns changes into requests. Pure. */
export function lower(input: LowerInput): readonly Operation[] {
  return toOperations(draftChanges(input), { features: input.features, endpoint: input.endpoint });
}
