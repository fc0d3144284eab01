import pLimit from 'p-limit';
import type { ObjectRef } from '../../model/operation.js';
import type { ValidationIssue } from '../backend.js';
import { refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { credentialClaims } from '../shared/claims.js';
import { objectPath, objectRef } from '../shared/collections.js';
import { referencesOf } from '../shared/references.js';
import { issueAbout, type Candidate } from './candidates.js';

/**
 * References to what is neither in the configuration nor on the gateway. The gateway is asked only for what the
 * configuration does not hold: objects of kinds that it leaves unmanaged.
 */
export async function findMissingReferences(
  candidates: readonly Candidate[],
  { client, concurrency }: { readonly client: AdminClient; readonly concurrency: number },
): Promise<readonly ValidationIssue[]> {
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
  const limit = pLimit(concurrency);
  const found = await Promise.all(
    [...open].map(([ref, users]) =>
      limit(async () => {
        const request: AdminRequest = { method: 'GET', path: objectPath(ref) };
        const response = await client.send(request);
        if (response.status === 200) return [];
        if (response.status !== 404) throw refusal(client, request, response);
        const message = `refers to ${ref}, which is neither in the configuration nor on the gateway`;
        return users.map((user) => issueAbout(user, message));
      }),
    ),
  );
  return found.flat();
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
