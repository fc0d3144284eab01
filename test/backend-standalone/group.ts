import type { Backend, BackendOptions, Endpoint } from '../../src/backend/backend.js';
import { openStandalone } from '../../src/backend/standalone/backend.js';
import {
  startEmulator,
  type EmulatorOptions,
  type RequestCounts,
  type StandaloneEmulator,
} from '../../src/emulator/index.js';
import type { Memory } from '../../src/memory/memory.js';
import { createMemory } from '../../src/memory/store.js';
import type { JsonObject } from '../../src/model/json.js';
import type { PoolManagerOptions } from '../../src/pool/options.js';
import type { Pools } from '../../src/pool/pool.js';
import { createPoolManager } from '../../src/pool/manager.js';
import { sync, type JobScope, type SyncResult } from '../../src/sync.js';
import { configured } from '../support/emulated.js';

/** A document as an instance answers it. */
export interface InstanceDocument extends Readonly<Record<string, unknown>> {
  readonly routes_conf_version: number;
  readonly services_conf_version: number;
  readonly protos_conf_version: number;
  readonly secrets_conf_version: number;
}

/** How one sync of a {@link Group} differs from the usual. */
export interface GroupSync {
  readonly scope?: JobScope;
  readonly backend?: Partial<BackendOptions>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly lint?: boolean;
}

/** Data plane instances, and the tool connected to them as one process that stays. */
export interface Group {
  readonly emulator: StandaloneEmulator;
  readonly memory: Memory;
  readonly pools: Pools;
  readonly endpoints: readonly Endpoint[];
  open(options?: Partial<BackendOptions>): Backend;
  /** One job: opened, carried out, closed. */
  sync(document: JsonObject, options?: GroupSync): Promise<SyncResult>;
  /** What an instance holds, asked beside the tool. */
  documentOf(instance: number): Promise<InstanceDocument>;
  /** Writes an instance beside the tool. */
  put(instance: number, document: object, digest?: string): Promise<number>;
  /** The requests each instance got while `work` ran, counted by method. */
  requestsDuring(work: () => Promise<unknown>): Promise<readonly RequestCounts['byMethod'][]>;
  close(): Promise<void>;
}

/** Starts instances on free ports. */
export async function startGroup(
  options: EmulatorOptions = {},
  more: { readonly memory?: Memory; readonly pools?: PoolManagerOptions } = {},
): Promise<Group> {
  const emulator = await startEmulator({ ...options, mode: 'standalone' });
  const pools = createPoolManager(more.pools);
  const memory = more.memory ?? createMemory();
  const endpoints = emulator.urls.map((server) => ({ server, token: emulator.adminKey }));
  const headers = { 'x-api-key': emulator.adminKey };
  const url = (instance: number): string => `${emulator.urls[instance] ?? ''}/apisix/admin/configs`;
  const open = (chosen: Partial<BackendOptions> = {}): Backend =>
    openStandalone({ endpoints, pools, memory, cacheKey: 'group', ...chosen });
  return {
    emulator,
    memory,
    pools,
    endpoints,
    open,
    sync: async (document, { scope, backend: chosen, labels, lint = true } = {}) => {
      const backend = open(chosen);
      const configuration = configured(document, { lint, ...(labels === undefined ? {} : { labels }) });
      const jobScope = { ...scope, ...(labels === undefined ? {} : { labels }) };
      try {
        return await sync({ backend, configuration, scope: jobScope, concurrency: 32 });
      } finally {
        backend.close();
      }
    },
    documentOf: async (instance) => (await (await fetch(url(instance), { headers })).json()) as InstanceDocument,
    put: async (instance, document, digest = Math.random().toString(36)) => {
      const answer = await fetch(url(instance), {
        method: 'PUT',
        headers: { ...headers, 'x-digest': digest },
        body: JSON.stringify(document),
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    requestsDuring: async (work) => {
      const before = emulator.instances.map(({ requests }) => requests.byMethod);
      await work();
      return emulator.instances.map(({ requests }, index) =>
        Object.fromEntries(
          Object.entries(requests.byMethod)
            .map(([method, count]): [string, number] => [method, count - (before[index]?.[method] ?? 0)])
            .filter(([, count]) => count > 0),
        ),
      );
    },
    close: async () => {
      await pools.close(0);
      await emulator.close();
    },
  };
}

/** The objects of a section, by id. */
export function itemsOf(document: InstanceDocument, section: string): Readonly<Record<string, JsonObject>> {
  const items = (document[section] ?? []) as readonly JsonObject[];
  return Object.fromEntries(items.map((item) => [(item['id'] ?? item['username']) as string, item]));
}

/** A service with routes of these names, each under its own path. */
export function service(name: string, routes: readonly string[], more: JsonObject = {}): JsonObject {
  return {
    name,
    id: name,
    upstream: { nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] },
    routes: routes.map((route) => ({ name: route, id: route, uris: [`/${route}`] })),
    ...more,
  };
}
