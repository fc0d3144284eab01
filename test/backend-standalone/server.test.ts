import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { keepAlive, put, send, startTestServer, type Reply, type TestServer } from '../server/support.js';
import { itemsOf, service, startGroup, type Group } from './group.js';

let group: Group;
let server: TestServer;

beforeAll(async () => {
  group = await startGroup({ instances: 3 });
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await server.pools.close(0);
  await group.close();
});

let key = 0;

async function syncOver(config: JsonObject | undefined, opts: JsonObject = {}, path = '/sync'): Promise<Reply> {
  key += 1;
  return put(server.url, path, {
    task: {
      opts: {
        backend: 'apisix-standalone',
        ...('targets' in opts ? {} : { server: group.emulator.urls, token: group.emulator.adminKey }),
        cacheKey: `k${key}`,
        ...opts,
      },
      ...(config === undefined ? {} : { config }),
    },
  });
}

/** Starts an instance again, and waits until the breaker of its pool has found that out. */
async function revive(instance: number): Promise<void> {
  await group.emulator.instances[instance]!.start();
  const isBack = async (): Promise<number> => {
    const { json } = await syncOver({ services: [service('shop', ['d'])] });
    return json.failed_count;
  };
  await expect.poll(isBack, { timeout: 20_000 }).toBe(0);
}

test('an answer has an entry for every instance, and counts events once', async () => {
  const { status, json } = await syncOver({ services: [service('shop', ['a', 'b'])] });
  expect(status).toBe(202);
  expect(json).toMatchObject({ status: 'success', total_resources: 3, success_count: 3, failed_count: 0, failed: [] });
  expect(json.endpoint_status.map((entry: JsonObject) => [entry['server'], entry['success']])).toEqual(
    group.emulator.urls.map((url) => [url, true]),
  );
});

test('a refusal that can be pinned on a resource is that resource’s only', async () => {
  const bad = { name: 'bad', id: 'bad', uris: ['/bad'], plugins: { 'proxy-rewrite': { method: 'NOPE' } } };
  const { json } = await syncOver({
    services: [{ ...service('shop', []), routes: [bad, { name: 'c', id: 'c', uris: ['/c'] }] }],
  });
  expect(json).toMatchObject({ status: 'partial_failure', failed_count: 1 });
  expect(json.failed.map(({ event }: { event: JsonObject }) => [event['resourceType'], event['resourceId']])).toEqual([
    ['route', 'bad'],
  ]);
  expect(json.failed[0].reason).toContain('proxy-rewrite');
  expect(Object.keys(itemsOf(await group.documentOf(2), 'routes'))).toEqual(['c']);
});

test('a dead instance is told of by itself, even where nothing changed', async () => {
  const config = { services: [service('shop', ['d'])] };
  await group.emulator.instances[1]!.stop();
  try {
    for (const events of [2, 0]) {
      const { status, json } = await syncOver(config);
      expect(status).toBe(202);
      expect(json).toMatchObject({ status: 'partial_failure', failed_count: 1, failed: [] });
      expect(json.total_resources === 0).toBe(events === 0);
      expect(json.endpoint_status.map(({ success }: { success: boolean }) => success)).toEqual([true, false, true]);
      expect(json.endpoint_status[1].reason).toContain('ECONNREFUSED');
    }
  } finally {
    await revive(1);
  }
  expect(Object.keys(itemsOf(await group.documentOf(1), 'routes'))).toEqual(['d']);
});

test('what one resource is blamed for does not hide a dead instance', async () => {
  await group.emulator.instances[0]!.stop();
  try {
    const bad = { name: 'bad', id: 'bad', uris: ['/bad'], plugins: { 'proxy-rewrite': { method: 'NOPE' } } };
    const { json } = await syncOver({ services: [{ ...service('shop', ['e']), routes: [bad] }] });
    expect(json.failed_count).toBeGreaterThan(0);
    expect(json.failed.map(({ event }: { event: JsonObject }) => event['resourceId'])).toEqual(['bad']);
    expect(json.endpoint_status[0].success).toBe(false);
  } finally {
    await revive(0);
  }
});

test('targets give each instance its own key; dump and validate work as for any gateway', async () => {
  const targets = group.emulator.urls.map((url) => ({ server: url, token: group.emulator.adminKey }));
  const config = { services: [service('shop', ['t'])] };
  const { json } = await syncOver(config, { targets });
  expect(json).toMatchObject({ status: 'success' });
  const dumped = await syncOver(undefined, {}, '/dump');
  expect(dumped.json.config.services[0].routes.map(({ name }: JsonObject) => name)).toEqual(['t']);
  const checked = await syncOver(
    { services: [{ ...service('shop', []), routes: [{ name: 'v', uris: ['/v'], plugins: { nope: {} } }] }] },
    {},
    '/validate',
  );
  expect(checked.json).toMatchObject({ success: false, depth: 'full' });
  expect(checked.json.errors[0]).toMatchObject({ resource_type: 'routes', resource_name: 'v' });
});

test('a warm server that has nothing to do asks each instance once, for nothing but its stamp', async () => {
  const config = { services: [service('shop', ['w'])] };
  const agent = keepAlive();
  const body = JSON.stringify({
    task: {
      opts: {
        backend: 'apisix-standalone',
        server: group.emulator.urls,
        token: group.emulator.adminKey,
        cacheKey: 'w',
      },
      config,
    },
  });
  await send('PUT', server.url, '/sync', { body, agent });
  const counts = await group.requestsDuring(async () => {
    for (let round = 0; round < 3; round += 1) {
      const { json } = await send('PUT', server.url, '/sync', { body, agent });
      expect(json).toMatchObject({ status: 'success', total_resources: 0 });
    }
  });
  agent.destroy();
  expect(counts).toEqual([{ HEAD: 3 }, { HEAD: 3 }, { HEAD: 3 }]);
});

test('answers hold nothing of what was sent', async () => {
  const secret = 'planted-key-0123456789';
  const consumers = [{ username: 'ann', credentials: [{ name: 'c', type: 'key-auth', config: { key: secret } }] }];
  const { text } = await syncOver({ services: [service('shop', ['w'])], consumers });
  expect(text).not.toContain(secret);
  expect(text.length).toBeLessThan(2500);
  expect(server.lines.join('\n')).not.toContain(secret);
  expect(server.lines.join('\n')).not.toContain(group.emulator.adminKey);
});
