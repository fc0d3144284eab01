import type { JsonObject } from '../../model/json.js';
import type { ObjectRef, Operation } from '../../model/operation.js';
import { credentialClaims, globalPluginClaims, claimsOfPlugins } from '../shared/claims.js';
import { objectPath, objectRef, type AdminObject, type Collection } from '../shared/collections.js';
import type { Features } from '../shared/features.js';
import { referencesOf } from '../shared/references.js';
import { servedBy } from '../shared/serves.js';
import { asList, asObject, asText } from '../shared/values.js';
import type { Draft, DraftWrite } from '../shared/draft.js';

interface Circumstances {
  readonly features: Features;
  readonly endpoint: string;
}

/** Every drafted write as an operation, with all that the plan orders it by. */
export function toOperations(draft: Draft, circumstances: Circumstances): readonly Operation[] {
  const deletes = deletesIn(draft);
  const credentials = storedCredentials(draft, deletes);
  const operations: Operation[] = [];
  for (const [ref, write] of draft.writes) {
    const operation = toOperation(ref, write, draft, circumstances, credentials, deletes.size > 0);
    const vacate = vacateOf(operation, write.stored);
    operations.push(vacate === undefined ? operation : { ...operation, vacate });
  }
  return operations;
}

/** The collections of what is deleted. */
function deletesIn(draft: Draft): ReadonlySet<Collection | undefined> {
  const collections = new Set<Collection | undefined>();
  for (const { object, stored } of draft.writes.values()) if (object === undefined) collections.add(stored?.collection);
  return collections;
}

/** Apart, so that what it holds is the value and nothing else. */
function bodyOf(value: JsonObject): () => string {
  return () => JSON.stringify(value);
}

function toOperation(
  ref: ObjectRef,
  { object, stored, changes }: DraftWrite,
  draft: Draft,
  { features, endpoint }: Circumstances,
  credentials: ReadonlyMap<string, readonly AdminObject[]>,
  deletes: boolean,
): Operation {
  const method = object === undefined ? 'DELETE' : 'PUT';
  const references = object === undefined ? nothing : neededBy(object, draft);
  const wanted = claimsOf(object, features);
  const held = stored === undefined ? nothing : claimsOf(stored, features);
  // A consumer takes its credentials with it.
  const below = method === 'DELETE' && stored?.collection === 'consumers' ? (credentials.get(stored.id) ?? []) : [];
  const heldBelow = below.flatMap((credential) => claimsOf(credential, features));
  return {
    id: `${method} ${ref}`,
    endpoint,
    method,
    path: objectPath(ref),
    body: object === undefined ? undefined : bodyOf(object.value),
    object: ref,
    references,
    releases: stored === undefined ? nothing : without(referencesOf(stored), references),
    claims: without(wanted, held),
    frees: without(heldBelow.length === 0 ? held : [...held, ...heldBelow], wanted),
    // Only a delete ever waits for others to serve.
    serves: deletes ? serves(object ?? stored, draft) : nothing,
    changes,
  };
}

const nothing: readonly string[] = [];

function without(words: readonly string[], others: readonly string[]): readonly string[] {
  return words.length === 0 || others.length === 0 ? words : words.filter((word) => !others.includes(word));
}

function claimsOf(object: AdminObject | undefined, features: Features): readonly string[] {
  switch (object?.collection) {
    case 'consumers':
    case 'credentials':
      return features.has('unique_credentials') ? credentialClaims(object) : nothing;
    case 'global_rules':
      return features.has('unique_global_plugins') ? globalPluginClaims(object) : nothing;
    default:
      return nothing;
  }
}

/**
 * What has to be there before an object is written: all it refers to. A consumer that is there already does not have to be
 * written before its credentials: it may want what one of them gives up.
 */
function neededBy(object: AdminObject, draft: Draft): readonly ObjectRef[] {
  const references = referencesOf(object);
  return object.collection === 'credentials'
    ? references.filter((reference) => draft.stored(reference) === undefined)
    : references;
}

function serves(object: AdminObject | undefined, draft: Draft): readonly string[] {
  if (object === undefined) return [];
  const service = asText(object.value['service_id']);
  const ref = service === undefined ? undefined : objectRef('services', service);
  const owner = ref === undefined ? undefined : (draft.final(ref) ?? draft.stored(ref));
  return servedBy(object, asList(owner?.value['hosts']));
}

/**
 * Gives up what an operation's object holds, for two that want each other's. A credential is deleted; a consumer is
 * written without the plugins in question, because deleting it would take all its credentials along. Undefined where the
 * operation does not both take and give up.
 */
function vacateOf(operation: Operation, stored: AdminObject | undefined): Operation | undefined {
  const { frees, claims, object } = operation;
  if (frees.length === 0 || claims.length === 0) return undefined;
  const common = { ...operation, id: `vacate ${object}`, references: [], releases: [], claims: [], serves: [] };
  if (stored?.collection === 'credentials') return { ...common, method: 'DELETE', body: undefined };
  if (stored?.collection !== 'consumers') return undefined;
  const { create_time: _created, update_time: _updated, ...value } = stored.value;
  const plugins = Object.entries(asObject(value['plugins']) ?? {}).filter(
    ([plugin, config]) => !claimsOfPlugins({ [plugin]: config }).some((claim) => frees.includes(claim)),
  );
  return { ...common, body: bodyOf({ ...value, plugins: Object.fromEntries(plugins) }) };
}

/** By consumer, what it authenticates with now. Looked up only where a consumer is deleted. */
function storedCredentials(
  draft: Draft,
  deletes: ReadonlySet<Collection | undefined>,
): ReadonlyMap<string, readonly AdminObject[]> {
  const byConsumer = new Map<string, AdminObject[]>();
  if (!deletes.has('consumers')) return byConsumer;
  for (const object of draft.storedObjects()) {
    if (object.collection !== 'credentials' || object.parent === undefined) continue;
    const known = byConsumer.get(object.parent);
    if (known === undefined) byConsumer.set(object.parent, [object]);
    else known.push(object);
  }
  return byConsumer;
}
