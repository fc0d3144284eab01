import type { Keys } from './admin/access.js';
import { AdminApi } from './admin/admin-api.js';
import { maxBodySize } from './admin/body.js';
import type { ConfContext } from './admin/conf.js';
import { segmentsOf } from './admin/target.js';
import { visibilityFor } from './admin/visibility.js';
import { startControl } from './control.js';
import { DataFile } from './data-file.js';
import { changeFaults, type FaultOptions, type Faults, noFaults, parseSpan, type SpanInput } from './faults.js';
import { type PluginDefinitions, readDefinitions } from './plugins.js';
import { commonPlugins } from './plugins/common.js';
import { streamPlugins } from './plugins/stream.js';
import { coreSchemas } from './schema/core.js';
import { Validator } from './schema/validator.js';
import { serveApi } from './http/api-server.js';
import { type ConnectionCounts, Counters, type RequestCounts } from './http/counters.js';
import type { Listener, TlsOptions } from './http/listener.js';
import { startStandaloneGroup, type StandaloneInstance } from './standalone/emulator.js';
import { Store } from './store.js';
import { rulesFor } from './versions.js';

/** The admin key that a gateway has until its operator sets another. */
export const defaultAdminKey = 'edd1c9f034335f136f87ad84b625c8f1';

/** How an emulator is set up. Everything has a default. */
export interface EmulatorOptions extends FaultOptions {
  /**
   * `etcd`: one gateway with an Admin API of many paths. `standalone`: data plane instances, each with one document that
   * is written whole and that it forgets when it stops (from gateway 3.13). Default `etcd`.
   */
  readonly mode?: 'etcd' | 'standalone';
  /** How many instances there are in standalone mode, each at a place of its own. Default 1. */
  readonly instances?: number;
  /** `http://host:port`, `https://host:port` (with `tls`) or `unix:/path`; port 0 takes any free one. Default `http://127.0.0.1:0`. */
  readonly listen?: string;
  /** The gateway version whose behaviour is followed. Default `3.18.0`. */
  readonly gatewayVersion?: string;
  /** The key that may do everything. Default: {@link defaultAdminKey}. */
  readonly adminKey?: string;
  /** A key that may only read. Default: none. */
  readonly viewerKey?: string;
  /** How many workers answer, each with its own order of keys and its own lag. Default 1. */
  readonly workers?: number;
  /** How far a worker's memory is behind the store: milliseconds, `5ms`, `2-7ms`. Default 0. */
  readonly lag?: SpanInput;
  /** A file that keeps the state. Default: memory only. */
  readonly data?: string;
  /** The server's certificate, and the authority of its clients'. Required with `https://`. */
  readonly tls?: TlsOptions;
  /** Stream routes are served. Default true. */
  readonly streamMode?: boolean;
  /** Answers carry `Server: APISIX/{version}`. Default true. */
  readonly serverHeader?: boolean;
  /** Plugin schemas as a gateway's `GET /apisix/admin/plugins?all=true` returns them. Default: the emulator's own. */
  readonly schemas?: object;
  /** Where the control endpoint listens, `http://127.0.0.1:0` for instance. Default: none. */
  readonly control?: string;
}

/** A running emulator. */
export interface Emulator {
  /** Where it is reached: `http://127.0.0.1:40123`, or `unix:/path`. In standalone mode, the first instance. */
  readonly url: string;
  /** Where every instance is reached; in etcd mode just {@link Emulator.url}. */
  readonly urls: readonly string[];
  /** The key that may do everything. */
  readonly adminKey: string;
  /** Where its control endpoint is reached, if it has one. */
  readonly controlUrl?: string;
  /** What was asked so far. */
  readonly requests: RequestCounts;
  /** The connections so far. */
  readonly connections: ConnectionCounts;
  /** Changes the faults from the next request on; what is not named stays. */
  setFaults(faults: FaultOptions): void;
  /** Empties the state, ends all faults and starts the counters over. */
  reset(): void;
  /** Stops listening, ends every connection, and writes the data file a last time. */
  close(): Promise<void>;
}

/** An emulator in standalone mode: its instances can be stopped, emptied and troubled one by one. */
export interface StandaloneEmulator extends Emulator {
  readonly instances: readonly StandaloneInstance[];
}

/**
 * Starts an Admin API that behaves as a gateway's does.
 *
 * @throws RangeError on an option that makes no sense; the system's error when it cannot listen or read the data file.
 */
export async function startEmulator(
  options: EmulatorOptions & { readonly mode: 'standalone' },
): Promise<StandaloneEmulator>;
export async function startEmulator(options?: EmulatorOptions): Promise<Emulator>;
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const rules = rulesFor(options.gatewayVersion ?? '3.18.0');
  const workers = options.workers ?? 1;
  if (!Number.isInteger(workers) || workers < 1)
    throw new RangeError(`workers is a whole number from 1, not ${workers}`);
  const initialFaults = changeFaults(noFaults, options);
  const lag = parseSpan(options.lag ?? 0);
  const plugins: PluginDefinitions =
    options.schemas === undefined ? commonPlugins(rules) : readDefinitions(options.schemas);
  const adminKey = options.adminKey ?? defaultAdminKey;
  const counters = new Counters();
  const store = new Store();
  const context: ConfContext = {
    rules,
    store,
    validator: new Validator(),
    plugins,
    streamPlugins: streamPlugins(rules, plugins),
    core: coreSchemas(rules),
  };
  const keys = { admin: adminKey, viewer: options.viewerKey };
  if (options.mode === 'standalone') return startStandalone(options, context, keys, initialFaults);
  if (options.instances !== undefined) throw new RangeError('instances is for the standalone mode');
  const api = new AdminApi({
    ...context,
    keys,
    visibility: visibilityFor(rules, (plugin, part) => {
      const definition = plugins[plugin];
      const schema =
        part === 'consumer'
          ? (definition?.consumer_schema ?? definition?.schema)
          : part === 'metadata'
            ? definition?.metadata_schema
            : definition?.schema;
      return schema?.encrypt_fields ?? [];
    }),
    streamMode: options.streamMode ?? true,
    workers,
    lag,
    now: () => performance.now(),
  });
  const data = options.data === undefined ? undefined : DataFile.open(options.data, store);
  let faults = initialFaults;
  const setFaults = (change: FaultOptions): void => {
    faults = changeFaults(faults, change);
  };
  const reset = (): void => {
    store.clear();
    counters.reset();
    faults = noFaults;
  };
  const listener = await serveApi({
    listen: options.listen ?? 'http://127.0.0.1:0',
    tls: options.tls,
    counters,
    faults: () => faults,
    api: {
      maxBodySize,
      workers,
      serverHeader: (options.serverHeader ?? true) ? `APISIX/${rules.version}` : undefined,
      answer: (request, worker) => api.answer(request, worker),
      kindOf: (path) => segmentsOf(path)?.[0] ?? 'other',
    },
  }).catch((error: unknown) => {
    data?.close();
    throw error;
  });
  const closeAll = async (): Promise<void> => {
    await Promise.all([listener.close(), control?.close()]);
    data?.close();
  };
  let closing: Promise<void> | undefined;
  let control: Listener | undefined;
  if (options.control !== undefined) {
    try {
      control = await startControl(options.control, { counters, faults: () => faults, setFaults, reset });
    } catch (error) {
      await closeAll();
      throw error;
    }
  }
  return {
    url: listener.url,
    urls: [listener.url],
    adminKey,
    ...(control === undefined ? {} : { controlUrl: control.url }),
    get requests() {
      return counters.requests;
    },
    get connections() {
      return counters.connections;
    },
    setFaults,
    reset,
    close: () => (closing ??= closeAll()),
  };
}

async function startStandalone(
  options: EmulatorOptions,
  context: ConfContext,
  keys: Keys,
  faults: Faults,
): Promise<StandaloneEmulator> {
  if (options.data !== undefined)
    throw new RangeError('an instance in standalone mode keeps nothing: data is for etcd mode');
  if ((options.workers ?? 1) > 1) throw new RangeError('workers are for etcd mode; use instances');
  const { url, ...group } = await startStandaloneGroup({
    context,
    keys,
    instances: options.instances ?? 1,
    listen: options.listen ?? 'http://127.0.0.1:0',
    tls: options.tls,
    serverHeader: options.serverHeader ?? true,
    faults,
    control: options.control,
  });
  return {
    url,
    urls: group.urls,
    instances: group.instances,
    adminKey: keys.admin,
    ...(group.controlUrl === undefined ? {} : { controlUrl: group.controlUrl }),
    get requests() {
      return group.counters.requests;
    },
    get connections() {
      return group.counters.connections;
    },
    setFaults: (change) => group.setFaults(change),
    reset: () => group.reset(),
    close: () => group.close(),
  };
}
