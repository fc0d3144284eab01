import net from 'node:net';
import { expect, test } from 'vitest';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import {
  bundlePools,
  clientCertificates,
  deadPort,
  gate,
  makePools,
  pem,
  poolReport,
  rejection,
  run,
  serve,
  serveTcp,
  text,
  until,
} from './support.js';

const get = { method: 'GET', path: '/x' } as const;

// Promise 12. Break: in src/pool/manager.ts, let `close` go on without waiting for `drained`.
test('close takes nothing new, finishes what runs, and leaves no socket', async () => {
  const hold = gate();
  const server = await serve(async (request, response) => {
    if (request.url === '/slow') await hold.opened;
    response.end('whole');
  });
  const pools = makePools();
  const lease = await pools.lease({ origin: server.origin }, { concurrency: 1 });
  await lease.request(get);
  const running = lease.request({ ...get, path: '/slow' });
  const waiting = lease.request({ ...get, path: '/waiting' });
  await until('it is with the server', () => server.requests.length === 2);
  const closed = pools.close();
  const refused = await rejection(lease.request(get));
  expect(refused).toMatchObject({ code: 'aborted' });
  expect(await rejection(pools.lease({ origin: server.origin }))).toMatchObject({ code: 'aborted' });
  hold.open();
  await closed;
  expect(text(await running)).toBe('whole');
  expect(text(await waiting)).toBe('whole');
  expect(poolReport(pools)).toMatchObject({ open: 0, busy: 0, idle: 0, closed: { shutdown: 1 } });
  await until('the server sees it', () => server.sockets.size === 0);
  await pools.close();
});

// Promise 12. Break: in src/pool/manager.ts, leave `late` out of the race in `close`.
test('close destroys what has not finished by the deadline', async () => {
  const server = await serve(() => {});
  const silent = await serveTcp(() => {});
  const pools = createPoolManager();
  const lease = await pools.lease({ origin: server.origin });
  const connecting = await pools.lease({ origin: `https://127.0.0.1:${silent.port}` });
  const errors = [rejection(lease.request(get)), rejection(connecting.request(get))];
  await until('both are there', () => server.requests.length === 1 && silent.sockets.size === 1);
  await pools.close(50);
  for (const error of await Promise.all(errors)) {
    expect(error).toMatchObject({ code: 'aborted' });
    expect(error.message).toMatch(/the connection pools are closed$/);
  }
  await until('nothing is left', () => server.sockets.size + silent.sockets.size === 0);
});

// Promise 12. Break: in src/pool/manager.ts, leave `clearInterval` and `unref` out.
test('after close the process has neither socket nor timer, and ends', async () => {
  const module = await bundlePools();
  const server = await serve();
  const secure = await serve(undefined, { tls: {} });
  const dead = await deadPort();
  const program = `
    const [module, http, https, dead, ca] = process.argv.slice(1);
    const { createPoolManager } = await import(module);
    const pools = createPoolManager({ retryBase: 1, breakerFailures: 2, breakerSpan: 0 });
    for (const origin of [http, https, dead]) {
      const lease = await pools.lease({ origin, tls: { ca } }, { deadline: Date.now() + 60_000 });
      await Promise.all(Array.from({ length: 5 }, () => lease.request({ method: 'GET', path: '/' }).catch(() => {})));
    }
    await pools.close();
    const left = process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout|Connect|Immediate/.test(name));
    process.stdout.write(JSON.stringify(left));
  `;
  const ended = await run(program, [module, server.origin, secure.origin, `http://127.0.0.1:${dead}`, pem('ca.pem')]);
  expect(ended).toEqual({ code: 0, out: '[]' });
});

// Promise 12. Break: in src/pool/manager.ts, leave out `this.#ticker.unref()`.
test('idle pools hold no process alive, and waiting requests do', async () => {
  const module = await bundlePools();
  let asked = 0;
  const server = await serve((_request, response) => {
    asked += 1;
    response.writeHead(asked === 1 ? 503 : 200, asked === 1 ? { 'retry-after': '1' } : {});
    response.end();
  });
  const program = `
    const [module, origin] = process.argv.slice(1);
    const { createPoolManager } = await import(module);
    const pools = createPoolManager();
    const lease = await pools.lease({ origin }, { concurrency: 4 });
    const answers = await Promise.all([1, 2, 3].map(() => lease.request({ method: 'GET', path: '/' })));
    process.stdout.write(answers.map((answer) => answer.status).join());
  `;
  expect(await run(program, [module, server.origin])).toEqual({ code: 0, out: '200,200,200' });
});

// Promise 12. Break: in src/pool/connection.ts, let `rest` do nothing.
test('a spare connection holds no process alive', async () => {
  const module = await bundlePools();
  const server = await serve(undefined, { tls: {} });
  // The handshake takes longer than the request waits, so that the connection is open when nobody wants it any more.
  const relay = await serveTcp((socket) => {
    socket.pause();
    setTimeout(() => {
      const onward = net.connect(server.port, '127.0.0.1');
      onward.on('error', () => {});
      socket.pipe(onward).pipe(socket);
    }, 150);
  });
  const program = `
    const [module, origin, ca] = process.argv.slice(1);
    const { createPoolManager } = await import(module);
    const pools = createPoolManager();
    const lease = await pools.lease({ origin, tls: { ca } });
    await lease.request({ method: 'GET', path: '/', timeout: 30 }).catch((error) => process.stdout.write(error.code));
    process.on('exit', () => process.stdout.write(' ' + pools.report().pools[0].idle));
  `;
  const origin = `https://127.0.0.1:${relay.port}`;
  expect(await run(program, [module, origin, pem('ca.pem')])).toEqual({ code: 0, out: 'unreachable 1' });
});

/** Everything that a report says, secrets of tests searched in it. */
function shown(pools: Pools): string {
  return JSON.stringify(pools.report());
}

// Promise 13. Break: in src/pool/one-pool.ts, leave `this.#reused += 1` out of `#send`; or any other count.
test('the report has the numbers', async () => {
  const hold = gate();
  const server = await serve(async (request, response, number) => {
    if (request.url === '/hold') await hold.opened;
    response.statusCode = number === 1 ? 500 : 200;
    response.end();
  });
  const pools = makePools({ connectionsPerPool: 2, retryBase: 1 });
  const lease = await pools.lease({ origin: server.origin });
  await lease.request(get);
  const held = [1, 2, 3].map(() => lease.request({ ...get, path: '/hold' }));
  await until('two are held', () => server.requests.length === 4);
  expect(poolReport(pools)).toEqual({
    origin: server.origin,
    identity: 'plain',
    open: 2,
    busy: 2,
    idle: 0,
    queued: 1,
    leases: 1,
    created: 2,
    reused: 2,
    closed: {},
    retried: { '500': 1 },
    staleRetries: 0,
    breaker: 'closed',
  });
  hold.open();
  await Promise.all(held);
  lease.release();
  expect(poolReport(pools)).toMatchObject({ open: 2, busy: 0, idle: 2, queued: 0, leases: 0, reused: 3 });
  const { queueWait, connect, firstByte } = pools.report();
  const count = (counts: readonly number[]): number => counts.reduce((sum, value) => sum + value, 0);
  expect(count(connect.counts)).toBe(2);
  expect(count(firstByte.counts)).toBe(5);
  // The retry had waited its turn before.
  expect(count(queueWait.counts)).toBe(4);
  for (const histogram of [queueWait, connect, firstByte]) {
    expect(histogram.counts).toHaveLength(histogram.bounds.length + 1);
    expect(histogram.sum).toBeGreaterThan(0);
  }
});

// Promise 13. Break: in src/pool/one-pool.ts, report the whole hash: leave out `.slice(0, 8)`.
test('nothing secret is in a report or an error', async () => {
  const ca = pem('ca.pem');
  const key = pem('client.key');
  const [cert = ''] = clientCertificates();
  const token = 'planted-token-4711';
  const server = await serve(undefined, { tls: { ca, requestCert: true } });
  const pools = makePools({ retryBase: 1 });
  const proxied = makePools({ proxyEnv: { http_proxy: `http://user:planted-password@127.0.0.1:${await deadPort()}` } });
  const lease = await pools.lease({ origin: server.origin, tls: { ca, cert, key } });
  await lease.request({ ...get, headers: { 'x-api-key': token } });
  await server.stop();
  const errors = [
    await rejection(lease.request({ ...get, headers: { 'x-api-key': token } })),
    await rejection((await proxied.lease({ origin: 'http://gateway.invalid' })).request(get)),
  ];
  const said = shown(pools) + shown(proxied) + errors.map((error) => `${error.stack} ${JSON.stringify(error)}`).join();
  const secrets = [token, 'planted-password', ...(key + cert + ca).split('\n').filter((line) => line.length > 20)];
  for (const secret of secrets) expect(said).not.toContain(secret);
  expect(poolReport(pools).identity).toMatch(/^[0-9a-f]{8}$/);
});
