import type { Backend, Reading } from '../backend/backend.js';
import { AdcError } from '../model/errors.js';
import type { State } from '../model/resource.js';
import { loadConfiguration } from '../pipeline/config/load.js';
import type { Context } from './context.js';

/**
 * Loads the file that stands for the state of the gateway, where one is given.
 *
 * @throws AdcError `usage` where the experiment is not switched on; what loading a configuration throws
 */
export async function loadRemoteState(path: string | undefined, context: Context): Promise<State | undefined> {
  if (path === undefined) return undefined;
  const features = (context.env['ADC_EXPERIMENTAL_FEATURE_FLAGS'] ?? '').split(',').map((word) => word.trim());
  if (!features.includes('remote-state-file')) {
    throw new AdcError(
      'usage',
      '--remote-state-file is an experiment; switch it on with ADC_EXPERIMENTAL_FEATURE_FLAGS=remote-state-file',
    );
  }
  const { state } = await loadConfiguration({
    files: [path],
    cwd: context.directory,
    env: context.env,
    stdin: context.stdin,
    allowUnsetEnv: false,
    lint: true,
    managedBy: false,
  });
  return state;
}

/**
 * A backend whose gateway seems to hold another state than it does. Everything else, the snapshot that writes need
 * included, is the gateway's.
 */
export function withRemoteState(backend: Backend, state: State | undefined): Backend {
  if (state === undefined) return backend;
  return {
    name: backend.name,
    label: backend.label,
    ping: () => backend.ping(),
    read: async (skip) => pretend(await backend.read(skip), state),
    beginWriting: () => backend.beginWriting(),
    execute: (operation, signal) => backend.execute(operation, signal),
    lagRefusal: (error, operation) => backend.lagRefusal(error, operation),
    validate: (desired) => backend.validate(desired),
    close: () => backend.close(),
  };
}

function pretend(reading: Reading, state: State): Reading {
  return {
    state,
    notices: reading.notices,
    ...(reading.version === undefined ? {} : { version: reading.version }),
    project: (desired) => reading.project(desired),
    normaliser: (pairs) => reading.normaliser(pairs),
    lower: (...given) => reading.lower(...given),
  };
}
