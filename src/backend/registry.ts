import { AdcError } from '../model/errors.js';
import { backendNames, type Backend, type BackendName, type BackendOptions, type OpenBackend } from './backend.js';

/** Loads the backend's code on use, so that a command pays for the one it talks to only. */
const registry: Readonly<Record<BackendName, () => Promise<OpenBackend>>> = {
  apisix: async () => (await import('./apisix/backend.js')).createApisix(),
  'apisix-standalone': async () => (await import('./standalone/backend.js')).openStandalone,
};

function isBackendName(word: string): word is BackendName {
  return (backendNames as readonly string[]).includes(word);
}

/** Builds the backend of a name, as {@link openBackend}. */
export type Opener = (name: string, options: BackendOptions) => Promise<Backend>;

/** Makes an opener that keeps what it has loaded: to import again what is there costs more than a backend does. */
export function createOpener(): Opener {
  const loaded = new Map<string, OpenBackend>();
  return async (name, options) => {
    const known = loaded.get(name);
    if (known !== undefined) return known(options);
    if (!isBackendName(name)) {
      throw new AdcError('usage', `unknown backend "${name}"; known are ${backendNames.join(', ')}`);
    }
    const open = await registry[name]();
    loaded.set(name, open);
    return open(options);
  };
}

/**
 * Builds the backend of a name.
 *
 * @throws AdcError `usage` for a name that is none: there is no default
 */
export async function openBackend(name: string, options: BackendOptions): Promise<Backend> {
  return await createOpener()(name, options);
}
