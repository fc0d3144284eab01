import type { Backend, BackendOptions } from '../../src/backend/backend.js';
import { openBackend } from '../../src/backend/registry.js';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/index.js';
import { createMemory } from '../../src/memory/store.js';
import type { JsonObject } from '../../src/model/json.js';
import { resolveConfiguration, type Configuration, type ResolveOptions } from '../../src/pipeline/config/resolve.js';
import { createPoolManager } from '../../src/pool/manager.js';

/** An embedded Admin API, and the tool connected to it. */
export interface Emulated {
  readonly emulator: Emulator;
  /** Opens a backend for one job; closed with everything else. */
  readonly open: (options?: Partial<BackendOptions>) => Promise<Backend>;
  /** A request beside the tool; the answer's JSON. */
  readonly admin: (method: string, path: string, body?: JsonObject) => Promise<JsonObject>;
  readonly close: () => Promise<void>;
}

/** Starts both, on free ports. */
export async function startEmulated(options: EmulatorOptions = {}): Promise<Emulated> {
  const emulator = await startEmulator(options);
  const pools = createPoolManager();
  const memory = createMemory();
  const backends: Backend[] = [];
  const endpoints = emulator.urls.map((server) => ({ server, token: emulator.adminKey }));
  return {
    emulator,
    open: async (more = {}) => {
      const name = options.mode === 'standalone' ? 'apisix-standalone' : 'apisix';
      const backend = await openBackend(name, { endpoints, pools, memory, ...more });
      backends.push(backend);
      return backend;
    },
    admin: async (method, path, body) => {
      const response = await fetch(`${emulator.url}/apisix/admin/${path}`, {
        method,
        headers: { 'X-API-KEY': emulator.adminKey },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await response.json()) as JsonObject;
    },
    close: async () => {
      for (const backend of backends) backend.close();
      await pools.close(0);
      await emulator.close();
    },
  };
}

/** A document as the command line resolves it, without the `managed-by` label. */
export function configured(document: JsonObject, options: Partial<ResolveOptions> = {}): Configuration {
  return resolveConfiguration(document, { lint: true, managedBy: false, ...options });
}
