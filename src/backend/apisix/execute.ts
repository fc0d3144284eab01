import { GatewayError } from '../../model/errors.js';
import type { ObjectRef, Operation } from '../../model/operation.js';
import type { Executed } from '../backend.js';
import { refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { credentialClaims, globalPluginClaims } from '../shared/claims.js';
import { objectRef, type AdminObject, type Collection } from '../shared/collections.js';
import { createDates } from '../shared/dates.js';
import { referencesOf } from '../shared/references.js';

/**
 * Sends one operation. A DELETE that finds nothing succeeded: what should be gone is gone.
 *
 * @param toDate as {@link createDates} makes it
 * @throws GatewayError when the gateway refused or did not answer
 */
export async function execute(
  client: AdminClient,
  operation: Operation,
  signal?: AbortSignal,
  toDate: (header: string | undefined) => Date = createDates(),
): Promise<Executed> {
  const request: AdminRequest = {
    method: operation.method,
    path: operation.path,
    ...(operation.body === undefined ? {} : { body: operation.body() }),
    ...(signal === undefined ? {} : { signal }),
  };
  const response = await client.send(request);
  const { status } = response;
  const wasGone = operation.method === 'DELETE' && status === 404 && isKeyNotFound(response.body);
  if (!wasGone && (status < 200 || status > 299)) throw refusal(client, request, response);
  return {
    at: toDate(response.header('date')),
    status,
    // Where an earlier attempt of this request may have arrived, nothing left to delete is its own work.
    written: !wasGone || response.ambiguous,
  };
}

/** A 404 of a proxy, or of a path that does not exist, says something else. */
function isKeyNotFound(body: Uint8Array): boolean {
  return new TextDecoder().decode(body).includes('Key not found');
}

/** How refusals call the collections of what is still in use. */
const collectionWords: Readonly<Record<string, Collection>> = {
  route: 'routes',
  'stream route': 'stream_routes',
  service: 'services',
  upstream: 'upstreams',
  ssl: 'ssls',
  consumer: 'consumers',
  'consumer group': 'consumer_groups',
  'plugin config': 'plugin_configs',
  'global rule': 'global_rules',
};

const stillUsed = /^can not delete this .*?, ?(?:plugin in )?([a-z_ ]+) \[([^\]]+)\] is still using it now/;
const duplicateOfCredential = /^duplicate key of plugin \S+ found with credential: (\S+) of consumer: (\S+)/;
const duplicateOfConsumer = /^duplicate key of plugin \S+ found with consumer: (\S+)/;
const duplicateInRules = /^plugin '[^']+' already exists in global rule with id '([^']+)'/;

/**
 * The object that a refusal names, for the refusals that a gateway makes from a memory that trails its store: something
 * still in use, a key or a global plugin that already exists. Undefined for any other failure: references are checked in
 * the store itself, so a missing one is missing.
 *
 * @param deleted what this job has deleted; a consumer takes its credentials along, so a clash with one of them is a
 *   clash with the consumer
 */
export function lagRefusal(error: unknown, deleted: ReadonlySet<ObjectRef>): ObjectRef | undefined {
  if (!(error instanceof GatewayError) || error.failure.status !== 400) return undefined;
  const words = error.failure.gatewayText ?? '';
  const used = stillUsed.exec(words);
  if (used !== null) {
    const collection = collectionWords[used[1]?.trim().replaceAll('_', ' ') ?? ''];
    return collection === undefined ? undefined : objectRef(collection, used[2] ?? '');
  }
  const [, credential, owner] = duplicateOfCredential.exec(words) ?? [];
  if (credential !== undefined && owner !== undefined) {
    const consumer = objectRef('consumers', owner);
    return deleted.has(consumer) ? consumer : objectRef('credentials', credential, owner);
  }
  const consumer = duplicateOfConsumer.exec(words)?.[1];
  if (consumer !== undefined) return objectRef('consumers', consumer);
  const rule = duplicateInRules.exec(words)?.[1];
  return rule === undefined ? undefined : objectRef('global_rules', rule);
}

/** Tells whether a stored object uses what an operation deletes, or holds what it claims. */
export function isInTheWay(stored: AdminObject | undefined, { object, claims }: Operation): boolean {
  if (stored === undefined) return false;
  const held = [...credentialClaims(stored), ...globalPluginClaims(stored)];
  return referencesOf(stored).includes(object) || held.some((claim) => claims.includes(claim));
}
