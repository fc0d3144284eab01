import { GatewayError } from '../../model/errors.js';
import type { ObjectRef } from '../../model/operation.js';
import { resourceKey, type Resource, type ResourceKey } from '../../model/resource.js';
import type { Candidate } from '../shared/candidates.js';
import type { AdminClient } from '../shared/client.js';
import { kindOf, objectRef, type Collection } from '../shared/collections.js';
import { validateDocuments } from '../shared/validate-documents.js';
import { asText } from '../shared/values.js';
import { isJsonObject, type JsonObject } from '../../model/json.js';
import { idOf, isManaged, withoutIndex, type Document } from './document.js';
import { refAt, type Inventory } from './inventory.js';
import type { Rebased } from './rebase.js';

/** An object that an instance refuses, and its words. */
interface Refused {
  readonly ref: ObjectRef;
  readonly message: string;
}

/** Whose fault a refusal is. */
export interface Blame {
  /** Changes that can be left out, and what the instance says of each. */
  readonly changes: ReadonlyMap<ResourceKey, string>;
  /** Resources that nobody changed and that the instance refuses all the same. */
  readonly others: ReadonlyMap<ResourceKey, string>;
}

/**
 * Finds out which resources an instance refused a document for: by asking `configs/validate` where there is one (3.15),
 * else from the refusal itself, which tells the first.
 *
 * @returns empty where it cannot be told
 */
export async function blameRefusal(
  client: AdminClient,
  refusal: GatewayError,
  rebased: Rebased,
  before: Inventory,
  signal?: AbortSignal,
): Promise<Blame> {
  const { document, written } = rebased;
  const told = refusedInWords(refusal.failure.gatewayText ?? '', document);
  const refused = told ?? (await refusedByValidation(client, document, new Set(written.keys()), signal));
  const changes = new Map<ResourceKey, string>();
  const others = new Map<ResourceKey, string>();
  for (const { ref, message } of refused) {
    const keys = written.get(ref) ?? [];
    const named = ref.startsWith('global_rules/') ? pluginsNamed(keys, message) : keys;
    for (const key of named) changes.set(key, message);
    const other = keys.length === 0 ? ownerOf(ref, before) : undefined;
    if (other !== undefined) others.set(other, message);
  }
  return { changes, others };
}

/** How 3.13 and 3.14 name what they refuse; every version names an id that stands twice this way. */
function refusedInWords(words: string, document: Document): readonly Refused[] | undefined {
  const [, section, index, message] = /^invalid (\w+) at index (\d+), err: ([\s\S]*)$/.exec(words) ?? [];
  if (section !== undefined && message !== undefined) {
    const id = idOf(document.sections.get(section)?.items[Number(index)] ?? null);
    return id === undefined ? undefined : [{ ref: refAt(section, id), message }];
  }
  const [, twice, among] = /^found duplicate id (\S+) in (\w+)$/.exec(words) ?? [];
  return twice === undefined || among === undefined ? undefined : [{ ref: refAt(among, twice), message: words }];
}

/** Asks about what is new first: it is almost always that, and it is little. */
async function refusedByValidation(
  client: AdminClient,
  document: Document,
  written: ReadonlySet<ObjectRef>,
  signal: AbortSignal | undefined,
): Promise<readonly Refused[]> {
  for (const part of [(ref: ObjectRef) => written.has(ref), () => true]) {
    const { candidates, refs } = candidatesOf(document, part);
    if (candidates.length === 0) continue;
    try {
      const cancellable: AdminClient =
        signal === undefined ? client : { ...client, send: (request) => client.send({ signal, ...request }) };
      const issues = await validateDocuments(candidates, cancellable, 2);
      const refused = issues.flatMap(({ collection, index, message }): Refused[] => {
        const ref = refs.get(`${collection} ${index ?? ''}`);
        return ref === undefined ? [] : [{ ref, message }];
      });
      if (refused.length > 0) return refused;
    } catch (error) {
      // A gateway without `configs/validate` tells no more than its refusal did; that one is what counts.
      if (error instanceof GatewayError) return [];
      throw error;
    }
  }
  return [];
}

function candidatesOf(
  document: Document,
  isAsked: (ref: ObjectRef) => boolean,
): { readonly candidates: readonly Candidate[]; readonly refs: ReadonlyMap<string, ObjectRef> } {
  const candidates: Candidate[] = [];
  const refs = new Map<string, ObjectRef>();
  for (const [section, { items }] of document.sections) {
    if (!isManaged(section)) continue;
    let index = 0;
    for (const item of items) {
      const id = idOf(item);
      if (id === undefined || !isJsonObject(item)) continue;
      const ref = refAt(section, id);
      if (!isAsked(ref)) continue;
      candidates.push(candidate(section, id, index, withoutIndex(item)));
      refs.set(`${section} ${index}`, ref);
      index += 1;
    }
  }
  return { candidates, refs };
}

function candidate(section: Collection, id: string, index: number, value: JsonObject): Candidate {
  const kind = kindOf[section];
  const resource: Resource = { kind, key: resourceKey(kind, id), id, name: id, body: {} };
  return { resource, object: { collection: section, id, value }, section, index, value };
}

/** Several plugins may share one stored rule: those the words name, all where they name none. */
function pluginsNamed(keys: readonly ResourceKey[], message: string): readonly ResourceKey[] {
  const named = keys.filter((key) => message.includes(key.slice(key.indexOf('/') + 1)));
  return named.length > 0 ? named : keys;
}

/** The resource an object belongs to that no change touches. */
function ownerOf(ref: ObjectRef, { state, objects }: Inventory): ResourceKey | undefined {
  const object = objects.get(ref);
  if (object === undefined) return undefined;
  const { collection, id, parent } = object;
  if (collection === 'global_rules') {
    const plugins = object.value['plugins'];
    const [first] = isJsonObject(plugins) ? Object.keys(plugins) : [];
    return first === undefined ? undefined : resourceKey('global_rule', first);
  }
  const service = collection === 'upstreams' ? objects.get(objectRef('services', id)) : undefined;
  const key =
    asText(service?.value['upstream_id']) === id
      ? resourceKey('service', id)
      : resourceKey(kindOf[collection], id, parent);
  return state.resources.has(key) ? key : undefined;
}
