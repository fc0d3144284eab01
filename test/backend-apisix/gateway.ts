import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApisix } from '../../src/backend/apisix/backend.js';
import type { Backend, BackendOptions, Exchange } from '../../src/backend/backend.js';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/index.js';
import type { Memory } from '../../src/memory/memory.js';
import { createMemory } from '../../src/memory/store.js';
import type { Json, JsonObject } from '../../src/model/json.js';
import { resolveConfiguration, type Configuration } from '../../src/pipeline/config/resolve.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { readAndDiff, sync, type JobScope } from '../../src/sync.js';

/** What a sync did, in short. */
export interface Done {
  /** `create service one`, in the order of the report. */
  readonly changes: readonly string[];
  /** `PUT /apisix/admin/services/one`, in the order in which they were answered. */
  readonly writes: readonly string[];
  readonly failed: readonly string[];
}

/** An emulated gateway and the tool's own way of talking to it. */
export interface Bench {
  readonly emulator: Emulator;
  readonly memory: Memory;
  readonly exchanges: readonly Exchange[];
  open(options?: Partial<BackendOptions>): Backend;
  sync(document: JsonObject, scope?: JobScope): Promise<Done>;
  diff(document: JsonObject, scope?: JobScope): Promise<readonly string[]>;
  /** Asks the gateway directly, past the tool. */
  admin(method: string, path: string, body?: Json): Promise<{ readonly status: number; readonly json: Json }>;
  /** The stored value of an object; undefined where there is none. */
  stored(ref: string): Promise<JsonObject | undefined>;
  close(): Promise<void>;
}

/** Makes the desired state of a document, without `managed-by`, so that values compare plainly. */
export function configurationOf(document: JsonObject, labels?: Readonly<Record<string, string>>): Configuration {
  return resolveConfiguration(document, { lint: true, managedBy: false, labels });
}

/** Starts an emulated gateway. */
export async function startBench(options: EmulatorOptions = {}): Promise<Bench> {
  const emulator = await startEmulator(options);
  const pools = createPoolManager();
  const memory = createMemory();
  const exchanges: Exchange[] = [];
  const open = (more: Partial<BackendOptions> = {}): Backend =>
    createApisix()({
      endpoints: [{ server: emulator.url, token: emulator.adminKey }],
      pools,
      memory,
      onExchange: (exchange) => void exchanges.push(exchange),
      ...more,
    });
  const admin: Bench['admin'] = async (method, path, body) => {
    const response = await fetch(`${emulator.url}/apisix/admin${path}`, {
      method,
      headers: { 'x-api-key': emulator.adminKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? null : (JSON.parse(text) as Json) };
  };
  return {
    emulator,
    memory,
    exchanges,
    open,
    admin,
    async sync(document, scope = {}) {
      const before = exchanges.length;
      const backend = open();
      try {
        const { report } = await sync({ backend, configuration: configurationOf(document, scope.labels), scope });
        const outcomes = report?.outcomes ?? [];
        return {
          changes: outcomes.map(({ change }) => `${change.type} ${change.kind} ${change.name}`),
          writes: exchanges
            .slice(before)
            .filter(({ method }) => method === 'PUT' || method === 'DELETE')
            .map(({ method, url }) => `${method} ${new URL(url).pathname}`),
          failed: outcomes
            .filter(({ status }) => status !== 'applied' && status !== 'unchanged')
            .map(({ change, error }) => `${change.key}: ${error instanceof Error ? error.message : 'no error'}`),
        };
      } finally {
        backend.close();
      }
    },
    async diff(document, scope = {}) {
      const backend = open();
      try {
        const { changes } = await readAndDiff({
          backend,
          configuration: configurationOf(document, scope.labels),
          scope,
        });
        return changes.map(({ type, kind, name }) => `${type} ${kind} ${name}`);
      } finally {
        backend.close();
      }
    },
    async stored(ref) {
      const { status, json } = await admin('GET', `/${ref}`);
      return status === 200 ? ((json as JsonObject)['value'] as JsonObject) : undefined;
    },
    async close() {
      await pools.close();
      await emulator.close();
    },
  };
}

/** A server that answers whatever a test wants. */
export interface Oddity {
  readonly url: string;
  readonly pools: Pools;
  open(options?: Partial<BackendOptions>): Backend;
  close(): Promise<void>;
}

/** Starts a server that is no gateway, or half of one. */
export async function startOddity(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Oddity> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const pools = createPoolManager();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    pools,
    open: (options = {}) =>
      createApisix()({
        endpoints: [{ server: url, token: 'oddity-token' }],
        pools,
        memory: createMemory(),
        ...options,
      }),
    async close() {
      await pools.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
