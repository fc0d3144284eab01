import type { ObjectRef } from '../../model/operation.js';
import type { ValidationIssue } from '../backend.js';
import { issueAbout, type Candidate } from './candidates.js';
import { credentialClaims } from './claims.js';
import { objectRef } from './collections.js';
import { referencesOf } from './references.js';

/** References to what is not in the configuration itself, and who has them. */
export function openReferences(candidates: readonly Candidate[]): ReadonlyMap<ObjectRef, readonly Candidate[]> {
  const held = new Set(candidates.map(({ object }) => objectRef(object.collection, object.id, object.parent)));
  const open = new Map<ObjectRef, Candidate[]>();
  for (const candidate of candidates) {
    for (const ref of referencesOf(candidate.object)) {
      if (held.has(ref)) continue;
      const users = open.get(ref);
      if (users === undefined) open.set(ref, [candidate]);
      else users.push(candidate);
    }
  }
  return open;
}

/** What is said of everyone who refers to what is nowhere. */
export function missingReference(ref: ObjectRef, users: readonly Candidate[]): readonly ValidationIssue[] {
  const message = `refers to ${ref}, which is neither in the configuration nor on the gateway`;
  return users.map((user) => issueAbout(user, message));
}

/** What two consumers or credentials authenticate with alike: a gateway could not tell them apart. */
export function findDuplicateCredentials(candidates: readonly Candidate[]): readonly ValidationIssue[] {
  const holders = new Map<string, Candidate>();
  const issues: ValidationIssue[] = [];
  for (const candidate of candidates) {
    for (const claim of credentialClaims(candidate.object)) {
      const first = holders.get(claim);
      if (first === undefined) {
        holders.set(claim, candidate);
        continue;
      }
      const [plugin, field] = claim.split('/');
      const { collection, id, parent } = first.object;
      const other =
        collection === 'consumers'
          ? `consumer "${id}"`
          : `credential "${first.resource.name}" of consumer "${parent ?? ''}"`;
      issues.push(
        issueAbout(candidate, `duplicate ${field ?? 'key'} of plugin ${plugin ?? ''}: ${other} has the same`),
      );
    }
  }
  return issues;
}
