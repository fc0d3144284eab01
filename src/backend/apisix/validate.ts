import pLimit from 'p-limit';
import type { Memory } from '../../memory/memory.js';
import type { Notice } from '../../model/notice.js';
import type { Resource, State } from '../../model/resource.js';
import type { Validation, ValidationIssue } from '../backend.js';
import { jsonOf, refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { blame, candidatesOf, issueAbout, type Candidate } from '../shared/candidates.js';
import { findDuplicateCredentials } from '../shared/cross-checks.js';
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
    if (resource !== undefined) issues.push({ ...blame(resource), collection: sectionOf(resource), message });
  }
  const depth = features.has('configs_validate') ? 'full' : features.has('schema_validate') ? 'per-resource' : 'local';
  const found: Notice[] = [...notices];
  const checked = await checkSchemas(depth, candidates, options, found);
  const missing = await findMissingReferences(candidates, options);
  return {
    depth,
    issues: [...issues, ...checked, ...missing, ...findDuplicateCredentials(candidates)],
    notices: found,
  };
}

async function checkSchemas(
  depth: Validation['depth'],
  candidates: readonly Candidate[],
  options: ValidateOptions,
  notices: Notice[],
): Promise<readonly ValidationIssue[]> {
  switch (depth) {
    case 'full':
      return validateDocuments(candidates, options.client, options.concurrency);
    case 'per-resource': {
      const said = await validateEach(candidates, options);
      return [...said, ...(await checkPlugins(candidates, options.schemas, said, notices))];
    }
    case 'local':
    default: {
      const said = await checkLocally(candidates, options.schemas, notices);
      return [...said, ...(await checkPlugins(candidates, options.schemas, said, notices))];
    }
  }
}

function sectionOf(resource: Resource): string {
  return resource.kind === 'consumer_credential' ? 'consumers' : `${resource.kind}s`;
}

async function validateEach(
  candidates: readonly Candidate[],
  { client, concurrency }: ValidateOptions,
): Promise<readonly ValidationIssue[]> {
  const limit = pLimit(concurrency);
  const found = await Promise.all(
    // Metadata has no schema of its own: its plugin's is looked at with the plugins.
    candidates
      .filter(({ object }) => object.collection !== 'plugin_metadata')
      .map((candidate) => limit(() => validateOne(client, candidate))),
  );
  return found.flat();
}

async function validateOne(client: AdminClient, candidate: Candidate): Promise<readonly ValidationIssue[]> {
  const { object } = candidate;
  const value = object.collection === 'consumers' ? object.value : { ...object.value, id: object.id };
  const request: AdminRequest = {
    method: 'POST',
    path: `/apisix/admin/schema/validate/${object.collection}`,
    body: JSON.stringify(value),
  };
  const response = await client.send(request);
  if (response.status >= 200 && response.status < 300) return [];
  const failure = refusal(client, request, response);
  if (response.status !== 400) throw failure;
  return [issueAbout(candidate, failure.failure.gatewayText ?? 'refused')];
}
