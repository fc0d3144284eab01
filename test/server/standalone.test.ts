import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmulator, type StandaloneEmulator } from '../../src/emulator/index.js';
import { syncAnswerSchema } from '../../src/server/answers.js';
import { put, smallConfig, startTestServer, task, type Reply, type TestServer } from './support.js';

let gateway: StandaloneEmulator;
let server: TestServer;
beforeEach(async () => {
  gateway = await startEmulator({ mode: 'standalone', instances: 2 });
  server = await startTestServer();
});
afterEach(async () => {
  await server.close();
  await gateway.close();
});

const sync = async (config: unknown, opts: Record<string, unknown> = {}): Promise<Reply> => {
  const all = { backend: 'apisix-standalone', server: gateway.urls, timeout: 5_000, ...opts };
  const reply = await put(server.url, '/sync', task('', gateway.adminKey, config, all));
  expect(reply.status).toBe(202);
  expect(() => syncAnswerSchema.parse(reply.json)).not.toThrow();
  const { failed_count, failed, endpoint_status } = reply.json;
  expect(endpoint_status.map((endpoint: { server: string }) => endpoint.server)).toEqual(all.server);
  if (failed_count > 0)
    expect(failed.length > 0 || endpoint_status.some(({ success }: { success: boolean }) => !success)).toBe(true);
  for (const { requested_at } of endpoint_status)
    expect(requested_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  return reply;
};

it('writes every instance, and tells of each', async () => {
  const created = await sync(smallConfig);
  expect(created.json).toMatchObject({
    status: 'success',
    total_resources: 3,
    success_count: 3,
    failed_count: 0,
    failed: [],
  });
  expect(created.json.endpoint_status.map(({ success }: { success: boolean }) => success)).toEqual([true, true]);
  const writes = gateway.requests.byMethod['PUT'];
  const again = await sync(smallConfig);
  expect(again.json).toMatchObject({ status: 'success', total_resources: 0, failed_count: 0 });
  expect(gateway.requests.byMethod['PUT']).toBe(writes);
});

it('fails endpoints, not resources, where no resource is to blame; also without any event', async () => {
  const dead = 'http://127.0.0.1:9';
  const servers = [gateway.urls[0], dead];
  const partly = await sync(smallConfig, { server: servers });
  expect(partly.json).toMatchObject({ status: 'partial_failure', failed_count: 1, failed: [] });
  expect(partly.json.endpoint_status[0].success).toBe(true);
  expect(partly.json.endpoint_status[1]).toMatchObject({
    success: false,
    reason: expect.stringContaining('connect ECONNREFUSED 127.0.0.1:9'),
  });
  const nothing = await sync(smallConfig, { server: servers });
  expect(nothing.json).toMatchObject({ status: 'partial_failure', failed_count: 1, failed: [] });
});

it('says of an instance that stopped answering what was asked of it, and that nothing was written', async () => {
  let silent = false;
  const between = createServer((incoming, outgoing) => {
    if (silent) return;
    const { method, headers, url = '' } = incoming;
    incoming.pipe(
      request(`${gateway.urls[1]}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  const server = [gateway.urls[0], url];
  try {
    expect((await sync(smallConfig, { server })).json.failed_count).toBe(0);
    silent = true;
    for (const bypassCache of [false, true]) {
      const reply = await sync(smallConfig, { server, timeout: 2_000, bypassCache });
      expect(reply.json.endpoint_status[1].success).toBe(false);
      expect(reply.json.endpoint_status[1].reason).toMatch(/^(?:GET|HEAD) http:/);
      expect(reply.text).not.toContain('may have been applied');
    }
  } finally {
    between.closeAllConnections();
    between.close();
  }
});

it('blames the resource that an instance refuses', async () => {
  const bad = {
    services: [
      ...smallConfig.services,
      { name: 'bad', routes: [{ name: 'r', uris: ['/r'], plugins: { 'limit-count': { count: -1 } } }] },
    ],
  };
  const reply = await sync(bad);
  expect(reply.json.failed_count).toBeGreaterThan(0);
  const blamed = reply.json.failed.map(({ event }: { event: { resourceName: string } }) => event.resourceName);
  expect(blamed).toContain('r');
});

it('fills an instance that started again empty, and none of the others', async () => {
  await sync(smallConfig);
  gateway.instances[0]?.clear();
  const writes = gateway.instances.map(({ requests }) => requests.byMethod['PUT'] ?? 0);
  const repaired = await sync(smallConfig, { bypassCache: true });
  expect(repaired.json).toMatchObject({ status: 'success', failed_count: 0 });
  expect(
    gateway.instances.map(({ requests }, index) => (requests.byMethod['PUT'] ?? 0) - (writes[index] ?? 0)),
  ).toEqual([1, 0]);
  expect((await sync(smallConfig)).json.total_resources).toBe(0);
});

it('answers 500 where no instance can be read, and nothing was written', async () => {
  const opts = { backend: 'apisix-standalone', server: ['http://127.0.0.1:9', 'http://127.0.0.1:10'], timeout: 3_000 };
  const reply = await put(server.url, '/sync', task('', gateway.adminKey, smallConfig, opts));
  expect(reply.status).toBe(500);
  expect(reply.json.message).toMatch(/GET http:\/\/127\.0\.0\.1:9\S+: connect ECONNREFUSED 127\.0\.0\.1:9/);
});
