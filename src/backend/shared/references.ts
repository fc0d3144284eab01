import type { ObjectRef } from '../../model/operation.js';
import { referencesIn } from '../../model/references.js';
import { collectionOf, kindOf, objectRef, type AdminObject } from './collections.js';

/** The objects a stored object refers to: its fields (see {@link referencesIn}), and the consumer of a credential. */
export function referencesOf({ collection, parent, value }: AdminObject): readonly ObjectRef[] {
  const found = new Set<ObjectRef>();
  if (collection === 'credentials') found.add(objectRef('consumers', parent ?? ''));
  for (const { kind, id } of referencesIn(kindOf[collection], value)) found.add(objectRef(collectionOf[kind], id));
  return [...found];
}
