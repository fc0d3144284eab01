import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { keepAlive, put, send, smallConfig, startTestServer, task, until, type TestServer } from './support.js';

let gateway: Emulator;
let server: TestServer;
beforeAll(async () => {
  gateway = await startEmulator();
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await gateway.close();
});

it('answers probes at every address of both families', async () => {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  expect(server.statusAddresses).toHaveLength(addresses.some(({ family }) => family === 'IPv6') ? 2 : 1);
  for (const address of server.statusAddresses) {
    for (const path of ['/healthz/ready', '/healthz/live']) {
      const reply = await send('GET', address, path);
      expect([reply.status, reply.text]).toEqual([200, 'OK']);
    }
  }
  expect((await send('GET', server.statusUrl, '/')).status).toBe(404);
  expect((await send('PUT', server.statusUrl, '/sync')).status).toBe(404);
  expect((await send('HEAD', server.statusUrl, '/healthz/ready')).status).toBe(200);
});

it('answers probes whoever else connects and says nothing', async () => {
  const own = await startTestServer();
  const port = Number(new URL(own.statusUrl).port);
  const agent = keepAlive(1);
  expect((await send('GET', own.statusUrl, '/healthz/ready', { agent })).status).toBe(200);
  const silent = await Promise.all(
    Array.from({ length: 600 }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    }),
  );
  for (const path of ['/healthz/ready', '/healthz/live', '/metrics']) {
    expect((await send('GET', own.statusUrl, path)).status).toBe(200);
  }
  await until('the surplus is gone', () => silent.filter(({ destroyed }) => !destroyed).length <= 256);
  agent.destroy();
  for (const socket of silent) socket.destroy();
  await own.close();
});

it('shows pools to this machine only, or with the token', async () => {
  await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig));
  const here = await send('GET', server.statusUrl, '/debug/pools');
  expect(here.json.pools).toEqual([
    expect.objectContaining({ origin: gateway.url, identity: 'plain', breaker: 'closed' }),
  ]);
  const outside = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  if (outside === undefined) return;
  const elsewhere = server.statusUrl.replace('127.0.0.1', outside.address);
  const reply = await send('GET', elsewhere, '/debug/pools');
  expect(reply.status).toBe(403);
  expect((await send('GET', elsewhere, '/healthz/ready')).status).toBe(200);
  expect((await send('GET', elsewhere, '/metrics')).status).toBe(200);
});

it('counts in a form that Prometheus reads, each server for itself', async () => {
  const before = await send('GET', server.statusUrl, '/metrics');
  expect(before.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  const read = (text: string, name: string): number =>
    Number(new RegExp(`^${name.replaceAll(/[{}"]/g, String.raw`\$&`)} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
  await put(server.url, '/sync', task(gateway.url, gateway.adminKey, smallConfig));
  await send('PUT', server.url, '/sync', { body: '{' });
  const after = await send('GET', server.statusUrl, '/metrics');
  const job = 'adc_jobs_total{operation="sync",backend="apisix",status="success"}';
  expect(read(after.text, job) - read(before.text, job)).toBe(1);
  const refused = 'adc_http_requests_total{path="/sync",status="400"}';
  expect(read(after.text, refused) - read(before.text, refused)).toBe(1);
  const other = await startTestServer();
  expect(read((await send('GET', other.statusUrl, '/metrics')).text, job)).toBe(0);
  await other.close();

  for (const name of [
    'adc_jobs_running',
    'adc_jobs_waiting',
    'adc_job_duration_seconds',
    'adc_pool_connections_open',
    'adc_pool_connections_created_total',
    'adc_pool_connect_seconds',
    'adc_eventloop_delay_max_seconds',
    'process_resident_memory_bytes',
    'adc_memory_bytes',
  ]) {
    expect(after.text).toContain(`# TYPE ${name} `);
  }
  const names = new Set<string>();
  for (const line of after.text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line)?.[1];
    if (type !== undefined) {
      expect(names.has(type)).toBe(false);
      names.add(type);
    } else expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[\d.e+-]+$/);
  }
});
