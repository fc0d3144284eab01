import { getEventListeners } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { AdcError } from '../../src/model/errors.js';
import { syncAnswerSchema } from '../../src/server/answers.js';
import {
  keepAlive,
  put,
  send,
  smallConfig,
  startTestServer,
  task,
  until,
  type Reply,
  type TestServer,
} from './support.js';

let gateway: Emulator;
let server: TestServer;
beforeAll(async () => {
  gateway = await startEmulator();
  server = await startTestServer();
});
beforeEach(() => gateway.reset());
afterAll(async () => {
  await server.close();
  await gateway.close();
});

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Reads a `/sync` answer the way its caller does, with types as strict as Go's. */
function decodeAsCaller(reply: Reply): void {
  expect(reply.status).toBe(202);
  const answer = reply.json;
  for (const field of ['total_resources', 'success_count', 'failed_count'])
    expect(Number.isInteger(answer[field])).toBe(true);
  expect(['success', 'partial_failure', 'all_failed']).toContain(answer.status);
  for (const { event, server, synced_at } of answer.success) {
    expect(server).toBeTypeOf('string');
    expect(synced_at).toMatch(rfc3339);
    expectEvent(event);
  }
  for (const { event, server, failed_at, reason, response } of answer.failed) {
    expect(server).toBeTypeOf('string');
    expect(failed_at).toMatch(rfc3339);
    expect(reason).toBeTypeOf('string');
    expect(reason).not.toBe('');
    expectEvent(event);
    if (response === undefined) continue;
    expect(Number.isInteger(response.status)).toBe(true);
    for (const value of Object.values(response.headers)) expect(value).toBeTypeOf('string');
  }
  expect(answer.success_count).toBe(answer.success.length);
  if (answer.failed_count > 0) expect(answer.failed.length + (answer.endpoint_status ?? []).length).toBeGreaterThan(0);
  expect(answer.status === 'success').toBe(answer.failed_count === 0);
  for (const unwanted of ['request', '"undefined"']) expect(reply.text).not.toContain(`"${unwanted}":`);
  expect(() => syncAnswerSchema.parse(answer)).not.toThrow();
}

function expectEvent(event: Record<string, unknown>): void {
  expect(event).toEqual(
    expect.objectContaining({
      resourceType: expect.stringMatching(/./),
      type: expect.stringMatching(/^(create|update|delete)$/),
      resourceId: expect.stringMatching(/./),
      resourceName: expect.any(String),
    }),
  );
  expect(
    Object.keys(event).filter(
      (key) => !['resourceType', 'type', 'resourceId', 'resourceName', 'parentId'].includes(key),
    ),
  ).toEqual([]);
  if ('parentId' in event) expect(event['parentId']).toBeTypeOf('string');
}

const sync = async (config: unknown, opts: Record<string, unknown> = {}): Promise<Reply> =>
  await put(server.url, '/sync', task(gateway.url, gateway.adminKey, config, opts));

it('creates, then finds nothing to do, then deletes; one service is one event', async () => {
  const created = await sync(smallConfig);
  decodeAsCaller(created);
  expect(created.json).toMatchObject({ status: 'success', total_resources: 3, success_count: 3, failed_count: 0 });
  expect(created.json.success.map(({ event }: never) => event['resourceType'])).toEqual(
    expect.arrayContaining(['service', 'route', 'route']),
  );

  const writes = gateway.requests.byMethod['PUT'];
  const again = await sync(smallConfig);
  decodeAsCaller(again);
  expect(again.json).toEqual({
    status: 'success',
    total_resources: 0,
    success_count: 0,
    failed_count: 0,
    success: [],
    failed: [],
  });
  expect(gateway.requests.byMethod['PUT']).toBe(writes);

  const emptied = await sync({});
  decodeAsCaller(emptied);
  expect(emptied.json).toMatchObject({ status: 'success', total_resources: 3, success_count: 3 });
});

it('writes numbers given as strings as numbers, fills defaults in, and injects no managed-by label', async () => {
  const config = { services: [{ name: 's', upstream: { nodes: [{ host: 'a', port: '80', weight: '1' }] } }] };
  expect((await sync(config)).json.status).toBe('success');
  expect((await sync(config)).json.total_resources).toBe(0);
  const stored = await send('GET', gateway.url, '/apisix/admin/services', {
    headers: { 'x-api-key': gateway.adminKey },
  });
  expect(stored.text).not.toContain('managed-by');
  const upstreams = await send('GET', gateway.url, '/apisix/admin/upstreams', {
    headers: { 'x-api-key': gateway.adminKey },
  });
  expect(`${stored.text}${upstreams.text}`).toMatch(/"port":80\b/);
});

it('says which writes failed, in the words of the gateway, and carries on with the rest', async () => {
  const config = {
    services: [
      { name: 'good', routes: [{ name: 'fine', uris: ['/fine'] }] },
      {
        name: 'other',
        routes: [{ name: 'bad', uris: ['/bad'], plugins: { 'no-such-plugin': { token: 'planted-secret' } } }],
      },
    ],
  };
  const reply = await sync(config);
  decodeAsCaller(reply);
  expect(reply.json).toMatchObject({
    status: 'partial_failure',
    total_resources: 4,
    success_count: 3,
    failed_count: 1,
  });
  const [failed] = reply.json.failed;
  expect(failed.event).toMatchObject({ resourceType: 'route', type: 'create', resourceName: 'bad' });
  expect(failed.reason).toMatch(
    /^PUT http:\S+\/apisix\/admin\/routes\/\S+, responded with status 400 Bad Request, error_msg: .*no-such-plugin/,
  );
  expect(failed.response).toMatchObject({
    status: 400,
    data: { error_msg: expect.stringContaining('no-such-plugin') },
  });
  expect(failed.server).toBe(gateway.url);
  expect(reply.text).not.toContain('planted-secret');
});

it('says all_failed when nothing could be written', async () => {
  gateway.setFaults({ failRate: 1, failStatus: 400, methods: ['PUT'] });
  const reply = await sync(smallConfig);
  decodeAsCaller(reply);
  expect(reply.json).toMatchObject({ status: 'all_failed', total_resources: 3, success_count: 0, failed_count: 3 });
  const routes = reply.json.failed.filter(({ event }: never) => event['resourceType'] === 'route');
  for (const { reason } of routes) expect(reason).toContain('not sent: service "shop" was not applied');
});

it('answers 500 naming method, URL and cause where nothing was written', async () => {
  const refused = await put(server.url, '/sync', task('http://127.0.0.1:9', gateway.adminKey, {}));
  expect(refused.status).toBe(500);
  expect(refused.json.message).toMatch(
    /^GET http:\/\/127\.0\.0\.1:9\/apisix\/admin\/\S+: .*connect ECONNREFUSED 127\.0\.0\.1:9/,
  );
  const wrongKey = await put(server.url, '/sync', task(gateway.url, 'planted-wrong-key', {}));
  expect(wrongKey.status).toBe(500);
  expect(wrongKey.json.message).toMatch(/^GET http:\S+, responded with status 401/);
  expect(wrongKey.text).not.toContain('planted-wrong-key');
});

it('keeps to the scope that labels and kinds draw', async () => {
  await sync({ services: [{ name: 'outside' }], consumers: [{ username: 'ann' }] });
  await sync({ services: [{ name: 'inside' }] }, { labelSelector: { team: 'a' } });
  await sync({ services: [] }, { includeResourceType: ['service'], labelSelector: { team: 'a' } });
  const dump = await put(server.url, '/dump', {
    task: { opts: (task(gateway.url, gateway.adminKey, {}) as { task: { opts: object } }).task.opts },
  });
  expect(dump.status).toBe(200);
  expect(dump.json.config.services.map(({ name }: never) => name)).toEqual(['outside']);
  expect(dump.json.config.consumers.map(({ username }: never) => username)).toEqual(['ann']);
  const nothing = await sync({}, { includeResourceType: [], excludeResourceType: ['service', 'consumer'] });
  expect(nothing.json.total_resources).toBe(0);
});

it('shows a difference without writing, secrets masked', async () => {
  const consumer = (key: string): unknown => ({
    consumers: [{ username: 'ann', credentials: [{ name: 'c', type: 'key-auth', config: { key } }] }],
  });
  await sync(consumer('planted-old-key'));
  const writes = gateway.requests.byMethod['PUT'];
  const reply = await put(server.url, '/diff', task(gateway.url, gateway.adminKey, consumer('planted-new-key')));
  expect(reply.status).toBe(200);
  expect(reply.json).toMatchObject({ total_resources: 1, summary: { create: 0, update: 1, delete: 0 } });
  expect(reply.json.changes[0].event).toMatchObject({
    resourceType: 'consumer_credential',
    type: 'update',
    parentId: 'ann',
  });
  expect(reply.json.changes[0].diff).toHaveLength(1);
  expect(reply.text).not.toContain('planted');
  expect(gateway.requests.byMethod['PUT']).toBe(writes);
});

it('validates without writing', async () => {
  const good = await put(server.url, '/validate', task(gateway.url, gateway.adminKey, smallConfig));
  expect([good.status, good.json]).toEqual([200, { success: true, source: 'validate', depth: 'full', errors: [] }]);
  const bad = {
    services: [{ name: 's', routes: [{ name: 'r', uris: ['/r'], plugins: { 'limit-count': { count: -1 } } }] }],
  };
  const reply = await put(server.url, '/validate', task(gateway.url, gateway.adminKey, bad));
  expect(reply.status).toBe(200);
  expect(reply.json).toMatchObject({ success: false, source: 'validate' });
  const [error] = reply.json.errors;
  expect(error).toMatchObject({
    resource_type: 'routes',
    resource_name: 'r',
    index: 0,
    resource_id: expect.any(String),
  });
  expect(error.error).toBe(error.message);
  expect(gateway.requests.byMethod['PUT']).toBeUndefined();
  const down = await put(server.url, '/validate', task('http://127.0.0.1:9', 'token', smallConfig));
  expect([down.status, down.json.success, down.json.errors, down.json.source]).toEqual([500, false, [], undefined]);
});

it('passes a trace on to the gateway', async () => {
  const { createServer } = await import('node:http');
  const seen: unknown[] = [];
  const bare = createServer((request, response) => {
    seen.push(request.headers.traceparent);
    response.writeHead(401).end('{}');
  });
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
  const { port } = bare.address() as { port: number };
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await put(server.url, '/sync', task(`http://127.0.0.1:${port}`, 'k', {}), { headers: { traceparent } });
  bare.close();
  bare.closeAllConnections();
  expect(new Set(seen)).toEqual(new Set([traceparent]));
});

it('runs fifty syncs of one key in turn, and leaves what the last one says', async () => {
  gateway.setFaults({ latency: 2 });
  const replies = await Promise.all(
    Array.from(
      { length: 50 },
      async (_, index) =>
        await sync({ services: [{ name: 'only', description: `${index}` }] }, { labelSelector: { n: `${index % 3}` } }),
    ),
  );
  for (const reply of replies) decodeAsCaller(reply);
  expect(replies.every(({ json }) => json.status === 'success')).toBe(true);
  const stored = await send('GET', gateway.url, '/apisix/admin/services', {
    headers: { 'x-api-key': gateway.adminKey },
  });
  expect(JSON.parse(stored.text).total).toBe(1);
  expect(
    (await sync({ services: [{ name: 'only', description: '49' }] }, { labelSelector: { n: '1' } })).json
      .total_resources,
  ).toBe(0);
});

it('answers jobs that a newer one replaces by its result, and does less', async () => {
  gateway.setFaults({ latency: 20 });
  const replies = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => await sync({ services: [{ name: `s${index}` }] })),
  );
  expect(replies.every(({ json }) => json.status === 'success')).toBe(true);
  const stored = await send('GET', gateway.url, '/apisix/admin/services', {
    headers: { 'x-api-key': gateway.adminKey },
  });
  expect(JSON.parse(stored.text).list.map(({ value }: never) => value['name'])).toEqual(['s29']);
  expect(gateway.requests.byKind['services']?.['PUT']).toBeLessThan(10);
});

it('stops before its next write when the client goes away', async () => {
  const services = Array.from({ length: 40 }, (_, index) => ({ name: `s${index}` }));
  gateway.setFaults({ latency: 20, methods: ['PUT'] });
  const gone = new AbortController();
  const leaving = put(
    server.url,
    '/sync',
    task(gateway.url, gateway.adminKey, { services }, { requestConcurrent: 1 }),
    { signal: gone.signal },
  );
  await until('a few were written', () => (gateway.requests.byMethod['PUT'] ?? 0) >= 3);
  gone.abort();
  await expect(leaving).rejects.toThrow();
  const after = await sync({ services: [] }, { excludeResourceType: ['service'] });
  expect(after.json.total_resources).toBe(0);
  expect(gateway.requests.byMethod['PUT']).toBeLessThan(8);
});

it('notices that a client went away who sent a second request before the first was answered', async () => {
  const own = await startTestServer();
  gateway.setFaults({ latency: 20, methods: ['PUT'] });
  const services = Array.from({ length: 40 }, (_, index) => ({ name: `s${index}` }));
  const requests = ['one', 'two'].map((cacheKey) => {
    const body = JSON.stringify(task(gateway.url, gateway.adminKey, { services }, { requestConcurrent: 1, cacheKey }));
    return `PUT /sync HTTP/1.1\r\nHost: adc\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1', () => socket.write(requests.join('')));
  await until('both write', () => (gateway.requests.byMethod['PUT'] ?? 0) >= 6);
  socket.destroy();
  const running = async (): Promise<string> => (await send('GET', own.statusUrl, '/metrics')).text;
  await until('both jobs are over', async () => (await running()).includes('adc_jobs_running 0'));
  expect(gateway.requests.byMethod['PUT']).toBeLessThan(20);
  await own.drain();
  expect(own.lines.find((line) => line.includes('"draining"'))).toContain('"requests":0');
});

it('answers everything that came over one connection before it ends', async () => {
  const own = await startTestServer();
  gateway.setFaults({ latency: 30, methods: ['PUT'] });
  const requests = [3, 10].map((count) => {
    const services = Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));
    const opts = { requestConcurrent: 1, cacheKey: `of ${count}` };
    const body = JSON.stringify(task(gateway.url, gateway.adminKey, { services }, opts));
    return `PUT /sync HTTP/1.1\r\nHost: adc\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
  let answers = '';
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1', () => socket.write(requests.join('')));
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await until('both write', () => (gateway.requests.byMethod['PUT'] ?? 0) >= 2);
  await own.drain();
  await closed;
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 202', 'HTTP/1.1 202']);
  expect(answers.match(/"status":"success"/g)).toHaveLength(2);
});

it('refuses a request that is still arriving when it ends, and waits for nobody who says nothing more', async () => {
  const own = await startTestServer();
  let answer = '';
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1', () =>
    socket.write('PUT /sync HTTP/1.1\r\nHost: adc\r\nContent-Length: 1000\r\n\r\n{"task"'),
  );
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
    socket.end();
  });
  await until('it arrives', async () =>
    /^adc_request_bodies_bytes 7$/m.test((await send('GET', own.statusUrl, '/metrics')).text),
  );
  await own.drain();
  expect(answer).toContain('HTTP/1.1 503');
  expect(answer).toMatch(/^Retry-After: \d+\r$/im);
  expect(answer).toContain('{"message":"the server is shutting down"}');
});

it('counts an answer that came before the whole request at once', async () => {
  const own = await startTestServer();
  let answer = '';
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1', () =>
    socket.write('PUT /nowhere HTTP/1.1\r\nHost: adc\r\nContent-Length: 1000\r\n\r\nabc'),
  );
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await until('the answer', () => answer.includes('there is no PUT /nowhere'));
  const metrics = (await send('GET', own.statusUrl, '/metrics')).text;
  expect(metrics).toContain('adc_http_requests_total{path="other",status="404"} 1');
  socket.destroy();
  await own.close();
});

it('leaves nothing behind on a connection that is kept, whatever comes over it', async () => {
  const made: AbortController[] = [];
  class Recorded extends AbortController {
    constructor() {
      super();
      made.push(this);
    }
  }
  vi.stubGlobal('AbortController', Recorded);
  const own = await startTestServer({}, { retries: 0 });
  const agent = keepAlive(1);
  try {
    const statuses: number[] = [];
    const ask = async (path: string, body: unknown): Promise<void> => {
      statuses.push((await put(own.url, path, body, { agent })).status);
    };
    for (const path of ['/sync', '/sync', '/diff', '/validate', '/dump']) {
      await ask(path, task(gateway.url, gateway.adminKey, path === '/dump' ? undefined : smallConfig));
    }
    await ask('/sync', task(gateway.url, 'wrong', smallConfig));
    await ask('/sync', task('http://127.0.0.1:1', 'x', smallConfig));
    await ask('/sync', { task: 'none' });
    expect(statuses).toEqual([202, 202, 200, 200, 200, 500, 500, 400]);
    expect(made.length).toBeGreaterThan(0);
    expect(made.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
    expect(made.filter(({ signal }) => signal.aborted && signal.reason instanceof AdcError)).toEqual([]);
  } finally {
    vi.unstubAllGlobals();
    agent.destroy();
    await own.close();
  }
});

it('says what was written when its deadline struck', async () => {
  const services = Array.from({ length: 30 }, (_, index) => ({ name: `s${index}` }));
  gateway.setFaults({ latency: 40, methods: ['PUT'] });
  const reply = await sync({ services }, { requestConcurrent: 1, timeout: 400 });
  decodeAsCaller(reply);
  expect(reply.json.status).toBe('partial_failure');
  expect(reply.json.total_resources).toBe(30);
  expect(reply.json.success_count).toBeGreaterThan(0);
  expect(reply.json.success_count + reply.json.failed_count).toBe(30);
  gateway.setFaults({ latency: 0 });
  const stored = await send('GET', gateway.url, '/apisix/admin/services', {
    headers: { 'x-api-key': gateway.adminKey },
  });
  expect(JSON.parse(stored.text).total).toBeGreaterThanOrEqual(reply.json.success_count);
  const unknown = reply.json.failed.filter(({ reason }: never) =>
    String(reason).startsWith('sent, and it may have been applied'),
  ).length;
  expect(JSON.parse(stored.text).total).toBeLessThanOrEqual(reply.json.success_count + unknown);
});

it('answers 500 when its deadline strikes before anything was written', async () => {
  gateway.setFaults({ hangRate: 1 });
  const began = Date.now();
  const reply = await sync(smallConfig, { timeout: 300 });
  expect(reply.status).toBe(500);
  expect(reply.json.message).toMatch(/^GET http:\S+/);
  expect(Date.now() - began).toBeLessThan(5_000);
});

it('works a thousand syncs through no more connections than it has requests in flight, and leaves none', async () => {
  const own = await startEmulator();
  const front = await startTestServer({}, { idleTimeout: 1_000 });
  const agent = keepAlive(8);
  const bodies = Array.from({ length: 8 }, (_, index) =>
    task(own.url, own.adminKey, smallConfig, { cacheKey: `key${index}`, requestConcurrent: 4 }),
  );
  const statuses: unknown[] = [];
  let most = 0;
  const client = async (body: unknown): Promise<void> => {
    for (let round = 0; round < 125; round += 1) {
      statuses.push((await put(front.url, '/sync', body, { agent })).json.status);
      most = Math.max(most, front.pools.report().pools[0]?.open ?? 0);
    }
  };
  await Promise.all(bodies.map(client));
  expect(statuses).toHaveLength(1_000);
  expect(new Set(statuses)).toEqual(new Set(['success']));
  // Here, not at the gateway: a busy one sees the end of a connection after the beginning of the next.
  expect(most).toBeLessThanOrEqual(8 * 4);
  const [pool] = front.pools.report().pools;
  // On a slow machine some idle for the shortened time in between and are made anew; for no other reason.
  const { idle = 0, ...otherReasons } = pool?.closed ?? {};
  expect(otherReasons).toEqual({});
  expect(own.connections.opened).toBeLessThanOrEqual(8 * 4 + idle);
  await until('idle connections are closed', () => own.connections.open === 0);
  agent.destroy();
  await front.close();
  await own.close();
});
