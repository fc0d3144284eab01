import type { Change } from '../../model/change.js';
import type { ObjectRef } from '../../model/operation.js';
import { collectionOf, idOf, objectRef } from './collections.js';
import type { Features } from './features.js';
import { toAdmin } from './to-admin.js';
import { asObject, omit } from './values.js';
import { createDraft, type Draft, type DraftInput } from './draft.js';
import {
  markShared,
  moveOffDeletedUpstreams,
  moveOffTakenPlaces,
  removeLeftovers,
  removeUnused,
  type Released,
} from './draft-upstreams.js';
import { keepStored } from './keep.js';
import { createServiceWriter, type ServiceWriter } from './service-objects.js';
import type { Snapshot } from './snapshot.js';
import { ownsUpstream } from './upstream-roles.js';

/**
 * Turns changes into writes of stored objects: what each change writes or deletes, then what follows from all of them
 * together (a shared upstream that goes away while a service still uses it, upstreams that nothing needs any more,
 * leftovers of earlier jobs). Pure.
 */
export function draftChanges(input: DraftInput): Draft {
  const { changes, snapshot, features } = input;
  const draft = createDraft(snapshot.objects);
  const rules = ruleHolders(snapshot);
  const released: Released[] = [];
  const writeService = createServiceWriter(draft, input);
  // Children of a deleted consumer go with it, whichever of them comes first among the changes.
  const credentials: Change[] = [];
  for (const change of changes) {
    if (change.kind === 'service') {
      draftService(draft, change, writeService);
      const own = objectRef('upstreams', change.id);
      const stored = draft.stored(own);
      if (stored === undefined || draft.writes.has(own)) continue;
      if (ownsUpstream(draft.stored(objectRef('services', change.id)), stored.value))
        released.push({ ref: own, key: change.key });
    } else if (change.kind === 'global_rule') draftGlobalRule(draft, change, rules);
    else if (change.kind === 'consumer_credential') credentials.push(change);
    else draftSimple(draft, change, features);
  }
  for (const change of credentials) draftCredential(draft, change, features);
  moveOffDeletedUpstreams(draft, input.desired, writeService);
  moveOffTakenPlaces(draft, input.desired, writeService);
  removeUnused(draft, released, input.desired);
  removeLeftovers(draft, input);
  markShared(draft, input);
  return draft;
}

function draftSimple(draft: Draft, change: Change, features: Features): void {
  const ref = objectRef(collectionOf[change.kind], change.id, change.parentId);
  if (change.type === 'delete') {
    draft.remove(ref, [change.key]);
    return;
  }
  for (const object of toAdmin(change.desired, features)) {
    draft.put(keepStored(object, draft.stored(ref)), [change.key], ref);
  }
}

/**
 * A credential is never written or deleted by its own path where the gateway has none: before 3.11 a DELETE there
 * deletes the whole consumer.
 */
function draftCredential(draft: Draft, change: Change, features: Features): void {
  if (!features.has('credentials')) return;
  const consumer = objectRef('consumers', change.parentId ?? '');
  const write = draft.writes.get(consumer);
  const goesWithConsumer = write !== undefined && write.object === undefined;
  if (change.type === 'delete' && goesWithConsumer) draft.carry(consumer, [change.key]);
  else draftSimple(draft, change, features);
}

function draftService(draft: Draft, change: Change, writeService: ServiceWriter): void {
  if (change.type === 'delete') draft.remove(objectRef('services', change.id), [change.key]);
  else writeService(change.desired, [change.key], change.type === 'create' ? [] : change.fields);
}

/** The ids of the stored rules that hold each plugin. */
function ruleHolders(snapshot: Snapshot): ReadonlyMap<string, readonly ObjectRef[]> {
  const holders = new Map<string, ObjectRef[]>();
  for (const [ref, { collection, value }] of snapshot.objects) {
    if (collection !== 'global_rules') continue;
    for (const plugin of Object.keys(asObject(value['plugins']) ?? {})) {
      const known = holders.get(plugin);
      if (known === undefined) holders.set(plugin, [ref]);
      else known.push(ref);
    }
  }
  return holders;
}

/**
 * A plugin is changed in every rule that holds it, whatever the rule's id; a new one gets a rule named after it. Changes
 * of plugins that share a rule become one write of that rule, and a rule without plugins is deleted.
 */
function draftGlobalRule(draft: Draft, change: Change, holders: ReadonlyMap<string, readonly ObjectRef[]>): void {
  const plugin = change.id;
  const refs = holders.get(plugin) ?? [objectRef('global_rules', plugin)];
  for (const ref of refs) {
    const id = idOf(ref);
    const plugins = asObject(draft.final(ref)?.value['plugins']) ?? {};
    const rest = omit(plugins, [plugin]);
    const next = change.type === 'delete' ? rest : { ...rest, [plugin]: change.desired.body };
    if (Object.keys(next).length > 0) {
      draft.put({ collection: 'global_rules', id, value: { plugins: next } }, [change.key]);
    } else if (draft.stored(ref) !== undefined) draft.drop(ref, [change.key]);
  }
}
