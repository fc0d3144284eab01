import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { bin, startServerProcess, type ServerProcess } from './process.js';
import { keepAlive, put, send, smallConfig, task, until } from './support.js';

let gateway: Emulator;
let folder = '';
const running: ServerProcess[] = [];
beforeAll(async () => {
  expect(existsSync(bin), `${bin} is built`).toBe(true);
  gateway = await startEmulator();
  folder = mkdtempSync(join(tmpdir(), 'adc-process-'));
});
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map(async ({ exited }) => await exited));
  gateway.reset();
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

async function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = await startServerProcess(args, env);
  running.push(server);
  return server;
}

const readiness = async (server: ServerProcess): Promise<number> =>
  (await send('GET', server.statusUrl, '/healthz/ready')).status;
const manyServices = { services: Array.from({ length: 20 }, (_, index) => ({ name: `s${index}` })) };

it.each(['SIGTERM', 'SIGINT'] as const)(
  'finishes what runs and what waits after %s, says 503 meanwhile, and exits 0',
  async (signal) => {
    const server = await start();
    gateway.setFaults({ latency: 60, methods: ['PUT'] });
    const body = task(gateway.url, gateway.adminKey, manyServices, { requestConcurrent: 1 });
    const agent = keepAlive();
    const jobs = [
      put(server.url, '/sync', body, { agent }),
      put(server.url, '/sync', task(gateway.url, gateway.adminKey, {}, { labelSelector: { a: 'b' } }), { agent }),
    ];
    await until('it writes', () => (gateway.requests.byMethod['PUT'] ?? 0) > 2);
    server.child.kill(signal);
    await until('it drains', async () => (await readiness(server)) === 503);
    expect((await send('GET', server.statusUrl, '/healthz/live')).status).toBe(200);
    await expect(send('GET', server.url, '/openapi.json')).rejects.toThrow(/ECONNREFUSED|socket hang up|ECONNRESET/);
    const replies = await Promise.all(jobs);
    expect(replies.map(({ status, json }) => [status, json.status])).toEqual([
      [202, 'success'],
      [202, 'success'],
    ]);
    expect(replies[0]?.json.success_count).toBe(20);
    expect(replies[0]?.headers.connection).toBe('close');
    expect(await server.exited).toBe(0);
    expect(server.errors()).toBe('');
    agent.destroy();
  },
);

it('stops between two writes when the drain takes too long, and says what was written', async () => {
  const server = await start(['--drain-timeout', '300ms']);
  gateway.setFaults({ latency: 60, methods: ['PUT'] });
  const job = put(server.url, '/sync', task(gateway.url, gateway.adminKey, manyServices, { requestConcurrent: 1 }));
  await until('it writes', () => (gateway.requests.byMethod['PUT'] ?? 0) > 1);
  server.child.kill('SIGTERM');
  const reply = await job;
  expect([reply.status, reply.json.status]).toEqual([202, 'partial_failure']);
  expect(reply.json.success_count + reply.json.failed_count).toBe(20);
  expect(gateway.requests.byMethod['PUT']).toBe(reply.json.success_count);
  expect(reply.json.failed[0].reason).toMatch(/^not started: the job was stopped|^not sent/);
  expect(await server.exited).toBe(0);
});

it('exits at once on the second signal', async () => {
  const server = await start();
  gateway.setFaults({ hangRate: 1 });
  const job = put(server.url, '/sync', task(gateway.url, gateway.adminKey, {})).catch(() => 'cut');
  await until('it asks', () => gateway.requests.total > 0);
  server.child.kill('SIGTERM');
  await until('it drains', async () => (await readiness(server)) === 503);
  server.child.kill('SIGTERM');
  expect(await server.exited).toBe(143);
  expect(await job).toBe('cut');
});

it('ends at once when nothing runs, however many clients are connected and say nothing', async () => {
  const server = await start();
  const { port, hostname } = new URL(server.url);
  const sockets = await Promise.all(
    Array.from({ length: 1_000 }, async () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    }),
  );
  expect((await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig))).json.status).toBe(
    'success',
  );
  const metrics = (await send('GET', server.statusUrl, '/metrics')).text;
  expect(Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1])).toBeLessThan(300e6);
  server.child.kill('SIGTERM');
  expect(await server.exited).toBe(0);
  for (const socket of sockets) socket.destroy();
});

it('starts again over the socket of a process that was killed, and refuses that of one that lives', async () => {
  const path = join(folder, 'adc.sock');
  const first = await start(['--listen', `unix:${path}`]);
  expect((await put(first.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig))).json.status).toBe('success');
  await expect(startServerProcess(['--listen', `unix:${path}`])).rejects.toThrow(
    /ended with 1: .*another process serves it/,
  );
  first.child.kill('SIGKILL');
  expect(await first.exited).toBe('SIGKILL');
  expect(existsSync(path)).toBe(true);
  const second = await start(['--listen', `unix:${path}`]);
  expect((await put(second.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig))).json.total_resources).toBe(
    0,
  );
  second.child.kill('SIGTERM');
  expect(await second.exited).toBe(0);
  expect(existsSync(path)).toBe(false);
});

it('takes a body of 90 MiB, goes on serving, and refuses one of more than 100', async () => {
  const server = await start();
  const filler = 'x'.repeat(1024 * 1024);
  const plugins = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`p${index}`, { text: filler }]));
  const body = task(gateway.url, gateway.adminKey, { plugin_metadata: plugins }, { includeResourceType: ['ssl'] });
  const reply = await put(server.url, '/sync', body);
  expect([reply.status, reply.json.status, reply.json.total_resources]).toEqual([202, 'success', 0]);
  const malformed = await send('PUT', server.url, '/sync', { body: Buffer.alloc(90 * 1024 * 1024, 0x5b) });
  expect(malformed.status).toBe(400);
  const tooLarge = await send('PUT', server.url, '/sync', { body: Buffer.alloc(101 * 1024 * 1024, 0x20) });
  expect(tooLarge.status).toBe(413);
  expect((await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig))).json.status).toBe(
    'success',
  );
});

/** A TCP server that does something bad to whoever connects. */
async function badGateway(behave: (socket: Socket) => void): Promise<{ url: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server: TcpServer = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it('answers in time and in words whatever the gateway does, and serves other gateways meanwhile', async () => {
  const server = await start();
  const half = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"total":';
  const cases: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['hangs', (socket) => socket.resume()],
    ['closes', (socket) => socket.destroy()],
    [
      'resets in the middle of an answer',
      (socket) => socket.once('data', () => socket.write(half, () => socket.resetAndDestroy())),
    ],
    ['stops in the middle of an answer', (socket) => socket.once('data', () => socket.write(half))],
    ['speaks no HTTP', (socket) => socket.once('data', () => socket.end('220 mail ready\r\n'))],
    [
      'answers HTML',
      (socket) =>
        socket.on('data', () =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>'),
        ),
    ],
  ];
  const asked = cases.map(async ([name, behave]) => {
    const bad = await badGateway(behave);
    const began = Date.now();
    const reply = await put(server.url, '/sync', task(bad.url, 'key', smallConfig, { cacheKey: name, timeout: 1_500 }));
    bad.close();
    expect([name, reply.status]).toEqual([name, 500]);
    expect([name, reply.json.message]).toEqual([
      name,
      expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/apisix\/admin\//),
    ]);
    expect(Date.now() - began).toBeLessThan(10_000);
  });
  const good = await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig));
  expect(good.json.status).toBe('success');
  await Promise.all(asked);
  expect((await send('GET', server.statusUrl, '/healthz/live')).status).toBe(200);
});

it('tells the truth of every write while the gateway resets connections and is slow', async () => {
  const server = await start();
  gateway.setFaults({ resetRate: 0.1, latency: '1-30ms' });
  for (let round = 0; round < 5; round += 1) {
    const config = {
      services: Array.from({ length: 30 }, (_, index) => ({ name: `s${index}`, description: `${round}` })),
    };
    const reply = await put(server.url, '/sync', task(gateway.url, gateway.adminKey, config, { timeout: 20_000 }));
    expect([round, reply.status, reply.json.failed]).toEqual([round, 202, []]);
    const stored = await send('GET', gateway.url, '/apisix/admin/services', {
      headers: { 'x-api-key': gateway.adminKey },
    }).catch(() => undefined);
    if (stored === undefined) continue;
    expect(
      JSON.parse(stored.text).list.every(({ value }: { value: { desc: string } }) => value.desc === `${round}`),
    ).toBe(true);
  }
});

it('reads its environment: the level of the log', async () => {
  const server = await start([], { ADC_INGRESS_LOG_LEVEL: 'debug' });
  await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig));
  expect(server.lines.some((line) => JSON.parse(line).level === 'debug')).toBe(true);
});
