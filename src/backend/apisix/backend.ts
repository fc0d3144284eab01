import { AdcError } from '../../model/errors.js';
import type { Notice } from '../../model/notice.js';
import type { Backend, BackendOptions, Endpoint, OpenBackend, Reading } from '../backend.js';
import { addressOf, createClient, type Address, type AdminClient } from '../shared/client.js';
import { createDates } from '../shared/dates.js';
import { execute } from './execute.js';
import { createKnowledge } from './knowledge.js';
import { lower } from './lower.js';
import { createNormaliser } from './normalise.js';
import { ping } from './ping.js';
import { project } from '../shared/project.js';
import { readGateway, type ReadResult } from './read.js';
import { createSchemas } from './schemas.js';
import { readUnmanaged } from './unmanaged.js';
import { validate } from './validate.js';

const defaultConcurrency = 10;

/**
 * Makes what builds the backends of Apache APISIX gateways in etcd mode, 3.2 to 3.18 and whatever later ones keep. An
 * endpoint that comes again, the same object, is not worked out again.
 *
 * Building throws AdcError `usage` for other than one endpoint, a server that is no URL, a token that no header can carry.
 */
export function createApisix(): OpenBackend {
  const addresses = new WeakMap<Endpoint, Address>();
  return (options) => {
    const [endpoint, ...more] = options.endpoints;
    if (endpoint === undefined || more.length > 0) {
      throw new AdcError('usage', `the backend "apisix" takes exactly one server, not ${options.endpoints.length}`);
    }
    const address = addresses.get(endpoint) ?? addressOf(endpoint);
    addresses.set(endpoint, address);
    return backendOf(createClient(endpoint, options, address), options);
  };
}

function backendOf(client: AdminClient, options: BackendOptions): Backend {
  const schemas = createSchemas(client);
  const concurrency = options.concurrency ?? defaultConcurrency;
  const knowledge = createKnowledge();
  const toDate = createDates();

  const readingOf = ({ snapshot, features, version }: ReadResult, unmanaged: readonly Notice[]): Reading => ({
    state: snapshot.state,
    isWhole: true,
    notices: unmanaged.length === 0 ? snapshot.notices : [...snapshot.notices, ...unmanaged],
    ...(version === undefined ? {} : { version }),
    project: (desired) => project(desired, snapshot.state, features),
    normaliser: (pairs) => createNormaliser(pairs, snapshot.state, schemas, concurrency),
    lower: (changes, desired, unmanagedIn) =>
      lower({
        changes,
        desired,
        snapshot,
        features,
        endpoint: client.endpoint.server,
        ...(unmanagedIn === undefined ? {} : { unmanagedIn }),
      }),
  });

  return {
    name: 'apisix',
    label: 'APISIX',
    ping: async () => [await ping(client)],
    read: async (skip) => {
      const result = await readGateway({
        client,
        memory: options.memory,
        concurrency,
        skipCredentials: skip?.has('consumer_credential') === true,
        forget: options.bypassCache === true,
      });
      knowledge.read(result.snapshot.objects);
      return readingOf(result, options.reportUnmanaged === true ? await readUnmanaged(client) : []);
    },
    beginWriting: () => client.beginWriting(),
    execute: async (operation, signal) => {
      knowledge.checkUnused(operation, client.url(operation.path));
      const executed = await execute(client, operation, signal, toDate);
      knowledge.note(operation);
      return executed;
    },
    lagRefusal: (error, operation) => knowledge.lagRefusal(error, operation),
    validate: (desired) => validate({ client, schemas, memory: options.memory, concurrency }, desired),
    close: () => client.close(),
  };
}
