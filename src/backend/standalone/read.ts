import { AdcError, GatewayError } from '../../model/errors.js';
import type { AdminClient } from '../shared/client.js';
import { highestVersion, isBlank, shareWith } from './document.js';
import { getDocument, headDocument, isSameStamp, type Answered, type Stamp } from './endpoint.js';
import { takeInventory, type Inventory } from './inventory.js';
import { KeptDocument, type Recollection } from './remembered.js';

/** What one instance was found to hold. */
export interface InstanceReading {
  readonly inventory: Inventory;
  readonly stamp?: Stamp;
  readonly version?: string;
  /** Somebody else has written this instance since it was last read or written here. */
  readonly contested: boolean;
}

/** An instance, and the reading of it. */
export interface Instance {
  readonly client: AdminClient;
  /** It did not answer lately: nothing waits for it. */
  readonly isSilent: boolean;
  /** Rejects with the GatewayError of an instance that cannot be read. */
  readonly reading: Promise<InstanceReading>;
}

/** An instance whose reading is known. */
export interface KnownInstance extends Instance {
  readonly known: InstanceReading;
}

/** An instance that cannot be read. */
export interface DeadInstance extends Instance {
  readonly error: Error;
}

/** The instances of a group by what is known of them when the job goes on. */
export interface GroupReading {
  /** In the order given. At least one. */
  readonly answered: readonly KnownInstance[];
  /** The one that was written last. */
  readonly newest: KnownInstance;
  readonly dead: readonly DeadInstance[];
  /** Those that take far longer than the others: their answers are waited for only where they are needed. */
  readonly late: readonly Instance[];
}

/** A document read as resources, and in the form that is kept. */
interface Interned {
  readonly inventory: Inventory;
  readonly document: KeptDocument;
}

/** Gives one and the same for all documents of a job that are the same, whatever the order of their keys. */
export interface Interner {
  intern(answered: Answered, remembered?: KeptDocument): Interned;
}

/** Builds the interner of a job. */
export function createInterner(): Interner {
  const seen: { readonly bytes: Uint8Array; readonly interned: Interned }[] = [];
  return {
    intern(answered, remembered) {
      const { bytes } = answered;
      const twin = seen.find((one) => Buffer.compare(one.bytes, bytes) === 0);
      if (twin !== undefined) return twin.interned;
      const interned = internAnew(answered, [
        ...seen.map((one) => one.interned),
        ...(remembered === undefined ? [] : [{ inventory: remembered.inventory, document: remembered }]),
      ]);
      seen.push({ bytes, interned });
      return interned;
    },
  };
}

function internAnew(answered: Answered, others: readonly Interned[]): Interned {
  let document = answered.parse();
  for (const other of others) {
    document = shareWith(document, other.inventory.document);
    if (document === other.inventory.document) return other;
  }
  const inventory = takeInventory(document);
  return { inventory, document: new KeptDocument(answered.bytes, inventory) };
}

/**
 * Finds out what an instance holds. What is remembered of it is believed only where the instance still has the stamp of
 * that time; it is read otherwise, and remembered.
 *
 * @throws GatewayError where it does not answer, refuses, or is no standalone gateway
 */
export async function readInstance(
  client: AdminClient,
  recollection: Recollection,
  interner: Interner,
  signal?: AbortSignal,
): Promise<InstanceReading> {
  const remembered = recollection.get(client.endpoint);
  if (remembered?.stamp !== undefined) {
    const { stamp, version } = await headDocument(client, signal);
    if (stamp !== undefined && isSameStamp(stamp, remembered.stamp)) {
      return {
        inventory: remembered.document.inventory,
        stamp,
        ...(version === undefined ? {} : { version }),
        contested: false,
      };
    }
  }
  const answered = await getDocument(client, signal);
  const { inventory, document } = interner.intern(answered, remembered?.document);
  const { stamp, version } = answered;
  recollection.set(client.endpoint, { ...(stamp === undefined ? {} : { stamp }), document });
  return {
    inventory,
    ...(stamp === undefined ? {} : { stamp }),
    ...(version === undefined ? {} : { version }),
    contested: remembered?.stamp !== undefined && !isBlank(inventory.document),
  };
}

/** How much longer than the first an instance may take before the job goes on without it, and at least how long, in ms. */
const patience = { factor: 4, least: 1000 };

/**
 * Waits for the readings of a group: for all of them, but not much longer than the first took.
 *
 * @throws AdcError with every instance named, where none can be read
 */
export async function gatherReadings(instances: readonly Instance[]): Promise<GroupReading> {
  const started = performance.now();
  const answered = new Map<Instance, KnownInstance>();
  const dead = new Map<Instance, DeadInstance>();
  const settled = Promise.all(
    instances.map((instance) =>
      instance.reading.then(
        (known) => void answered.set(instance, { ...instance, known }),
        (error: unknown) => void dead.set(instance, { ...instance, error: toError(error) }),
      ),
    ),
  );
  const first = Promise.any(instances.map(({ reading }) => reading)).then(
    () => performance.now() - started,
    () => undefined,
  );
  const took = await first;
  if (took === undefined) await settled;
  else {
    const awaited = instances.filter(({ isSilent }) => !isSilent).map(({ reading }) => reading);
    await withinTime(Promise.allSettled(awaited), Math.max(patience.least, took * (patience.factor - 1)));
  }

  const known = instances.flatMap((instance) => answered.get(instance) ?? []);
  const newest = known.reduce<KnownInstance | undefined>(
    (a, b) => (a !== undefined && !isNewer(b, a) ? a : b),
    undefined,
  );
  if (newest === undefined) throw noneAnswered(instances.flatMap((instance) => dead.get(instance) ?? []));
  return {
    answered: known,
    newest,
    dead: instances.flatMap((instance) => dead.get(instance) ?? []),
    late: instances.filter((instance) => !answered.has(instance) && !dead.has(instance)),
  };
}

/** Written later, by the gateway's own clock; without one, under a higher version. An empty instance is newer than none. */
function isNewer({ known: a }: KnownInstance, { known: b }: KnownInstance): boolean {
  const emptyA = isBlank(a.inventory.document);
  const emptyB = isBlank(b.inventory.document);
  if (emptyA || emptyB) return emptyB && !emptyA;
  const times = (a.stamp?.lastModified ?? 0) - (b.stamp?.lastModified ?? 0);
  if (times !== 0) return times > 0;
  return highestVersion(a.inventory.document) > highestVersion(b.inventory.document);
}

async function withinTime(settled: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([settled, over]);
  clearTimeout(timer);
}

function noneAnswered(dead: readonly DeadInstance[]): Error {
  const [first, ...others] = dead.map(({ error }) => error);
  if (first === undefined) return new AdcError('usage', 'there is no instance to talk to');
  if (others.length === 0 || !(first instanceof AdcError)) return first;
  const message = `none of the ${dead.length} instances can be read: ${dead.map(({ error }) => error.message).join('; ')}`;
  const problems = dead.map(({ error }) => ({ message: error.message }));
  if (first instanceof GatewayError) {
    return new GatewayError(first.code, first.failure, { message, problems, cause: first });
  }
  return new AdcError(first.code, message, { problems, cause: first });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
