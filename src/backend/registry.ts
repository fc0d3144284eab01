import { AdcError } from '../model/errors.js';
import { backendNames, type Backend, type BackendName, type BackendOptions, type OpenBackend } from './backend.js';

/** Loads the backend's code on use, so that a command pays for the one it talks to only. */
const registry: Readonly<Record<BackendName, () => Promise<OpenBackend>>> = {
  apisix: async () => (await import('./apisix/backend.js')).openApisix,
  'apisix-standalone': async () => (await import('./standalone/backend.js')).openStandalone,
};

function isBackendName(word: string): word is BackendName {
  return (backendNames as readonly string[]).includes(word);
}

/**
 * Builds the backend of a name.
 *
 * @throws AdcError `usage` for a name that is none: there is no default
 */
export async function openBackend(name: string, options: BackendOptions): Promise<Backend> {
  if (!isBackendName(name)) {
    throw new AdcError('usage', `unknown backend "${name}"; known are ${backendNames.join(', ')}`);
  }
  const open = await registry[name]();
  return open(options);
}
