import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Backend, Endpoint } from '../../src/backend/backend.js';
import { openBackend } from '../../src/backend/registry.js';
import { createMemory } from '../../src/memory/store.js';
import type { Change } from '../../src/model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { isKind, type Kind } from '../../src/model/kinds.js';
import { dumpDocument } from '../../src/pipeline/config/dump.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';
import type { Pools } from '../../src/pool/pool.js';
import { dumpState, readAndDiff, sync, type JobScope } from '../../src/sync.js';
import type { Abilities, Bench, GatewayCase, RawAnswer, ScopeOptions, SyncSummary } from './gateway-case.js';

/** Where the cases run. */
export interface BenchTarget {
  readonly backend: 'apisix' | 'apisix-standalone';
  readonly endpoints: readonly Endpoint[];
  readonly pools: Pools;
  readonly abilities: Abilities;
}

/** What a gateway of a version can do. */
export function abilitiesOf(version: string, backend: BenchTarget['backend']): Abilities {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const from = (wanted: number): boolean => major > 3 || (major === 3 && minor >= wanted);
  const resourcePaths = backend === 'apisix';
  return {
    credentials: from(11),
    streamRoutesOnServices: resourcePaths ? from(7) : from(14),
    streamRouteNames: from(13),
    dashInUsernames: from(13),
    bareConsumers: from(11),
    uniqueGlobalPlugins: from(15),
    resourcePaths,
  };
}

const line = (change: Change): string => `${change.type} ${change.kind} ${change.name}`;
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const kindsOf = (list: readonly string[] | undefined): readonly Kind[] | undefined => list?.filter(isKind);

function jobScope(scope: ScopeOptions): JobScope {
  const include = kindsOf(scope.include);
  const exclude = kindsOf(scope.exclude);
  return {
    ...(scope.labels === undefined ? {} : { labels: scope.labels }),
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
}

/** Every pair of a certificate and its key in a document, wherever it stands. */
function collectKeys(value: Json, into: Map<string, string>): void {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) collectKeys(item, into);
  if (!isJsonObject(value)) return;
  for (const [certificate, key] of [
    ['certificate', 'key'],
    ['client_cert', 'client_key'],
  ] as const) {
    const [text, secret] = [value[certificate], value[key]];
    if (typeof text === 'string' && typeof secret === 'string') into.set(text, secret);
  }
  for (const item of Object.values(value)) collectKeys(item, into);
}

/** Fills in the keys that a gateway does not give back. */
function fillKeys(value: Json, keys: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => fillKeys(item, keys));
  if (!isJsonObject(value)) return value;
  const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillKeys(item, keys)]));
  for (const [certificate, key] of [
    ['certificate', 'key'],
    ['client_cert', 'client_key'],
  ] as const) {
    const text = value[certificate];
    const secret = typeof text === 'string' ? keys.get(text) : undefined;
    if (secret !== undefined) filled[key] = secret;
  }
  return filled;
}

/** The tool and one gateway, with the core assertion built in. */
export class GatewayBench implements Bench {
  readonly abilities: Abilities;
  readonly #target: BenchTarget;
  readonly #keys = new Map<string, string>();

  constructor(target: BenchTarget) {
    this.#target = target;
    this.abilities = target.abilities;
  }

  async sync(document: JsonObject, scope: ScopeOptions = {}): Promise<SyncSummary> {
    const summary = await this.syncLoosely(document, scope);
    expect(summary.failed).toEqual([]);
    expect(await this.diff(document, scope), 'a diff right after a sync').toEqual([]);
    const dumped = fillKeys(await this.dump(), this.#keys) as JsonObject;
    expect(await this.diff(dumped), 'a diff of the dump').toEqual([]);
    return summary;
  }

  async syncLoosely(
    document: JsonObject,
    scope: ScopeOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<SyncSummary> {
    collectKeys(document, this.#keys);
    return this.#with(async (backend) => {
      const { report } = await sync({
        backend,
        configuration: this.#configuration(document, scope),
        scope: jobScope(scope),
        ...(scope.signal === undefined ? {} : { signal: scope.signal }),
      });
      const applied: string[] = [];
      const failed: string[] = [];
      for (const outcome of report?.outcomes ?? []) {
        if (outcome.status === 'applied' || outcome.status === 'unchanged') applied.push(line(outcome.change));
        else
          failed.push(
            `${line(outcome.change)}: ${outcome.status} ${outcome.error === undefined ? '' : words(outcome.error)}`,
          );
      }
      for (const repair of report?.repairs ?? []) {
        if (repair.status !== 'applied' && repair.status !== 'unchanged')
          failed.push(`${repair.operation.id}: ${words(repair.error)}`);
      }
      return { applied, failed };
    });
  }

  async diff(document: JsonObject, scope: ScopeOptions = {}): Promise<readonly string[]> {
    const { changes } = await this.#with((backend) =>
      readAndDiff({ backend, configuration: this.#configuration(document, scope), scope: jobScope(scope) }),
    );
    return changes.map(line);
  }

  async updates(document: JsonObject, scope: ScopeOptions = {}): Promise<readonly string[]> {
    const { changes } = await this.#with((backend) =>
      readAndDiff({ backend, configuration: this.#configuration(document, scope), scope: jobScope(scope) }),
    );
    return changes.flatMap((change) => {
      if (change.type !== 'update') return [];
      const taken = change.takesOver === undefined ? '' : ` takes over (${change.takesOver})`;
      return [`${line(change)}${taken}: ${change.fields.map(({ path }) => path.join('.')).join(', ')}`];
    });
  }

  async dump(): Promise<JsonObject> {
    const { state } = await this.#with((backend) => dumpState({ backend }));
    return dumpDocument(state, { withId: false });
  }

  async roundTrip(): Promise<void> {
    const before = fillKeys(await this.dump(), this.#keys) as JsonObject;
    await this.empty();
    let summary = await this.syncLoosely(before);
    // The memory against which the gateway checks duplicates may still hold what was deleted beside the tool just now.
    while (summary.failed.some((line) => line.includes('duplicate key of plugin')))
      summary = await this.syncLoosely(before);
    expect(summary.failed).toEqual([]);
    const after = fillKeys(await this.dump(), this.#keys) as JsonObject;
    expect(this.#configuration(after, {}).state).toEqual(this.#configuration(before, {}).state);
  }

  async admin(method: string, path: string, body?: JsonObject): Promise<RawAnswer> {
    const endpoint = this.#target.endpoints[0]!;
    return this.#raw(endpoint, method, path, body === undefined ? undefined : JSON.stringify(body));
  }

  async plant(path: string, value: JsonObject): Promise<void> {
    if (this.#target.backend === 'apisix') {
      const { status, json } = await this.admin('PUT', `/${path}`, value);
      if (status >= 300) throw new Error(`${path} was not taken: ${status} ${JSON.stringify(json)}`);
      return;
    }
    await this.#editDocuments(path, (items, id) => [...items, value['username'] === id ? value : { ...value, id }]);
  }

  async uproot(path: string): Promise<boolean> {
    if (this.#target.backend === 'apisix') return (await this.admin('DELETE', `/${path}?force=true`)).status === 200;
    await this.#editDocuments(path, (items, id) => items.filter((item) => !isJsonObject(item) || item['id'] !== id));
    return true;
  }

  async stored(path: string): Promise<JsonObject | undefined> {
    if (this.#target.backend === 'apisix') {
      const { status, json } = await this.admin('GET', `/${path}`);
      return status === 200 ? (json as { value: JsonObject }).value : undefined;
    }
    const [section, id] = split(path);
    const document = (await this.admin('GET', '/configs')).json as JsonObject;
    const items = Array.isArray(document[section]) ? (document[section] as readonly Json[]) : [];
    return items.filter(isJsonObject).find((item) => item['id'] === id || item['username'] === id);
  }

  async #editDocuments(path: string, edit: (items: readonly Json[], id: string) => readonly Json[]): Promise<void> {
    const [section, id] = split(path);
    for (const endpoint of this.#target.endpoints) {
      const current = (await this.#raw(endpoint, 'GET', '/configs')).json as JsonObject;
      const { 'X-Digest': _digest, 'X-Last-Modified': _modified, ...document } = current;
      const items = Array.isArray(document[section]) ? (document[section] as readonly Json[]) : [];
      const version = Number(document[`${section}_conf_version`]) + 1;
      const body = { ...document, [section]: edit(items, id), [`${section}_conf_version`]: version };
      const text = JSON.stringify(body);
      const headers = { 'X-Digest': createHash('sha1').update(text).digest('hex') };
      const answer = await this.#raw(endpoint, 'PUT', '/configs', text, headers);
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
    }
  }

  /** Empties the gateway, the hard way: object by object, again while its memory lags. */
  async empty(): Promise<void> {
    if (this.#target.backend === 'apisix-standalone') return this.#emptyDocuments();
    for (let round = 0; round < 50; round += 1) {
      let left = 0;
      for (const collection of [
        'routes',
        'stream_routes',
        'consumers',
        'services',
        'plugin_configs',
        'consumer_groups',
        'upstreams',
        'ssls',
        'global_rules',
        'plugin_metadata',
        'protos',
      ]) {
        const answer = await this.admin('GET', `/${collection}`);
        const list =
          isJsonObject(answer.json) && Array.isArray(answer.json['list'])
            ? (answer.json['list'] as readonly JsonObject[])
            : [];
        for (const entry of list) {
          left += 1;
          await this.admin(
            'DELETE',
            `/${collection}/${encodeURIComponent((entry['key'] as string).split('/').at(-1) ?? '')}`,
          );
        }
      }
      if (left === 0) return;
    }
    throw new Error('the gateway could not be emptied');
  }

  async #emptyDocuments(): Promise<void> {
    for (const endpoint of this.#target.endpoints) {
      const current = (await this.#raw(endpoint, 'GET', '/configs')).json as JsonObject;
      const body: Record<string, Json> = {};
      for (const [key, value] of Object.entries(current)) {
        if (!key.endsWith('_conf_version') || typeof value !== 'number') continue;
        body[key] = value + 1;
        body[key.slice(0, -'_conf_version'.length)] = [];
      }
      const text = JSON.stringify(body);
      const answer = await this.#raw(endpoint, 'PUT', '/configs', text, {
        'X-Digest': createHash('sha1').update(text).digest('hex'),
      });
      if (answer.status >= 300)
        throw new Error(`${endpoint.server} could not be emptied: ${answer.status} ${JSON.stringify(answer.json)}`);
    }
  }

  async #raw(
    endpoint: Endpoint,
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawAnswer> {
    const lease = await this.#target.pools.lease({
      origin: endpoint.server,
      ...(endpoint.tls === undefined ? {} : { tls: endpoint.tls }),
    });
    try {
      const answer = await lease.request({
        method: method as 'GET',
        path: `${new URL(endpoint.server).pathname.replace(/\/$/, '')}/apisix/admin${path}`,
        headers: { 'X-API-KEY': endpoint.token, 'Content-Type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const text = Buffer.from(answer.body).toString();
      let json: unknown;
      try {
        json = text === '' ? undefined : JSON.parse(text);
      } catch {
        json = text;
      }
      return { status: answer.status, json };
    } finally {
      lease.release();
    }
  }

  #configuration(document: JsonObject, scope: ScopeOptions) {
    return resolveConfiguration(document, {
      lint: true,
      managedBy: false,
      labels: scope.labels,
      include: kindsOf(scope.include),
      exclude: kindsOf(scope.exclude),
    });
  }

  async #with<T>(use: (backend: Backend) => Promise<T>): Promise<T> {
    const backend = await openBackend(this.#target.backend, {
      endpoints: this.#target.endpoints,
      pools: this.#target.pools,
      memory: createMemory(),
    });
    try {
      return await use(backend);
    } finally {
      backend.close();
    }
  }
}

/** A section and an id: `consumers/ann/credentials/c` is the item `ann/credentials/c` among the consumers. */
function split(path: string): readonly [section: string, id: string] {
  const cut = path.indexOf('/');
  return [path.slice(0, cut), path.slice(cut + 1)];
}

/** Runs one case from an empty gateway, and then takes what it left through the round trip. */
export async function runCase(gatewayCase: GatewayCase, target: BenchTarget): Promise<void> {
  const bench = new GatewayBench(target);
  await bench.empty();
  await gatewayCase.run(bench);
  await bench.roundTrip();
}
