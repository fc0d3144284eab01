import pLimit from 'p-limit';
import type { Memory } from '../../memory/memory.js';
import { isJsonObject, type Json } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import { redactText, secretsIn } from '../../model/redaction.js';
import type { Resource, State } from '../../model/resource.js';
import type { Validation, ValidationIssue } from '../backend.js';
import { jsonOf, parseJson, refusal, textOf, type AdminClient, type AdminRequest } from '../shared/client.js';
import { asList, asText } from '../shared/values.js';
import { blame, candidatesOf, issueAbout, type Candidate } from './candidates.js';
import { findDuplicateCredentials, findMissingReferences } from './cross-checks.js';
import { detectFeatures, versionOf } from './features.js';
import { checkLocally, checkPlugins } from './local-checks.js';
import { project } from './project.js';
import type { Schemas } from './schemas.js';

/** What a validation may use. */
export interface ValidateOptions {
  readonly client: AdminClient;
  readonly schemas: Schemas;
  readonly memory: Memory;
  /** Requests in flight. */
  readonly concurrency: number;
}

/** A gateway takes request bodies up to 1.5 MiB; the rest is for the frame around the objects. */
const largestBody = 1_572_864 - 16_384;

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
      return validateDocuments(candidates, options);
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

async function validateDocuments(
  candidates: readonly Candidate[],
  { client, concurrency }: ValidateOptions,
): Promise<readonly ValidationIssue[]> {
  const limit = pLimit(concurrency);
  const found = await Promise.all(chunksOf(candidates).map((chunk) => limit(() => validateChunk(client, chunk))));
  return found.flat();
}

/** Candidates in groups that fit into one request body each. */
function chunksOf(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const chunks: Candidate[][] = [];
  let current: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    const size = Buffer.byteLength(JSON.stringify(candidate.value)) + 1;
    if (current.length > 0 && bytes + size > largestBody) {
      chunks.push(current);
      current = [];
      bytes = 0;
    }
    current.push(candidate);
    bytes += size;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}

async function validateChunk(client: AdminClient, chunk: readonly Candidate[]): Promise<readonly ValidationIssue[]> {
  const sections = new Map<string, Candidate[]>();
  for (const candidate of chunk) {
    const section = sections.get(candidate.section);
    if (section === undefined) sections.set(candidate.section, [candidate]);
    else section.push(candidate);
  }
  const document = Object.fromEntries([...sections].map(([name, list]) => [name, list.map(({ value }) => value)]));
  const request: AdminRequest = {
    method: 'POST',
    path: '/apisix/admin/configs/validate',
    body: JSON.stringify(document),
  };
  const response = await client.send(request);
  if (response.status >= 200 && response.status < 300) return [];
  const json = parseJson(textOf(response));
  const errors = isJsonObject(json) ? asList(json['errors']) : undefined;
  if (response.status === 400 && errors !== undefined) {
    const secrets = secretsOfRequest(request);
    return errors.map((error) => issueOf(error, sections, secrets));
  }
  const [only, ...others] = chunk;
  // Only a resource that is too large by itself is refused without a list of errors.
  if (response.status !== 400 || only === undefined || others.length > 0) throw refusal(client, request, response);
  const { failure } = refusal(client, request, response);
  return [issueAbout(only, failure.gatewayText ?? 'refused')];
}

function issueOf(
  error: Json,
  sections: ReadonlyMap<string, readonly Candidate[]>,
  secrets: ReadonlySet<string>,
): ValidationIssue {
  const { resource_type: type, index, resource_id: id, error: words } = isJsonObject(error) ? error : {};
  const collection = asText(type) ?? 'configuration';
  const message = redactText(asText(words) ?? JSON.stringify(error), secrets);
  const candidate = typeof index === 'number' ? sections.get(collection)?.[index] : undefined;
  if (candidate !== undefined) return issueAbout(candidate, message);
  const known = asText(id);
  return { collection, message, ...(known === undefined ? {} : { id: known }) };
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

function secretsOfRequest(request: AdminRequest): ReadonlySet<string> {
  const sent = parseJson(request.body ?? '');
  return sent === undefined ? new Set() : secretsIn(sent);
}
