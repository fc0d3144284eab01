import pLimit from 'p-limit';
import type { ValidationIssue } from '../backend.js';
import type { Candidate } from '../shared/candidates.js';
import { refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { objectPath } from '../shared/collections.js';
import { missingReference, openReferences } from '../shared/cross-checks.js';

/**
 * References to what is neither in the configuration nor on the gateway. The gateway is asked only for what the
 * configuration does not hold: objects of kinds that it leaves unmanaged.
 */
export async function findMissingReferences(
  candidates: readonly Candidate[],
  { client, concurrency }: { readonly client: AdminClient; readonly concurrency: number },
): Promise<readonly ValidationIssue[]> {
  const limit = pLimit(concurrency);
  const found = await Promise.all(
    [...openReferences(candidates)].map(([ref, users]) =>
      limit(async () => {
        const request: AdminRequest = { method: 'GET', path: objectPath(ref) };
        const response = await client.send(request);
        if (response.status === 200) return [];
        if (response.status !== 404) throw refusal(client, request, response);
        return missingReference(ref, users);
      }),
    ),
  );
  return found.flat();
}
