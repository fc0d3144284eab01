import type { ObjectRef, Operation } from '../../model/operation.js';
import { credentialClaims, globalPluginClaims, claimsOfPlugins } from '../shared/claims.js';
import { objectPath, objectRef, type AdminObject } from '../shared/collections.js';
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
  const credentials = storedCredentials(draft);
  return [...draft.writes].map(([ref, write]) => toOperation(ref, write, draft, circumstances, credentials));
}

function toOperation(
  ref: ObjectRef,
  write: DraftWrite,
  draft: Draft,
  { features, endpoint }: Circumstances,
  credentials: ReadonlyMap<string, readonly AdminObject[]>,
): Operation {
  const { object, stored, changes } = write;
  const method = object === undefined ? 'DELETE' : 'PUT';
  const references = object === undefined ? [] : referencesOf(object).filter((other) => isNeeded(other, object, draft));
  const released = stored === undefined ? [] : referencesOf(stored);
  const claimsOf = (one: AdminObject | undefined): readonly string[] =>
    one === undefined
      ? []
      : [
          ...(features.has('unique_credentials') ? credentialClaims(one) : []),
          ...(features.has('unique_global_plugins') ? globalPluginClaims(one) : []),
        ];
  const wanted = claimsOf(object);
  const held = claimsOf(stored);
  // A consumer takes its credentials with it.
  const heldBelow =
    method === 'DELETE' && stored?.collection === 'consumers'
      ? (credentials.get(stored.id) ?? []).flatMap(claimsOf)
      : [];
  const frees = [...held, ...heldBelow].filter((claim) => !wanted.includes(claim));
  const claims = wanted.filter((claim) => !held.includes(claim));
  const operation: Operation = {
    id: `${method} ${ref}`,
    endpoint,
    method,
    path: objectPath(ref),
    ...(object === undefined ? {} : { body: JSON.stringify(object.value) }),
    object: ref,
    references,
    releases: released.filter((other) => !references.includes(other)),
    claims,
    frees,
    serves: serves(object ?? stored, draft),
    changes: [...changes],
  };
  const vacate = frees.length > 0 && claims.length > 0 ? vacateOf(operation, stored, frees) : undefined;
  return vacate === undefined ? operation : { ...operation, vacate };
}

/**
 * A consumer that is there already does not have to be written before its credentials: it may want what one of them
 * gives up.
 */
function isNeeded(reference: ObjectRef, { collection }: AdminObject, draft: Draft): boolean {
  return collection !== 'credentials' || draft.stored(reference) === undefined;
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
 * written without the plugins in question, because deleting it would take all its credentials along.
 */
function vacateOf(
  operation: Operation,
  stored: AdminObject | undefined,
  frees: readonly string[],
): Operation | undefined {
  const common = { ...operation, references: [], releases: [], claims: [], frees, serves: [] };
  if (stored?.collection === 'credentials') {
    const { body: _body, ...rest } = common;
    return { ...rest, id: `vacate ${operation.object}`, method: 'DELETE' };
  }
  if (stored?.collection !== 'consumers') return undefined;
  const { create_time: _created, update_time: _updated, ...value } = stored.value;
  const plugins = Object.entries(asObject(value['plugins']) ?? {}).filter(
    ([plugin, config]) => !claimsOfPlugins({ [plugin]: config }).some((claim) => frees.includes(claim)),
  );
  const body = JSON.stringify({ ...value, plugins: Object.fromEntries(plugins) });
  return { ...common, id: `vacate ${operation.object}`, body };
}

function storedCredentials(draft: Draft): ReadonlyMap<string, readonly AdminObject[]> {
  const byConsumer = new Map<string, AdminObject[]>();
  const deletesConsumer = [...draft.writes.values()].some(
    ({ object, stored }) => object === undefined && stored?.collection === 'consumers',
  );
  if (!deletesConsumer) return byConsumer;
  for (const object of draft.storedObjects()) {
    if (object.collection !== 'credentials' || object.parent === undefined) continue;
    const known = byConsumer.get(object.parent);
    if (known === undefined) byConsumer.set(object.parent, [object]);
    else known.push(object);
  }
  return byConsumer;
}
