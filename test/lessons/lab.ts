import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'vitest';
import { run } from '../../src/cli/program.js';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/index.js';
import { createMemory } from '../../src/memory/store.js';
import type { JsonObject } from '../../src/model/json.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { openShell, type Ended, type Shell } from '../e2e/shell.js';

/** A gateway of a test, and the command line beside it. Both are gone when the test ends. */
export interface Lab {
  readonly emulator: Emulator;
  /** The built command in a process of its own, and the folder it works in. */
  readonly shell: Shell;
  /** Runs the command line in that folder, in this process: much sooner than a new one. */
  adc(...args: readonly string[]): Promise<Ended>;
  /** The same with more in its environment. */
  adcWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended>;
  /** Writes a configuration as JSON into `adc.yaml`, and makes the gateway match it. */
  given(document: JsonObject): Promise<void>;
  /** A request beside the tool; the answer's JSON. */
  admin(method: string, path: string, body?: JsonObject): Promise<JsonObject>;
  /** How many objects the gateway holds, by collection; empty ones are left out. */
  held(): Promise<Readonly<Record<string, number>>>;
  /** Starts counting requests anew. */
  resetCounts(): void;
  /** The requests that write which came since. */
  writes(): number;
}

const collections = [
  'services',
  'routes',
  'upstreams',
  'consumers',
  'ssls',
  'global_rules',
  'plugin_metadata',
] as const;

/** Starts a gateway on a free port. */
export async function openLab(test: Pick<TestContext, 'onTestFinished'>, options: EmulatorOptions = {}): Promise<Lab> {
  const emulator = await startEmulator(options);
  test.onTestFinished(() => emulator.close());
  const env = {
    ADC_SERVER: emulator.urls.join(','),
    ADC_TOKEN: emulator.adminKey,
    ...(options.mode === 'standalone' ? { ADC_BACKEND: 'apisix-standalone' } : {}),
  };
  const shell = openShell(test).with(env);
  let counted = writesOf(emulator);
  const admin: Lab['admin'] = async (method, path, body) => {
    const response = await fetch(`${emulator.url}/apisix/admin/${path}`, {
      method,
      headers: { 'X-API-KEY': emulator.adminKey },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as JsonObject;
  };
  const adcWith: Lab['adcWith'] = (more, ...args) => runHere(args, shell.cwd, { ...env, ...more });
  const adc: Lab['adc'] = (...args) => adcWith({}, ...args);
  return {
    emulator,
    shell,
    adc,
    adcWith,
    admin,
    given: async (document) => {
      shell.write('adc.yaml', JSON.stringify(document));
      const { status, stderr } = await adc('sync');
      if (status !== 0) throw new Error(stderr);
    },
    held: async () => {
      const counts = await Promise.all(
        collections.map(async (name): Promise<[string, number]> => [name, Number((await admin('GET', name))['total'])]),
      );
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    },
    resetCounts: () => {
      counted = writesOf(emulator);
    },
    writes: () => writesOf(emulator) - counted,
  };
}

/** What the bin does around the command line, without its signals. */
async function runHere(
  args: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = [text(stdout), text(stderr)] as const;
  const opened: Pools[] = [];
  const status = await run(args, {
    stdin: () => Readable.from([]),
    stdout,
    stderr,
    env,
    directory,
    signal: new AbortController().signal,
    signalStatus: () => undefined,
    onReload: () => () => undefined,
    openPools: async (options) => {
      const pools = createPoolManager(options);
      opened.push(pools);
      return pools;
    },
    openMemory: async () => createMemory(),
  });
  for (const pools of opened) await pools.close();
  stdout.end();
  stderr.end();
  return { status, stdout: await said[0], stderr: await said[1] };
}

function writesOf({ requests }: Emulator): number {
  const { PUT = 0, DELETE = 0, POST = 0, PATCH = 0 } = requests.byMethod;
  return PUT + DELETE + POST + PATCH;
}

/** A service with an upstream and a route. */
export const shop: JsonObject = {
  name: 'shop',
  upstream: { nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] },
  routes: [{ name: 'list', uris: ['/list'] }],
};
