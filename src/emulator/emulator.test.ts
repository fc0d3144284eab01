import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, Pool, request } from 'undici';
import { describe, expect, test } from 'vitest';
import { start, upstream } from '../../test/fidelity/client.js';
import { startEmulator } from './index.js';

describe('a worker that lags', () => {
  test('knows nothing yet of what was just written', async () => {
    await using running = await start({ lag: 3_600_000 });
    const { call } = running;
    await call('PUT', '/services/s', { upstream });
    await call('PUT', '/routes/r', { uri: '/', service_id: 's' });
    // The route is left dangling.
    expect((await call('DELETE', '/services/s')).status).toBe(200);
    // What a write refers to is looked up in the store itself.
    expect((await call('PUT', '/routes/q', { uri: '/', service_id: 's' })).status).toBe(400);
    const plugins = { 'key-auth': { key: 'k' } };
    expect((await call('PUT', '/consumers/ann', { username: 'ann', plugins })).status).toBe(201);
    expect((await call('PUT', '/consumers/bob', { username: 'bob', plugins })).status).toBe(201);
  });

  test('learns of it in the end', async () => {
    await using running = await start({ lag: '5-20ms' });
    const { call } = running;
    await call('PUT', '/upstreams/u', upstream);
    const plugins = { 'key-auth': { key: 'k' } };
    await call('PUT', '/consumers/ann', { username: 'ann', plugins });
    await call('PUT', '/services/s', { upstream_id: 'u' });
    const duplicate = () => call('PUT', '/consumers/bob', { username: 'bob', plugins });
    await waitUntil(
      async () => (await duplicate()).body.error_msg === 'duplicate key of plugin key-auth found with consumer: ann',
    );
    await waitUntil(async () => {
      const refused = await call('DELETE', '/upstreams/u');
      if (refused.status === 200) await call('PUT', '/upstreams/u', upstream);
      return refused.body.error_msg === 'can not delete this upstream, service [s] is still using it now';
    });
    await call('DELETE', '/services/s');
    await call('DELETE', '/consumers/ann');
    await waitUntil(async () => (await call('DELETE', '/upstreams/u')).status === 200);
    await waitUntil(async () => (await duplicate()).status < 300);
  });
});

describe('workers', () => {
  test('answer in orders of keys of their own, each with the same bytes while nothing changes', async () => {
    await using running = await start({ workers: 3 });
    const { emulator, call } = running;
    await call('PUT', '/routes/r', { uri: '/', upstream, desc: 'd', name: 'n', labels: { a: '1', b: '2', c: '3' } });
    const read = async () => {
      // Each connection is another worker's.
      const agent = new Agent({ connections: 1 });
      const texts: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        const answer = await request(`${emulator.url}/apisix/admin/routes`, {
          dispatcher: agent,
          headers: { 'x-api-key': emulator.adminKey },
        });
        texts.push(await answer.body.text());
      }
      await agent.close();
      expect(new Set(texts).size).toBe(1);
      return texts[0] ?? '';
    };
    const answers = [await read(), await read(), await read()];
    expect(new Set(answers).size).toBe(3);
    expect(new Set(answers.map((text) => JSON.stringify(sorted(JSON.parse(text))))).size).toBe(1);
  });

  test('one asks for at least one', async () => {
    await expect(startEmulator({ workers: 0 })).rejects.toThrow('workers is a whole number');
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]: [string, unknown]) => [key, sorted(inner)]),
  );
}

describe('faults', () => {
  test('a request that fails is not applied', async () => {
    await using running = await start({ failRate: 1, failStatus: 503, methods: ['PUT'] });
    const { call, emulator } = running;
    expect((await call('PUT', '/upstreams/u', upstream)).status).toBe(503);
    expect((await call('GET', '/upstreams')).body.total).toBe(0);
    emulator.setFaults({ failRate: 0 });
    expect((await call('PUT', '/upstreams/u', upstream)).status).toBe(201);
    expect(emulator.requests.byStatus).toEqual({ 503: 1, 200: 1, 201: 1 });
  });

  test('a connection is reset before or after the request is applied', async () => {
    await using running = await start();
    const { call, emulator } = running;
    for (const [resetWhen, total] of [
      ['before', 0],
      ['after', 1],
    ] as const) {
      emulator.setFaults({ resetRate: 1, resetWhen });
      await expect(call('PUT', '/upstreams/u', upstream)).rejects.toThrow();
      emulator.setFaults({ resetRate: 0 });
      expect((await call('GET', '/upstreams')).body.total).toBe(total);
    }
  });

  test('a request that hangs is answered by nothing, and does not keep the emulator from closing', async () => {
    await using running = await start({ hangRate: 1, path: '/upstreams' });
    const { call, emulator } = running;
    const pool = new Pool(emulator.url, { headersTimeout: 200, bodyTimeout: 200 });
    await expect(
      pool.request({ method: 'GET', path: '/apisix/admin/upstreams', headers: { 'x-api-key': emulator.adminKey } }),
    ).rejects.toThrow('Headers Timeout');
    expect((await call('GET', '/routes')).status).toBe(200);
    const hanging = call('GET', '/upstreams');
    const ended = expect(hanging).rejects.toThrow();
    await waitUntil(() => emulator.requests.byKind['upstreams']?.['GET'] === 2);
    await emulator.close();
    await ended;
    await pool.destroy();
  });

  test('an answer waits for its latency, and others pass it', async () => {
    await using running = await start({ latency: '200ms', path: '/upstreams' });
    const { call } = running;
    const order: string[] = [];
    const slow = call('GET', '/upstreams').then(() => order.push('slow'));
    for (let round = 0; round < 3; round += 1) await call('GET', '/routes').then(() => order.push('fast'));
    await slow;
    expect(order).toEqual(['fast', 'fast', 'fast', 'slow']);
  });

  test('what makes no sense is refused', async () => {
    await expect(startEmulator({ failRate: 2 })).rejects.toThrow('failRate is a share from 0 to 1');
    await expect(startEmulator({ latency: '7-2ms' })).rejects.toThrow('not a duration');
    await expect(startEmulator({ lag: 'soon' })).rejects.toThrow('not a duration');
    await expect(startEmulator({ gatewayVersion: '2.15.0' })).rejects.toThrow('no gateway version to emulate');
    await expect(startEmulator({ schemas: { cors: {} } })).rejects.toThrow("'cors' has no schema");
  });
});

describe('the control endpoint', () => {
  test('counts requests and connections, changes faults and empties the state', async () => {
    await using running = await start({ control: 'http://127.0.0.1:0' });
    const { call, emulator } = running;
    const control = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${emulator.controlUrl}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, Record<string, unknown>> };
    };
    await call('PUT', '/upstreams/u', upstream);
    await call('GET', '/upstreams');
    const counts = await control('GET', '/counts');
    expect(counts.body).toEqual({
      requests: {
        total: 2,
        byMethod: { PUT: 1, GET: 1 },
        byKind: { upstreams: { PUT: 1, GET: 1 } },
        byStatus: { 200: 1, 201: 1 },
      },
      connections: { opened: emulator.connections.opened, open: emulator.connections.open },
    });
    expect((await control('PUT', '/faults', { failRate: 1, latency: '1-2ms' })).body).toMatchObject({
      failRate: 1,
      latency: { min: 1, max: 2 },
    });
    expect((await call('GET', '/upstreams')).status).toBe(500);
    expect((await control('PUT', '/faults', { failRate: 5 })).status).toBe(400);
    expect((await control('PUT', '/faults', [1])).status).toBe(400);
    expect((await control('GET', '/faults')).body).toMatchObject({ failRate: 1 });
    expect((await control('POST', '/reset')).status).toBe(200);
    expect((await call('GET', '/upstreams')).body.total).toBe(0);
    expect((await control('DELETE', '/counts')).body['requests']?.['total']).toBe(0);
    expect((await control('GET', '/nothing')).status).toBe(404);
  });

  test('that cannot listen takes the emulator down with it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const control = `http://127.0.0.1:${(taken.address() as AddressInfo).port}`;
    await expect(startEmulator({ control })).rejects.toThrow('EADDRINUSE');
    await new Promise((resolve) => taken.close(resolve));
  });
});

async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(5);
}
