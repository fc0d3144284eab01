import type { MemorySpace } from '../../memory/memory.js';
import { managedSections, type Document } from './document.js';

/** How far apart two processes that write at the same moment choose their versions, at most. */
const spread = 4096;

/** The highest version that a job of some cache key has chosen in this process. */
export interface Chosen {
  readonly version: number;
}

/** What a version is chosen with. */
export interface VersionOptions {
  /** What the instances hold. */
  readonly documents: readonly Document[];
  readonly space: MemorySpace<Chosen>;
  readonly cacheKey: string;
  /** Milliseconds since the epoch; may jump. Default: the system's clock. */
  readonly now?: () => number;
  /** From 0 up to but not including 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Chooses the version of what one job writes: the same for all sections that change and all instances, above everything
 * any of them holds and everything chosen before for the same cache key. Never below the clock, so that it reads as a
 * time in milliseconds; a clock that jumped back only makes it grow from what is there.
 *
 * An instance silently keeps its old content when it is sent the version it has. So two processes that have read the same
 * must not choose the same one: part of it is chance. It stays within the 14 digits that a gateway's JSON keeps.
 *
 * @returns gives a version above the one an instance holds; another one only where that is needed
 */
export function chooseVersions(options: VersionOptions): (held: number) => number {
  const { documents, space, cacheKey, now = Date.now, random = Math.random } = options;
  let chosen = 0;
  return (held) => {
    if (chosen > held) return chosen;
    const before = space.get(cacheKey)?.version ?? 0;
    const floor = Math.max(highestOf(documents), held, before, chosen);
    chosen = Math.max(Math.trunc(now()), Math.floor(floor) + 1) + Math.floor(random() * spread);
    space.set(cacheKey, { version: chosen }, 64);
    return chosen;
  };
}

/** The highest version of any section that the tool writes, over several documents. */
function highestOf(documents: readonly Document[]): number {
  let highest = 0;
  for (const { sections } of documents) {
    for (const name of managedSections) highest = Math.max(highest, sections.get(name)?.version ?? 0);
  }
  return highest;
}
