import { AdcError } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { State } from '../../model/resource.js';
import type { Validation, ValidationIssue } from '../backend.js';
import { blame, candidatesOf, type Candidate } from '../shared/candidates.js';
import type { AdminClient } from '../shared/client.js';
import { findDuplicateCredentials, missingReference, openReferences } from '../shared/cross-checks.js';
import { project } from '../shared/project.js';
import { validateDocuments } from '../shared/validate-documents.js';
import type { GroupReading, KnownInstance } from './read.js';

/**
 * Asks one instance of each gateway version about a desired state. Before 3.15 there is nothing to ask: then only what no
 * gateway checks is checked, missing references and credentials that stand twice.
 *
 * @throws GatewayError when an instance does not answer
 */
export async function validateGroup(group: GroupReading, desired: State, concurrency: number): Promise<Validation> {
  const { newest, answered } = group;
  const { inventory } = newest.known;
  const { state, notices, unsupported } = project(desired, inventory.state, inventory.features);
  const candidates = candidatesOf(state, inventory.features);
  const verdicts = await Promise.all(oneOfEach(answered).map((one) => ask(one, candidates, concurrency)));
  const issues = new Map<string, ValidationIssue>();
  const add = (issue: ValidationIssue): void => {
    issues.set(JSON.stringify([issue.collection, issue.key ?? issue.id ?? issue.index ?? '', issue.message]), issue);
  };
  for (const [key, message] of unsupported) {
    const resource = desired.resources.get(key);
    if (resource !== undefined) add({ ...blame(resource), collection: `${resource.kind}s`, message });
  }
  for (const verdict of verdicts) for (const issue of verdict ?? []) add(issue);
  for (const [ref, users] of openReferences(candidates)) {
    if (!inventory.objects.has(ref)) for (const issue of missingReference(ref, users)) add(issue);
  }
  for (const issue of findDuplicateCredentials(candidates)) add(issue);
  const isFull = verdicts.every((verdict) => verdict !== undefined);
  const shallow: Notice = {
    level: 'warning',
    message:
      'a standalone gateway before 3.15 checks nothing in advance: only references and duplicates were looked at',
  };
  return {
    depth: isFull ? 'full' : 'local',
    issues: [...issues.values()],
    notices: isFull ? notices : [...notices, shallow],
  };
}

function oneOfEach(answered: readonly KnownInstance[]): readonly KnownInstance[] {
  const byVersion = new Map(answered.map((instance) => [instance.known.version ?? '', instance]));
  return [...byVersion.values()];
}

/** What an instance finds wrong; undefined where it has no way to tell. */
async function ask(
  { client }: { readonly client: AdminClient },
  candidates: readonly Candidate[],
  concurrency: number,
): Promise<readonly ValidationIssue[] | undefined> {
  try {
    return await validateDocuments(candidates, client, concurrency);
  } catch (error) {
    if (error instanceof AdcError && error.code === 'not_admin_api') return undefined;
    throw error;
  }
}
