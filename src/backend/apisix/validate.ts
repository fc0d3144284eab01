import pLimit from 'p-limit';
import type { Memory } from '../../memory/memory.js';
import { GatewayError } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { State } from '../../model/resource.js';
import type { Validation, ValidationIssue } from '../backend.js';
import { jsonOf, refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { blame, candidatesOf, issueAbout, type Candidate } from '../shared/candidates.js';
import { collectionOf } from '../shared/collections.js';
import { findDuplicateCredentials } from '../shared/cross-checks.js';
import type { Features } from '../shared/features.js';
import { validateDocuments } from '../shared/validate-documents.js';
import { findMissingReferences } from './cross-checks.js';
import { detectFeatures, versionOf } from './features.js';
import { checkLocally, checkPlugins } from './local-checks.js';
import { project } from '../shared/project.js';
import type { Schemas } from './schemas.js';

/** What a validation may use. */
export interface ValidateOptions {
  readonly client: AdminClient;
  readonly schemas: Schemas;
  readonly memory: Memory;
  /** Requests in flight. */
  readonly concurrency: number;
}

/**
 * Asks the gateway about a desired state, as deep as it can look: the whole document where it has `configs/validate`,
 * each resource where it has `schema/validate`, else its own schemas, checked here. Adds what no gateway checks: missing
 * references and credentials that stand twice. Writes nothing.
 *
 * @throws GatewayError when the gateway cannot be asked
 */
export async function validate(options: ValidateOptions, desired: State): Promise<Validation> {
  const { client, memory } = options;
  const request: AdminRequest = { method: 'GET', path: '/apisix/admin/routes?page=1&page_size=10' };
  const response = await client.send(request);
  jsonOf(client, request, response);
  const features = await detectFeatures(client, versionOf(response), memory);
  const { state, notices, unsupported } = project(desired, { resources: new Map() }, features);
  const candidates = candidatesOf(state, features);
  const issues: ValidationIssue[] = [];
  for (const [key, message] of unsupported) {
    const resource = desired.resources.get(key);
    if (resource !== undefined) issues.push({ ...blame(resource), collection: collectionOf[resource.kind], message });
  }
  const found: Notice[] = [...notices];
  const checked = await checkSchemas(candidates, features, options, found);
  const missing = await findMissingReferences(candidates, options);
  return {
    depth: checked.depth,
    issues: [...issues, ...checked.issues, ...missing, ...findDuplicateCredentials(candidates)],
    notices: found,
  };
}

type Checked = Pick<Validation, 'depth' | 'issues'>;

/** Goes as deep as the gateway lets it; where it does not have what its version promises, one step less deep. */
async function checkSchemas(
  candidates: readonly Candidate[],
  features: Features,
  options: ValidateOptions,
  notices: Notice[],
): Promise<Checked> {
  const { client, schemas, concurrency } = options;
  if (features.has('configs_validate')) {
    try {
      return { depth: 'full', issues: await validateDocuments(candidates, client, concurrency) };
    } catch (error) {
      if (!(error instanceof GatewayError) || error.failure.status !== 404) throw error;
    }
  }
  const asked = features.has('schema_validate') ? await validateEach(candidates, options) : undefined;
  const local = await checkLocally(asked?.unchecked ?? candidates, schemas, notices);
  const said = [...(asked?.issues ?? []), ...local];
  return {
    depth: asked !== undefined && asked.unchecked.length < candidates.length ? 'per-resource' : 'local',
    issues: [...said, ...(await checkPlugins(candidates, schemas, said, notices))],
  };
}

interface Asked {
  readonly issues: readonly ValidationIssue[];
  /** What the gateway has no check for. */
  readonly unchecked: readonly Candidate[];
}

async function validateEach(
  candidates: readonly Candidate[],
  { client, concurrency }: ValidateOptions,
): Promise<Asked> {
  const limit = pLimit(concurrency);
  const unchecked: Candidate[] = [];
  const found = await Promise.all(
    candidates.map((candidate) =>
      limit(async () => {
        const issues = hasOwnSchema(candidate) ? await validateOne(client, candidate) : undefined;
        if (issues === undefined) unchecked.push(candidate);
        return issues ?? [];
      }),
    ),
  );
  return { issues: found.flat(), unchecked };
}

/** Metadata has no schema of its own: its plugin's is looked at with the plugins. */
function hasOwnSchema({ object }: Candidate): boolean {
  return object.collection !== 'plugin_metadata';
}

/** Undefined where the gateway does not check objects of this kind. */
async function validateOne(client: AdminClient, candidate: Candidate): Promise<readonly ValidationIssue[] | undefined> {
  const { object } = candidate;
  const value = object.collection === 'consumers' ? object.value : { ...object.value, id: object.id };
  const request: AdminRequest = {
    method: 'POST',
    path: `/apisix/admin/schema/validate/${object.collection}`,
    body: JSON.stringify(value),
  };
  const response = await client.send(request);
  if (response.status >= 200 && response.status < 300) return [];
  if (response.status === 404) return undefined;
  const failure = refusal(client, request, response);
  if (response.status !== 400) throw failure;
  return [issueAbout(candidate, failure.failure.gatewayText ?? 'refused')];
}
