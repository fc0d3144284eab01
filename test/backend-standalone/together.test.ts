import { afterEach, describe, expect, test } from 'vitest';
import { startServer } from '../../src/server/server.js';
import { createMemory } from '../../src/memory/store.js';
import type { JsonObject } from '../../src/model/json.js';
import { itemsOf, service, startGroup, type Group } from './group.js';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(...args: Parameters<typeof startGroup>): Promise<Group> {
  const group = await startGroup(...args);
  closing.push(() => group.close());
  return group;
}

/** A document as far as it means something: without versions. */
async function contentOf(group: Group, instance: number): Promise<unknown> {
  const document = await group.documentOf(instance);
  const plain = (item: JsonObject): JsonObject => {
    const { modifiedIndex: _, ...rest } = item;
    return rest;
  };
  return Object.fromEntries(
    ['services', 'routes', 'upstreams', 'consumers'].map((section) => [
      section,
      Object.fromEntries(Object.entries(itemsOf(document, section)).map(([id, item]) => [id, plain(item)])),
    ]),
  );
}

test('a memory that keeps nothing, or forgets at any moment, never empties an instance', async () => {
  const groups = 8;
  const group = await start({ instances: groups }, { memory: createMemory({ bytes: 20_000 }) });
  const job = async (index: number, round: number): Promise<void> => {
    const names = Array.from({ length: 20 }, (_, route) => `r${route}-${round % 2}`);
    const { report } = await group.sync(
      { services: [service('shop', names)] },
      {
        backend: {
          endpoints: [group.endpoints[index]!],
          cacheKey: `gateway-${index}`,
          onExchange: () => group.memory.clear(),
        },
      },
    );
    expect(report?.endpoints.every(({ success }) => success)).toBe(true);
    expect(Object.keys(itemsOf(await group.documentOf(index), 'routes')).sort()).toEqual([...names].sort());
  };
  for (let round = 0; round < 6; round += 1) {
    await Promise.all(Array.from({ length: groups }, (_, index) => job(index, round)));
  }
});

describe.each(['3.13.0', '3.18.0'])('two processes that write the same instances, on %s', (gatewayVersion) => {
  test('leave one of the two wanted states on each, and the next sync of either repairs it', async () => {
    const group = await start({ gatewayVersion, instances: 3 });
    const files = [
      { services: [service('shop', ['a', 'b'])], consumers: [{ username: 'ann' }] },
      { services: [service('shop', ['a'], { hosts: ['two.test'] }), service('more', ['m'])], consumers: [] },
    ];
    const wanted: unknown[] = [];
    for (const file of files) {
      await group.sync(file);
      wanted.push(await contentOf(group, 0));
    }
    const memories = [createMemory(), createMemory()];
    const syncAs = (who: number): ReturnType<Group['sync']> =>
      group.sync(files[who]!, { backend: { memory: memories[who]! } });
    for (let round = 0; round < 12; round += 1) {
      await Promise.all([syncAs(0), syncAs(1)]);
      for (const index of [0, 1, 2]) expect(wanted).toContainEqual(await contentOf(group, index));
      const loser = round % 2;
      const { report } = await syncAs(loser);
      expect(report?.endpoints.every(({ success }) => success)).toBe(true);
      for (const index of [0, 1, 2]) expect(await contentOf(group, index)).toEqual(wanted[loser]);
    }
  });
});

test('four syncs at once on one cache key, each with a label scope of its own: the server loses none', async () => {
  const group = await start({ instances: 3 });
  const server = await startServer({
    listen: 'http://127.0.0.1:0',
    statusPort: 0,
    writeLog: () => undefined,
    pools: group.pools,
    memory: group.memory,
  });
  closing.push(() => server.close());
  const teams = ['red', 'green', 'blue', 'grey'];
  for (let round = 0; round < 6; round += 1) {
    const answers = await Promise.all(
      teams.map(async (team) => {
        const answer = await fetch(`${server.addresses[0]}/sync`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            task: {
              opts: {
                backend: 'apisix-standalone',
                server: group.emulator.urls,
                token: group.emulator.adminKey,
                cacheKey: 'one',
                labelSelector: { team },
              },
              config: {
                services: [{ ...service(team, [`${team}-${round}`]), labels: { team } }],
              },
            },
          }),
        });
        return (await answer.json()) as JsonObject;
      }),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'success', failed_count: 0, failed: [] });
      expect(answer['endpoint_status']).toMatchObject(
        group.emulator.urls.map((url) => ({ server: url, success: true })),
      );
    }
    for (const index of [0, 1, 2]) {
      const document = await group.documentOf(index);
      expect(Object.keys(itemsOf(document, 'routes')).sort()).toEqual(teams.map((team) => `${team}-${round}`).sort());
    }
  }
});
