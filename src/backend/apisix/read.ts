import pLimit from 'p-limit';
import type { Memory } from '../../memory/memory.js';
import type { PoolResponse } from '../../pool/pool.js';
import { refusal, textOf, type AdminClient, type AdminRequest } from '../shared/client.js';
import { objectRef, type AdminObject, type Collection } from '../shared/collections.js';
import type { Features } from '../shared/features.js';
import { fromAdmin, type AdminObjects } from '../shared/from-admin.js';
import { detectFeatures, versionOf } from './features.js';
import { createListDecoder, emptyList, type ListDecoder, type ParsedList } from './lists.js';
import type { Snapshot } from '../shared/snapshot.js';

/** What a read gives. */
export interface ReadResult {
  readonly snapshot: Snapshot;
  readonly features: Features;
  readonly version: string | undefined;
}

/** What a read may use. */
export interface ReadOptions {
  readonly client: AdminClient;
  readonly memory: Memory;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Leave out what consumers authenticate with: it costs one request a consumer. */
  readonly skipCredentials?: boolean;
  /** Ask again what was found out about the gateway earlier. */
  readonly forget?: boolean;
}

/** Everything that has a list of its own. Routes come first: their answer tells the version. */
const listed = [
  'routes',
  'services',
  'upstreams',
  'ssls',
  'consumers',
  'consumer_groups',
  'plugin_configs',
  'global_rules',
  'plugin_metadata',
  'stream_routes',
] as const satisfies readonly Collection[];

interface Remembered {
  readonly snapshots: readonly {
    readonly lists: readonly ParsedList[];
    readonly features: Features;
    readonly snapshot: Snapshot;
  }[];
}

const keptSnapshots = 4;

/**
 * Reads every list of a gateway, each once, and the credentials of every consumer. Where all answers are the same as
 * those of an earlier read, the same snapshot is given.
 *
 * @throws GatewayError for any answer that is not understood; the other requests are then given up
 */
export async function readGateway(options: ReadOptions): Promise<ReadResult> {
  const { client, memory, concurrency, skipCredentials = false } = options;
  const key = client.address.key;
  const decoder = createListDecoder(client, memory, key);
  await client.open();
  const answers = await Promise.all(listed.map((collection) => readList(client, decoder, collection)));
  const version = answers[0]?.version;
  const features = await detectFeatures(client, version, memory, options.forget);
  const lists = answers.map(({ list }) => list);
  const consumers = lists[listed.indexOf('consumers')]?.objects ?? [];
  const readsCredentials = features.has('credentials') && !skipCredentials && consumers.length > 0;
  const credentials = readsCredentials ? await readAllCredentials(client, decoder, consumers, concurrency) : [];
  decoder.remember(!skipCredentials);
  const snapshot = snapshotOf(memory, key, lists, credentials, features);
  return { snapshot, features, version };
}

/** What is kept of an answer: its bytes go as soon as they are parsed. */
interface Answer {
  readonly version: string | undefined;
  readonly list: ParsedList;
}

async function readList(
  client: AdminClient,
  decoder: ListDecoder,
  collection: (typeof listed)[number],
): Promise<Answer> {
  const request: AdminRequest = { method: 'GET', path: `/apisix/admin/${collection}` };
  const response = await client.send(request);
  // Headers are parsed for whoever asks: one answer is enough to know the version of all.
  const version = collection === listed[0] ? versionOf(response) : undefined;
  if (collection === 'stream_routes' && isStreamModeOff(response)) return { version, list: emptyList };
  return { version, list: decoder.decode(request, response, collection) };
}

/** Stream mode that is not switched on is the one refusal that means "there are none". */
function isStreamModeOff(response: PoolResponse): boolean {
  return [400, 403].includes(response.status) && textOf(response).includes('stream mode is disabled');
}

/** One request a consumer. They are started as there is room, so that a failure leaves few behind. */
async function readAllCredentials(
  client: AdminClient,
  decoder: ListDecoder,
  consumers: readonly AdminObject[],
  concurrency: number,
): Promise<readonly ParsedList[]> {
  const limit = pLimit({ concurrency, rejectOnClear: true });
  try {
    return await Promise.all(consumers.map(({ id }) => limit(() => readCredentials(client, decoder, id))));
  } catch (error) {
    limit.clearQueue();
    throw error;
  }
}

async function readCredentials(client: AdminClient, decoder: ListDecoder, username: string): Promise<ParsedList> {
  const path = `/apisix/admin/consumers/${encodeURIComponent(username)}/credentials`;
  const request: AdminRequest = { method: 'GET', path };
  const response = await client.send(request);
  if (response.status === 404) {
    if (textOf(response).includes('Key not found')) return emptyList;
    throw refusal(client, request, response);
  }
  return decoder.decode(request, response, 'credentials', username);
}

function snapshotOf(
  memory: Memory,
  key: string,
  lists: readonly ParsedList[],
  credentials: readonly ParsedList[],
  features: Features,
): Snapshot {
  const space = memory.space<Remembered>('apisix/states');
  const all = [...lists, ...credentials];
  const known = space.get(key)?.snapshots ?? [];
  const equal = known.find(
    (one) =>
      isSameSet(one.features, features) &&
      one.lists.length === all.length &&
      one.lists.every((list, index) => list === all[index]),
  );
  if (equal !== undefined) return equal.snapshot;

  const objects = new Map<string, AdminObject>();
  for (const list of all) {
    for (const object of list.objects) objects.set(objectRef(object.collection, object.id, object.parent), object);
  }
  const byCollection = (collection: (typeof listed)[number]): readonly AdminObject[] =>
    lists[listed.indexOf(collection)]?.objects ?? [];
  const stored: AdminObjects = {
    routes: byCollection('routes'),
    services: byCollection('services'),
    upstreams: byCollection('upstreams'),
    ssls: byCollection('ssls'),
    consumers: byCollection('consumers'),
    consumer_groups: byCollection('consumer_groups'),
    plugin_configs: byCollection('plugin_configs'),
    global_rules: byCollection('global_rules'),
    plugin_metadata: byCollection('plugin_metadata'),
    stream_routes: byCollection('stream_routes'),
    credentials: credentials.flatMap(({ objects }) => objects),
  };
  const snapshot: Snapshot = { ...fromAdmin(stored, features), objects };
  const bytes = all.reduce((sum, list) => sum + list.bytes, 0);
  const kept = { lists: all, features, snapshot };
  space.set(key, { snapshots: [...known.slice(1 - keptSnapshots), kept] }, bytes + 1024);
  return snapshot;
}

function isSameSet(one: Features, other: Features): boolean {
  return one === other || (one.size === other.size && [...one].every((feature) => other.has(feature)));
}
