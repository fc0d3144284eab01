import { setMaxListeners } from 'node:events';
import { AdcError } from '../../model/errors.js';
import type { Operation } from '../../model/operation.js';
import type { Backend, Endpoint, OpenBackend, Reading } from '../backend.js';
import { canonicalSides } from '../shared/canonical.js';
import { createClient, type AdminClient } from '../shared/client.js';
import { project } from '../shared/project.js';
import { documentPath } from './endpoint.js';
import { executeOn } from './execute.js';
import { createJob, type Job } from './job.js';
import { noticesOf } from './notices.js';
import { pingInstance } from './ping.js';
import { createInterner, gatherReadings, readInstance, type GroupReading, type Instance } from './read.js';
import type { Goal } from './rebase.js';
import { recollect } from './remembered.js';
import { openSilences } from './silence.js';
import { validateGroup } from './validate.js';
import { chooseVersions, type Chosen } from './versions.js';

const defaultConcurrency = 10;

/** What an operation of this backend is carried out with. */
interface Task {
  readonly instance: Instance;
  readonly job: Job;
}

/**
 * Builds the backend of a group of data plane instances in API-driven standalone mode (3.13 and newer). Each holds one
 * document; a sync makes them all hold what is desired, one write each.
 *
 * @throws AdcError `usage` for no endpoint, a server that is no URL, a token that no header can carry
 */
export const openStandalone: OpenBackend = (options): Backend => {
  const endpoints = withoutRepeated(options.endpoints);
  if (endpoints.length === 0) {
    throw new AdcError('usage', 'the backend "apisix-standalone" takes at least one server');
  }
  // Every instance has a lease that listens to it.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const clients = endpoints.map((endpoint) => createClient(endpoint, options));
  const cacheKey = options.cacheKey ?? endpoints.map(({ server }) => server).join(',');
  const recollection = recollect(options.memory, cacheKey, endpoints.length);
  const silences = openSilences(options.memory);
  const interner = createInterner();
  const tasks = new WeakMap<Operation, Task>();

  const start = (client: AdminClient): Instance => ({
    client,
    isSilent: silences.isSilent(client),
    reading: silences.watch(client, (cut) => readInstance(client, recollection, interner, cut)),
  });

  const readGroup = (): Promise<GroupReading> => {
    if (options.bypassCache === true) for (const { endpoint } of clients) recollection.forget(endpoint);
    return gatherReadings(clients.map(start));
  };

  const lowerFor = (group: GroupReading, goal: Goal): readonly Operation[] => {
    const versions = chooseVersions({
      documents: group.answered.map(({ known }) => known.inventory.document),
      space: options.memory.space<Chosen>('standalone/versions'),
      cacheKey,
    });
    const job = createJob(goal, versions);
    const busy: readonly Instance[] = [
      ...group.answered.filter(({ known }) => {
        const { content, withheld } = job.writeFor(known.inventory, new Map());
        return content !== undefined || withheld.size > 0;
      }),
      ...group.dead,
      ...group.late,
    ];
    const order = new Map(clients.map((client, index) => [client, index]));
    return busy
      .toSorted((a, b) => (order.get(a.client) ?? 0) - (order.get(b.client) ?? 0))
      .map((instance) => {
        const known = group.answered.find(({ client }) => client === instance.client)?.known;
        const body =
          known === undefined ? undefined : () => job.writeFor(known.inventory, new Map()).content?.body ?? '';
        const operation: Operation = {
          id: `PUT configs ${instance.client.endpoint.server}`,
          endpoint: instance.client.endpoint.server,
          method: 'PUT',
          path: documentPath,
          body,
          object: 'configs',
          references: [],
          releases: [],
          claims: [],
          frees: [],
          serves: [],
          changes: goal.changes.map(({ key }) => key),
        };
        tasks.set(operation, { instance, job });
        return operation;
      });
  };

  const readingOf = (group: GroupReading): Reading => {
    const { inventory, version } = group.newest.known;
    return {
      state: inventory.state,
      notices: noticesOf(group),
      ...(version === undefined ? {} : { version }),
      project: (desired) => project(desired, inventory.state, inventory.features),
      // A standalone gateway adds no defaults: what it holds is what somebody wrote.
      normaliser:
        async () =>
        ({ current, desired }) =>
          canonicalSides(desired.kind, current.body, desired.body),
      lower: (changes, desired, unmanagedIn) =>
        lowerFor(group, {
          newest: inventory,
          changes,
          desired,
          ...(unmanagedIn === undefined ? {} : { unmanagedIn }),
        }),
    };
  };

  return {
    name: 'apisix-standalone',
    label: 'APISIX standalone',
    ping: () => Promise.all(clients.map(pingInstance)),
    read: async () => readingOf(await readGroup()),
    beginWriting: () => {
      for (const client of clients) client.beginWriting();
    },
    execute: (operation, cutOff) => {
      const task = tasks.get(operation);
      if (task === undefined) throw new Error(`${operation.id} is no operation of this backend`);
      return executeOn(task.instance, {
        job: task.job,
        recollection,
        interner,
        ...(cutOff === undefined ? {} : { signal: cutOff }),
      });
    },
    lagRefusal: () => undefined,
    validate: async (desired) => validateGroup(await readGroup(), desired, options.concurrency ?? defaultConcurrency),
    close: () => {
      for (const client of clients) client.close();
    },
  };
};

/** One endpoint for each server: a server named twice is written once. */
function withoutRepeated(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const byServer = new Map<string, Endpoint>();
  for (const endpoint of endpoints) if (!byServer.has(endpoint.server)) byServer.set(endpoint.server, endpoint);
  return [...byServer.values()];
}
