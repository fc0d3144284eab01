import type { ObjectRef } from '../../model/operation.js';
import { referencesIn } from '../../model/references.js';
import { collectionOf, kindOf, objectRef, type AdminObject } from './collections.js';

/** The objects a stored object refers to: its fields (see {@link referencesIn}), and the consumer of a credential. */
export function referencesOf({ collection, parent, value }: AdminObject): readonly ObjectRef[] {
  const found: ObjectRef[] = [];
  if (collection === 'credentials') found.push(objectRef('consumers', parent ?? ''));
  for (const { kind, id } of referencesIn(kindOf[collection], value)) {
    const ref = objectRef(collectionOf[kind], id);
    if (!found.includes(ref)) found.push(ref);
  }
  return found;
}
