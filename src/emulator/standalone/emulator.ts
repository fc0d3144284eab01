import { startControl } from '../control.js';
import type { ConfContext } from '../admin/conf.js';
import type { Keys } from '../admin/access.js';
import { changeFaults, type FaultOptions, type Faults, noFaults } from '../faults.js';
import { serveApi } from '../http/api-server.js';
import { type ConnectionCounts, Counters, type RequestCounts } from '../http/counters.js';
import { type Listener, parseListen, type TlsOptions } from '../http/listener.js';
import { standaloneApi } from './api.js';
import { itemChecker } from './check.js';
import { InstanceDocument } from './document.js';
import { standaloneRulesFor } from './sections.js';

/** What a group of data plane instances is made of. */
export interface StandaloneOptions {
  /** What documents are checked with; shared by all instances. */
  readonly context: ConfContext;
  readonly keys: Keys;
  /** How many instances; each listens for itself. */
  readonly instances: number;
  /** Where the first instance listens. The others take the ports (or, with `unix:`, the paths with a number) after it. */
  readonly listen: string;
  readonly tls: TlsOptions | undefined;
  readonly serverHeader: boolean;
  /** The faults of every instance to begin with. */
  readonly faults: Faults;
  /** Where the control endpoint of the group listens. */
  readonly control: string | undefined;
}

/** One data plane instance. */
export interface StandaloneInstance {
  /** Where it is reached. Stays the same when it stops and starts. */
  readonly url: string;
  readonly requests: RequestCounts;
  readonly connections: ConnectionCounts;
  /** Changes the faults of this instance only. */
  setFaults(faults: FaultOptions): void;
  /** Forgets its document, as a process that starts again does, without closing a connection. */
  clear(): void;
  /** Stops listening and ends every connection. Its document is gone. */
  stop(): Promise<void>;
  /** Listens again at the same place, empty. */
  start(): Promise<void>;
}

/** A running group of data plane instances. */
export interface StandaloneGroup {
  /** The first instance's. */
  readonly url: string;
  readonly urls: readonly string[];
  readonly instances: readonly StandaloneInstance[];
  readonly controlUrl: string | undefined;
  /** Of all instances together. */
  readonly counters: Counters;
  /** Changes the faults of all instances. */
  setFaults(faults: FaultOptions): void;
  /** Empties all instances, ends all faults and starts the counters over. */
  reset(): void;
  close(): Promise<void>;
}

/** Counts for one instance and for the group. */
class InstanceCounters extends Counters {
  readonly #group: Counters;

  constructor(group: Counters) {
    super();
    this.#group = group;
  }

  override countRequest(method: string, kind: string): void {
    super.countRequest(method, kind);
    this.#group.countRequest(method, kind);
  }

  override countStatus(status: number): void {
    super.countStatus(status);
    this.#group.countStatus(status);
  }

  override connectionOpened(): void {
    super.connectionOpened();
    this.#group.connectionOpened();
  }

  override connectionClosed(): void {
    super.connectionClosed();
    this.#group.connectionClosed();
  }
}

interface Member extends StandaloneInstance {
  readonly counters: Counters;
}

/**
 * Starts a group of data plane instances in API-driven standalone mode.
 *
 * @throws RangeError on an option that makes no sense; the system's error when an instance cannot listen
 */
export async function startStandaloneGroup(options: StandaloneOptions): Promise<StandaloneGroup> {
  if (!Number.isInteger(options.instances) || options.instances < 1) {
    throw new RangeError(`instances is a whole number from 1, not ${options.instances}`);
  }
  const counters = new Counters();
  let faults = options.faults;
  const first = await startInstance(options, placeOf(options.listen, 0), counters);
  const members: Member[] = [first];
  const stopAll = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.stop()));
  };
  try {
    for (let index = 1; index < options.instances; index += 1) {
      members.push(await startInstance(options, placeOf(options.listen, index), counters));
    }
  } catch (error) {
    await stopAll();
    throw error;
  }
  const setFaults = (change: FaultOptions): void => {
    faults = changeFaults(faults, change);
    for (const member of members) member.setFaults(change);
  };
  const reset = (): void => {
    faults = noFaults;
    for (const member of members) {
      member.clear();
      member.setFaults(noFaults);
      member.counters.reset();
    }
    counters.reset();
  };
  const control =
    options.control === undefined
      ? undefined
      : await startControl(options.control, { counters, faults: () => faults, setFaults, reset });
  return {
    url: first.url,
    urls: members.map(({ url }) => url),
    instances: members,
    controlUrl: control?.url,
    counters,
    setFaults,
    reset,
    close: async () => {
      await Promise.all([stopAll(), control?.close()]);
    },
  };
}

async function startInstance(options: StandaloneOptions, place: string, group: Counters): Promise<Member> {
  const { context, keys } = options;
  const standalone = standaloneRulesFor(context.rules.version);
  const document = new InstanceDocument(standalone, itemChecker(context, standalone), () => Date.now());
  const counters = new InstanceCounters(group);
  let faults = options.faults;
  const serve = (where: string): Promise<Listener> =>
    serveApi({
      listen: where,
      tls: options.tls,
      counters,
      faults: () => faults,
      api: standaloneApi({
        document,
        rules: context.rules,
        standalone,
        keys,
        serverHeader: options.serverHeader ? `APISIX/${context.rules.version}` : undefined,
      }),
    });
  let listener: Listener | undefined = await serve(place);
  const { url } = listener;
  return {
    url,
    counters,
    get requests() {
      return counters.requests;
    },
    get connections() {
      return counters.connections;
    },
    setFaults: (change) => {
      faults = changeFaults(faults, change);
    },
    clear: () => document.clear(),
    stop: async () => {
      const running = listener;
      listener = undefined;
      document.clear();
      await running?.close();
    },
    start: async () => {
      listener ??= await serve(url);
    },
  };
}

/** Where the instance of a number listens; port 0 is any free one for each of them. */
function placeOf(listen: string, index: number): string {
  const where = parseListen(listen);
  if (where.scheme === 'unix') return index === 0 ? listen : `unix:${where.path}.${index}`;
  const host = where.host.includes(':') ? `[${where.host}]` : where.host;
  return `${where.scheme}://${host}:${where.port === 0 ? 0 : where.port + index}`;
}
