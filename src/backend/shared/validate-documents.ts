import pLimit from 'p-limit';
import { isJsonObject, type Json } from '../../model/json.js';
import { redactText, secretsIn } from '../../model/redaction.js';
import type { ValidationIssue } from '../backend.js';
import { issueAbout, type Candidate } from './candidates.js';
import { parseJson, refusal, textOf, type AdminClient, type AdminRequest } from './client.js';
import { asList, asText } from './values.js';

/** A gateway takes request bodies up to 1.5 MiB; the rest is for the frame around the objects. */
const largestBody = 1_572_864 - 16_384;

/**
 * Asks a gateway's `configs/validate` about objects, in as many requests as they need.
 *
 * @param concurrency requests in flight
 * @throws GatewayError when the gateway does not answer, or answers anything but a verdict
 */
export async function validateDocuments(
  candidates: readonly Candidate[],
  client: AdminClient,
  concurrency: number,
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

function secretsOfRequest(request: AdminRequest): ReadonlySet<string> {
  const sent = parseJson(request.body ?? '');
  return sent === undefined ? new Set() : secretsIn(sent);
}
