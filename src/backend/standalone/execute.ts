import { AdcError, GatewayError } from '../../model/errors.js';
import type { ResourceKey } from '../../model/resource.js';
import type { PoolResponse } from '../../pool/pool.js';
import type { Executed } from '../backend.js';
import { refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import { createDates } from '../shared/dates.js';
import { blameRefusal } from './blame.js';
import { isBlank } from './document.js';
import { documentPath, headDocument, isSameStamp, stampOf } from './endpoint.js';
import type { Job, Write } from './job.js';
import { readInstance, type Instance, type InstanceReading, type Interner } from './read.js';
import type { Recollection } from './remembered.js';

/** What carrying out a job on an instance needs. */
export interface ExecuteOptions {
  readonly job: Job;
  readonly recollection: Recollection;
  readonly interner: Interner;
  readonly signal?: AbortSignal;
}

/** How often what an instance refuses is left out and the rest sent again; gateways before 3.15 name one thing at a time. */
const mostRounds = 10;

/**
 * Makes one instance hold what it shall. An instance that was written by somebody else since it was read is read again and
 * the goal worked out anew on what it holds; so it is when the instance refuses a version, once. What of the changes the
 * instance refuses is left out, and the rest sent without it.
 *
 * @throws GatewayError when the instance cannot be read, does not answer, or refuses what cannot be left out
 */
export async function executeOn(instance: Instance, options: ExecuteOptions): Promise<Executed> {
  const { client } = instance;
  const { job, signal } = options;
  let reading = await unlessAborted(instance.reading, client, signal);
  let withheld: ReadonlyMap<ResourceKey, string> = new Map();
  let write = job.writeFor(reading.inventory, withheld);
  let isFresh = false;
  let versionRefusals = 0;
  let rounds = 0;

  const readAgain = async (): Promise<void> => {
    options.recollection.forget(client.endpoint);
    const contested = reading.contested;
    reading = await readInstance(client, options.recollection, options.interner, signal);
    reading = { ...reading, contested: contested || !isBlank(reading.inventory.document) };
    write = job.writeFor(reading.inventory, withheld);
    isFresh = true;
  };

  for (;;) {
    if (write.content === undefined) return finished(write, 200, new Date(), false);
    if (!isFresh && reading.stamp !== undefined) {
      const { stamp } = await headDocument(client, signal);
      if (!isSameStamp(stamp, reading.stamp)) {
        await readAgain();
        continue;
      }
    }
    const request = putRequest(write.content, versionRefusals, signal);
    const response = await client.send(request);
    if (response.status === 202 || response.status === 200) {
      remember(client, options.recollection, { reading, write, response });
      return finished(write, response.status, dateOf(response), true);
    }
    if (response.status === 204) {
      // Somebody gave the digest to what the instance holds. What that is, only the instance knows.
      await readAgain();
      if (write.content === undefined) return finished(write, response.status, dateOf(response), true);
      if (versionRefusals > 0) throw refusal(client, request, response);
      versionRefusals += 1;
      continue;
    }
    const refused = refusal(client, request, response);
    if (response.status !== 400) throw refused;
    if (isVersionRefusal(refused)) {
      if (versionRefusals > 0) throw refused;
      versionRefusals += 1;
      await readAgain();
      continue;
    }
    rounds += 1;
    const blame = await blameRefusal(client, refused, write, reading.inventory, signal);
    const isNew = [...blame.changes.keys()].some((key) => !withheld.has(key));
    if (blame.others.size > 0 || !isNew || rounds > mostRounds) {
      throw blamed(refused, new Map([...withheld, ...blame.changes, ...blame.others]));
    }
    withheld = new Map([...withheld, ...blame.changes]);
    write = job.writeFor(reading.inventory, withheld);
    isFresh = true;
  }
}

/** The reading of an instance, unless the job ends first. */
async function unlessAborted<T>(wait: Promise<T>, client: AdminClient, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait;
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(unread(client, signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([wait, aborted]);
  } finally {
    over.abort();
  }
}

/** What is to be said of an instance that had not answered when the job ended: nothing was written. */
function unread(client: AdminClient, reason: unknown): GatewayError {
  const failure = { method: 'GET', url: client.url(documentPath) };
  const code = reason instanceof AdcError ? reason.code : 'aborted';
  const words = reason instanceof Error ? reason.message : String(reason);
  return new GatewayError(code, failure, { message: `${failure.method} ${failure.url}: ${words}`, cause: reason });
}

/** Tells whether an instance refuses a document because it holds a newer version of some section. */
function isVersionRefusal({ failure }: GatewayError): boolean {
  return /^\w+_conf_version must be greater than/.test(failure.gatewayText ?? '');
}

/** @param tries how often it was sent in vain: a digest that stands over other content already must not be sent again */
function putRequest(
  { body, digest }: NonNullable<Write['content']>,
  tries: number,
  signal: AbortSignal | undefined,
): AdminRequest {
  return {
    method: 'PUT',
    path: documentPath,
    headers: { 'x-digest': tries === 0 ? digest : `${digest}-${tries}` },
    body,
    ...(signal === undefined ? {} : { signal }),
  };
}

/**
 * What was written is what the instance holds now. Where others write it too that may be wrong: an instance that has the
 * version already keeps its content and takes the digest all the same. Such an instance is read the next time.
 */
function remember(
  { endpoint }: AdminClient,
  recollection: Recollection,
  done: { readonly reading: InstanceReading; readonly write: Write; readonly response: PoolResponse },
): void {
  if (done.reading.contested) {
    recollection.forget(endpoint);
    return;
  }
  const stamp = stampOf(done.response);
  recollection.set(endpoint, { ...(stamp === undefined ? {} : { stamp }), document: done.write.after() });
}

function finished({ withheld }: Write, status: number, at: Date, written: boolean): Executed {
  return { at, status, written, ...(withheld.size === 0 ? {} : { refused: withheld }) };
}

function dateOf(response: PoolResponse): Date {
  return createDates()(response.header('date'));
}

/** The refusal, with those to blame. */
function blamed(error: GatewayError, keys: ReadonlyMap<ResourceKey, string>): GatewayError {
  if (keys.size === 0) return error;
  return new GatewayError(error.code, { ...error.failure, blamed: keys }, { message: error.message, cause: error });
}
