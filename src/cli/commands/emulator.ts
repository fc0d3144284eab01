import { readFileSync } from 'node:fs';
import type { Emulator, EmulatorOptions, FaultOptions, TlsOptions } from '../../emulator/index.js';
import { openBackend } from '../../backend/registry.js';
import { AdcError } from '../../model/errors.js';
import { isJsonObject } from '../../model/json.js';
import { loadConfiguration } from '../../pipeline/config/load.js';
import { sync } from '../../sync.js';
import type { Context } from '../context.js';
import type { EmulatorValues } from '../service-options.js';

/** Serves an Admin API until a signal comes. */
export async function run(context: Context, values: EmulatorValues): Promise<number> {
  const { terminal, signal } = context;
  const seeded = values.seed.length > 0;
  if (seeded && (values.listen.startsWith('unix:') || values.caCertFile !== undefined)) {
    throw new AdcError('usage', '--seed needs an http:// or https:// address that takes clients without a certificate');
  }
  const faults = faultsOf(values);
  // What goes wrong on purpose must not meet the seed.
  const emulator = await start({ ...optionsOf(values), ...(seeded ? {} : faults) });
  try {
    if (seeded) {
      await seed(emulator, values, context);
      emulator.setFaults(faults);
    }
    const key = values.adminKey === undefined ? `; admin key ${emulator.adminKey}` : '';
    terminal.say(`APISIX ${values.gatewayVersion} Admin API, emulated${key}; Ctrl-C ends it`);
    if (emulator.controlUrl !== undefined) terminal.say(`control endpoint ${emulator.controlUrl}`);
    await terminal.print(`${emulator.urls.join(',')}\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return 0;
  } finally {
    await emulator.close();
  }
}

/** Options that make no sense come as RangeErrors, addresses and files as the system's errors. */
async function start(options: EmulatorOptions): Promise<Emulator> {
  const { startEmulator } = await import('../../emulator/index.js');
  try {
    return await startEmulator(options);
  } catch (error) {
    if (error instanceof RangeError) throw new AdcError('usage', error.message, { cause: error });
    if (error instanceof Error && 'code' in error) {
      throw new AdcError('file', `the emulator cannot start: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function optionsOf(values: EmulatorValues): EmulatorOptions {
  const tls = tlsOf(values);
  const schemas = values.schemas === undefined ? undefined : readSchemas(values.schemas);
  return {
    listen: values.listen,
    gatewayVersion: values.gatewayVersion,
    mode: values.mode,
    workers: values.workers,
    streamMode: values.streamMode,
    serverHeader: values.serverHeader,
    ...(values.instances === undefined ? {} : { instances: values.instances }),
    ...(values.adminKey === undefined ? {} : { adminKey: values.adminKey }),
    ...(values.viewerKey === undefined ? {} : { viewerKey: values.viewerKey }),
    ...(values.lag === undefined ? {} : { lag: values.lag }),
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(values.control === undefined ? {} : { control: values.control }),
    ...(tls === undefined ? {} : { tls }),
    ...(schemas === undefined ? {} : { schemas }),
  };
}

function faultsOf(values: EmulatorValues): FaultOptions {
  return {
    failRate: values.failRate,
    failStatus: values.failStatus,
    resetRate: values.resetRate,
    resetWhen: values.resetWhen,
    hangRate: values.hangRate,
    methods: values.faultMethod,
    ...(values.faultPath === undefined ? {} : { path: values.faultPath }),
    ...(values.latency === undefined ? {} : { latency: values.latency }),
  };
}

function tlsOf({ tlsCertFile, tlsKeyFile, caCertFile }: EmulatorValues): TlsOptions | undefined {
  if (tlsCertFile === undefined && tlsKeyFile === undefined) return undefined;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    throw new AdcError('tls_material', '--tls-cert-file and --tls-key-file must be given together');
  }
  return {
    cert: readText(tlsCertFile),
    key: readText(tlsKeyFile),
    ...(caCertFile === undefined ? {} : { ca: readText(caCertFile) }),
  };
}

function readSchemas(path: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof AdcError) throw error;
    throw new AdcError(
      'syntax',
      `--schemas ${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!isJsonObject(parsed))
    throw new AdcError('syntax', `--schemas ${path} is not what GET /plugins?all=true answers`);
  return parsed;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AdcError('file', `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Syncs files to the emulator, as anybody would. */
async function seed(emulator: Emulator, values: EmulatorValues, context: Context): Promise<void> {
  const configuration = await loadConfiguration({
    files: values.seed,
    cwd: context.directory,
    env: context.env,
    stdin: context.stdin,
    allowUnsetEnv: false,
    lint: true,
    managedBy: true,
  });
  const backend = await openBackend(values.mode === 'standalone' ? 'apisix-standalone' : 'apisix', {
    endpoints: emulator.urls.map((server) => ({ server, token: emulator.adminKey, tls: { verify: false } })),
    pools: await context.openPools({}),
    memory: await context.openMemory(),
    signal: context.signal,
  });
  try {
    const { report } = await sync({ backend, configuration, signal: context.signal });
    const failed = report?.outcomes.find((outcome) => outcome.status !== 'applied' && outcome.status !== 'unchanged');
    if (failed !== undefined) {
      const why = failed.error instanceof Error ? failed.error.message : 'what it depends on was refused';
      throw new AdcError(
        'not_applied',
        `the seed was not taken: ${failed.change.kind} "${failed.change.name}": ${why}`,
      );
    }
    context.terminal.say(`seeded with ${report?.outcomes.length ?? 0} resources`);
  } finally {
    backend.close();
  }
}
