import { createHash } from 'node:crypto';
import type { ResourceKey } from '../../model/resource.js';
import { isManaged, serialiseDocument } from './document.js';
import type { Inventory } from './inventory.js';
import { KeptDocument } from './remembered.js';
import { rebase, type Goal, type Rebased } from './rebase.js';

/** What is to be sent to an instance so that it holds what it shall. */
export interface Write extends Rebased {
  /** The document as JSON and what it is called; absent where the instance holds it already. */
  readonly content?: { readonly body: string; readonly digest: string };
  /** What the instance holds when it has taken that. Made once, for all instances that do. */
  readonly after: () => KeptDocument;
}

/** One goal, worked out for each instance. Instances that hold the same get the same write: it is made once. */
export interface Job {
  writeFor(instance: Inventory, withheld: ReadonlyMap<ResourceKey, string>): Write;
}

/** Sets up a job. `versionAbove` chooses versions: see {@link Goal} and `versions.ts`. */
export function createJob(goal: Goal, versionAbove: (held: number) => number): Job {
  const writes = new Map<Inventory, Map<string, Write>>();
  return {
    writeFor(instance, withheld) {
      const known = writes.get(instance) ?? new Map<string, Write>();
      writes.set(instance, known);
      const name = [...withheld.keys()].sort().join('\n');
      const made = known.get(name) ?? makeWrite(goal, instance, withheld, versionAbove);
      known.set(name, made);
      return made;
    },
  };
}

function makeWrite(
  goal: Goal,
  instance: Inventory,
  withheld: ReadonlyMap<ResourceKey, string>,
  versionAbove: (held: number) => number,
): Write {
  const rebased = rebase(goal, instance, withheld, versionAbove);
  const everything = (): string => serialiseDocument(rebased.document, () => true);
  if (rebased.document === instance.document) return { ...rebased, after: keep(everything) };
  const body = rebased.fills ? everything() : serialiseDocument(rebased.document, isManaged);
  const isWhole =
    rebased.fills || [...rebased.document.sections].every(([name, { items }]) => isManaged(name) || items.length === 0);
  return {
    ...rebased,
    content: { body, digest: createHash('sha1').update(body).digest('hex') },
    after: keep(isWhole ? () => body : everything),
  };
}

/** Keeps what is written so, when it is first asked for. */
function keep(text: () => string): () => KeptDocument {
  let kept: KeptDocument | undefined;
  return () => (kept ??= new KeptDocument(Buffer.from(text())));
}
