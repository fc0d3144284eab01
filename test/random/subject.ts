import type { Backend, Endpoint } from '../../src/backend/backend.js';
import { openBackend } from '../../src/backend/registry.js';
import type { Emulator } from '../../src/emulator/index.js';
import { createMemory } from '../../src/memory/store.js';
import type { Memory } from '../../src/memory/memory.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { isKind, type Kind } from '../../src/model/kinds.js';
import type { State } from '../../src/model/resource.js';
import { dumpDocument } from '../../src/pipeline/config/dump.js';
import { resolveConfiguration, type Configuration } from '../../src/pipeline/config/resolve.js';
import type { Pools } from '../../src/pool/pool.js';
import { pathOf, type RawObjects } from './stored.js';
import { dumpState, readAndDiff, sync, type JobScope } from '../../src/sync.js';

/** What part of the gateway a job is about, and how it is carried out. */
export interface SubjectOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly managedBy?: boolean;
  readonly signal?: AbortSignal;
  readonly concurrency?: number;
  /** Called after each operation. */
  readonly onOutcome?: () => void;
}

/** What a sync did. */
export interface Done {
  readonly changes: readonly string[];
  /** Where what was shown as new is stored; not of global rules, which have no place of their own. */
  readonly created: readonly string[];
  /** What was not done, and why. */
  readonly failed: readonly string[];
  /** How many writes were planned. */
  readonly planned: number;
}

const kindsOf = (words: readonly string[] | undefined): readonly Kind[] | undefined => words?.filter(isKind);
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const collections = [
  'services',
  'upstreams',
  'routes',
  'stream_routes',
  'ssls',
  'consumers',
  'consumer_groups',
  'plugin_configs',
  'global_rules',
  'plugin_metadata',
  'protos',
] as const;

/** The tool, a gateway, and a way past the tool. The memory lasts as long as the subject, as in the server. */
export class Subject {
  readonly emulator: Emulator;
  readonly backend: 'apisix' | 'apisix-standalone';
  readonly #pools: Pools;
  readonly #memory: Memory;

  constructor(emulator: Emulator, backend: 'apisix' | 'apisix-standalone', pools: Pools) {
    this.emulator = emulator;
    this.backend = backend;
    this.#pools = pools;
    this.#memory = createMemory();
  }

  /** The same gateway for another process: with a memory of its own. */
  another(): Subject {
    return new Subject(this.emulator, this.backend, this.#pools);
  }

  get #endpoints(): readonly Endpoint[] {
    return this.emulator.urls.map((server) => ({ server, token: this.emulator.adminKey }));
  }

  configuration(document: JsonObject, options: SubjectOptions = {}): Configuration {
    return resolveConfiguration(document, {
      lint: true,
      managedBy: options.managedBy ?? false,
      labels: options.labels,
      include: options.include,
      exclude: options.exclude,
    });
  }

  async sync(document: JsonObject, options: SubjectOptions = {}): Promise<Done> {
    return this.#with(async (backend) => {
      const { report, plan, difference } = await sync({
        backend,
        memory: this.#memory,
        configuration: this.configuration(document, options),
        scope: scopeOf(options),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
        ...(options.onOutcome === undefined ? {} : { onOutcome: options.onOutcome }),
      });
      const isDone = (status: string): boolean => status === 'applied' || status === 'unchanged';
      return {
        changes: difference.changes.map(({ type, kind, name }) => `${type} ${kind} ${name}`),
        created: difference.changes.flatMap((change) =>
          change.type === 'create' && change.kind !== 'global_rule' ? [pathOf(change.desired)] : [],
        ),
        planned: plan.operations.length,
        failed: [
          ...(report?.outcomes ?? [])
            .filter(({ status }) => !isDone(status))
            .map(
              ({ change, status, error }) =>
                `${change.type} ${change.kind} ${change.name}: ${status} ${error === undefined ? '' : wordsOf(error)}`,
            ),
          ...(report?.repairs ?? [])
            .filter(({ status }) => !isDone(status))
            .map(({ operation, error }) => `${operation.id}: ${wordsOf(error)}`),
        ],
      };
    });
  }

  /** The changes and, below them, the writes that a sync would make. */
  async diff(document: JsonObject, options: SubjectOptions = {}): Promise<readonly string[]> {
    return this.#with(async (backend) => {
      const difference = await readAndDiff({
        backend,
        memory: this.#memory,
        configuration: this.configuration(document, options),
        scope: scopeOf(options),
      });
      return [
        ...difference.changes.map((change) =>
          JSON.stringify([change.type, change.kind, change.name, change.type === 'update' ? change.fields : []]),
        ),
        ...difference.plan().operations.map(({ id, body }) => `${id} ${body?.() ?? ''}`),
      ];
    });
  }

  async state(options: SubjectOptions = {}): Promise<State> {
    return this.#with(async (backend) => (await dumpState({ backend, scope: scopeOf(options) })).state);
  }

  async dump(options: SubjectOptions = {}): Promise<JsonObject> {
    return dumpDocument(await this.state(options), { withId: false });
  }

  /** A request past the tool. */
  async admin(method: string, path: string, body?: Json, headers: Readonly<Record<string, string>> = {}) {
    return request(this.emulator.url, this.emulator.adminKey, { method, path, body, headers });
  }

  /**
   * Writes an object past the tool; in standalone mode, into the document of every instance.
   *
   * @returns what was wrong with it; undefined where it was taken
   */
  async plant(path: string, value: JsonObject): Promise<string | undefined> {
    if (this.backend === 'apisix') {
      const { status, json } = await this.admin('PUT', `/${path}`, value);
      return status < 300 ? undefined : `${path}: ${status} ${JSON.stringify(json)}`;
    }
    const refusals = await Promise.all(this.emulator.urls.map((url) => this.#plantInDocument(url, path, value)));
    return refusals.find((refusal) => refusal !== undefined);
  }

  /**
   * Plants a route whose service does not exist: in standalone mode nobody looks; elsewhere by deleting its service by force.
   *
   * Not for the oldest gateways: they delete nothing by force.
   *
   * @returns what was wrong with it; undefined where it is there
   */
  async plantOrphan(path: string, value: JsonObject, serviceId: string): Promise<string | undefined> {
    const orphan = { ...value, service_id: serviceId };
    if (this.backend === 'apisix-standalone') return this.plant(path, orphan);
    const refusal =
      (await this.plant(`services/${serviceId}`, { name: 'gone', plugins: {} })) ?? (await this.plant(path, orphan));
    const { status } = await this.admin('DELETE', `/services/${serviceId}?force=true`);
    if (status !== 200) throw new Error(`services/${serviceId} was not deleted by force: ${status}`);
    return refusal;
  }

  async #plantInDocument(url: string, path: string, value: JsonObject): Promise<string | undefined> {
    const key = this.emulator.adminKey;
    const { json } = await request(url, key, { method: 'GET', path: '/configs' });
    const { 'X-Digest': _digest, 'X-Last-Modified': _modified, ...document } = json as Record<string, Json>;
    const cut = path.indexOf('/');
    const [section, id] = [path.slice(0, cut), path.slice(cut + 1)];
    const items = Array.isArray(document[section]) ? (document[section] as readonly JsonObject[]) : [];
    const version = document[`${section}_conf_version`];
    if (typeof version !== 'number') return `${url} has no ${section}`;
    const identity = section === 'consumers' && !id.includes('/') ? {} : { id };
    const body = {
      ...document,
      [section]: [...items, { ...value, ...identity }],
      [`${section}_conf_version`]: version + 1,
    };
    const headers = { 'x-digest': `planted ${path} ${version}` };
    const answer = await request(url, key, { method: 'PUT', path: '/configs', body, headers });
    return answer.status < 300 ? undefined : `${path}: ${answer.status} ${JSON.stringify(answer.json)}`;
  }

  /** Everything that is stored, of each gateway or instance. */
  async raw(): Promise<readonly RawObjects[]> {
    if (this.backend === 'apisix') return [await this.#listAll()];
    return Promise.all(
      this.emulator.urls.map(async (url) => {
        const { json } = await request(url, this.emulator.adminKey, { method: 'GET', path: '/configs' });
        const found = new Map<string, JsonObject>();
        for (const [section, list] of Object.entries(json as JsonObject)) {
          if (!Array.isArray(list)) continue;
          for (const item of (list as readonly Json[]).filter(isJsonObject)) {
            const id = (item['id'] ?? item['username']) as string | number;
            found.set(`${section}/${id}`, item);
          }
        }
        return found;
      }),
    );
  }

  async #listAll(): Promise<RawObjects> {
    const found = new Map<string, JsonObject>();
    const list = async (path: string): Promise<readonly string[]> => {
      const { status, json } = await this.admin('GET', `/${path}`);
      const entries = isJsonObject(json) ? json['list'] : undefined;
      if (status !== 200 || !Array.isArray(entries)) return [];
      return (entries as readonly JsonObject[]).map((entry) => {
        const id = (entry['key'] as string).split('/').at(-1) ?? '';
        found.set(`${path}/${id}`, entry['value'] as JsonObject);
        return id;
      });
    };
    const ids = await Promise.all(collections.map(list));
    const usernames = ids[collections.indexOf('consumers')] ?? [];
    const hasCredentials = (await this.admin('GET', '/schema/credential')).status === 200;
    if (hasCredentials) await Promise.all(usernames.map((username) => list(`consumers/${username}/credentials`)));
    return found;
  }

  async #with<T>(use: (backend: Backend) => Promise<T>): Promise<T> {
    const backend = await openBackend(this.backend, {
      endpoints: this.#endpoints,
      pools: this.#pools,
      memory: this.#memory,
    });
    try {
      return await use(backend);
    } finally {
      backend.close();
    }
  }
}

function scopeOf({ labels, include, exclude }: SubjectOptions): JobScope {
  const included = kindsOf(include);
  const excluded = kindsOf(exclude);
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(included === undefined ? {} : { include: included }),
    ...(excluded === undefined ? {} : { exclude: excluded }),
  };
}

async function request(
  url: string,
  key: string,
  what: {
    readonly method: string;
    readonly path: string;
    readonly body?: Json | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await fetch(`${url}/apisix/admin${what.path}`, {
    method: what.method,
    headers: { 'x-api-key': key, 'content-type': 'application/json', ...what.headers },
    ...(what.body === undefined ? {} : { body: JSON.stringify(what.body) }),
  });
  const text = await response.text();
  try {
    return { status: response.status, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
  } catch {
    return { status: response.status, json: text };
  }
}
