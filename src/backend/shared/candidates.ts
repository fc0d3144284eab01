import type { JsonObject } from '../../model/json.js';
import type { Resource, State } from '../../model/resource.js';
import type { ValidationIssue } from '../backend.js';
import type { AdminObject } from './collections.js';
import type { Features } from './features.js';
import { toAdmin } from './to-admin.js';
import { isUpstreamInside } from './upstream-roles.js';

/** One object as it is sent to be checked, and the resource it comes from. */
export interface Candidate {
  readonly resource: Resource;
  readonly object: AdminObject;
  /** The Admin API's word for where it stands in a validated document: credentials stand among consumers. */
  readonly section: string;
  /** Its place in the section. */
  readonly index: number;
  /** The value with its id, as a document holds it. */
  readonly value: JsonObject;
}

/** Every object of a desired state, with its place in the document it would be validated in. */
export function candidatesOf(state: State, features: Features): readonly Candidate[] {
  const counts = new Map<string, number>();
  const candidates: Candidate[] = [];
  for (const resource of state.resources.values()) {
    const upstreamInside = isUpstreamInside(resource, state);
    for (const object of toAdmin(resource, features, upstreamInside)) {
      const section = object.collection === 'credentials' ? 'consumers' : object.collection;
      const index = counts.get(section) ?? 0;
      counts.set(section, index + 1);
      candidates.push({ resource, object, section, index, value: documentValue(object) });
    }
  }
  return candidates;
}

/** A consumer's id is its username; a credential stands among consumers, under both ids. */
function documentValue({ collection, id, parent, value }: AdminObject): JsonObject {
  if (collection === 'consumers') return value;
  return { ...value, id: collection === 'credentials' ? `${parent ?? ''}/credentials/${id}` : id };
}

/** The fields of an issue that say which resource it is about. */
export function blame(resource: Resource): Pick<ValidationIssue, 'key' | 'kind' | 'id' | 'name'> {
  const { key, kind, id, name } = resource;
  return { key, kind, id, name };
}

/** An issue about one candidate. */
export function issueAbout({ resource, section, index }: Candidate, message: string): ValidationIssue {
  return { ...blame(resource), collection: section, index, message };
}
