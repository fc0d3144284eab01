import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { AdcError } from '../../src/model/errors.js';
import {
  clientCertificates,
  gate,
  makePools,
  passphrase,
  pem,
  poolReport,
  rejection,
  serve,
  sleep,
  text,
  until,
} from './support.js';

const ca = pem('ca.pem');
const key = pem('client.key');
const [cert1 = '', cert2 = ''] = clientCertificates();

/** Answers with the name in the client's certificate. */
const mutualTls = { tls: { ca, requestCert: true, rejectUnauthorized: true } };

// Promise 1. Break: in src/pool/manager.ts, leave `hash` out of the pool's key.
test('identities never share a connection, and the same identity always does', async () => {
  const server = await serve((request, response) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
    response.end(String(subject?.CN));
  }, mutualTls);
  const pools = makePools();
  const ask = async (cert: string, token: string): Promise<string> => {
    const lease = await pools.lease({ origin: `${server.origin}/apisix/admin`, tls: { ca, cert, key } });
    const answer = await lease.request({ method: 'GET', path: '/', headers: { 'x-api-key': token } });
    lease.release();
    return text(answer);
  };
  for (let round = 0; round < 3; round += 1) {
    expect(await ask(cert1, `token ${round}`)).toBe('client-01');
    expect(await ask(cert2, `token ${round}`)).toBe('client-02');
  }
  expect(server.accepted).toBe(2);
  expect(pools.report().pools.map((pool) => pool.reused)).toEqual([2, 2]);
});

// Promise 1. Break: in src/pool/identity.ts, leave `serverName ?? null` out of the hash.
test('each part of an identity makes a pool of its own', async () => {
  const server = await serve(undefined, { tls: { ca, requestCert: true, rejectUnauthorized: false } });
  const pools = makePools();
  const identities = [
    { ca },
    { ca: `${ca}\n` },
    { ca, verify: false },
    { ca, serverName: 'localhost' },
    { ca, minVersion: 'TLSv1.3' },
    { ca, systemCa: true },
    { ca, cert: cert1, key },
    { ca, cert: cert2, key },
    { ca, cert: cert1, key: pem('client-encrypted.key'), passphrase },
  ] as const;
  for (const tls of identities) {
    const lease = await pools.lease({ origin: server.origin, tls });
    expect((await lease.request({ method: 'GET', path: '/' })).status).toBe(200);
    lease.release();
  }
  const hashes = pools.report().pools.map((pool) => pool.identity);
  // A newline at the end makes no identity; everything else does.
  expect(new Set(hashes).size).toBe(identities.length - 1);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{8}$/);
});

// Promise 2. Break: in src/pool/one-pool.ts, let `#hasSlot` give true.
test('a pool has at most its number of connections', async () => {
  const server = await serve((_request, response) => setTimeout(() => response.end(), 2));
  const pools = makePools({ connectionsPerPool: 4 });
  const leases = await Promise.all(
    Array.from({ length: 3 }, () => pools.lease({ origin: server.origin }, { concurrency: 20 })),
  );
  const answers = await Promise.all(
    leases.flatMap((lease) => Array.from({ length: 40 }, (_, i) => lease.request({ method: 'PUT', path: `/${i}` }))),
  );
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  expect(server.most).toBe(4);
  expect(server.accepted).toBe(4);
});

// Promise 2. Break: in src/pool/lease.ts, let `hasRoom` give true.
test('a lease has at most its concurrency in flight', async () => {
  let running = 0;
  let most = 0;
  const server = await serve((_request, response) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      response.end();
    }, 2);
  });
  const lease = await makePools().lease({ origin: server.origin }, { concurrency: 3 });
  await Promise.all(Array.from({ length: 30 }, () => lease.request({ method: 'GET', path: '/' })));
  expect(most).toBe(3);
});

// Promise 2. Break: in src/pool/one-pool.ts, leave out the loop that loses connections as 'trimmed' in `tick`.
test('idle connections beyond what was needed lately are closed', async () => {
  const server = await serve((_request, response) => setTimeout(() => response.end(), 20));
  const pools = makePools({ idleKept: 2, idleWindow: 200, maxAge: 60_000, idleTimeout: 60_000 });
  const lease = await pools.lease({ origin: server.origin }, { concurrency: 8 });
  await Promise.all(Array.from({ length: 8 }, () => lease.request({ method: 'GET', path: '/' })));
  expect(poolReport(pools).open).toBe(8);
  await until('only two are left', () => server.sockets.size === 2);
  expect(poolReport(pools)).toMatchObject({ open: 2, idle: 2, closed: { trimmed: 6 } });
});

// Promise 2. Break: in src/pool/idle-rules.ts, let `kept` give `this.#settings.idleKept`.
test('a steady load opens and closes nothing', async () => {
  const server = await serve((_request, response) => setTimeout(() => response.end(), 1));
  const pools = makePools({ idleKept: 1, idleWindow: 400 });
  // Bursts with pauses between them: in each pause all eight are idle while the manager looks.
  for (let burst = 0; burst < 4; burst += 1) {
    const lease = await pools.lease({ origin: server.origin }, { concurrency: 8 });
    await Promise.all(Array.from({ length: 40 }, () => lease.request({ method: 'PUT', path: '/' })));
    lease.release();
    await sleep(260);
  }
  expect(server.accepted).toBe(8);
});

// Promise 2. Break: in src/pool/manager.ts, leave out the check of `poolsMax` before `new OnePool`.
test('the number of pools is never exceeded, and a lease waits for its turn', async () => {
  const servers = await Promise.all([serve(), serve(), serve()]);
  const pools = makePools({ poolsMax: 2 });
  const [first, second, third] = servers.map(({ origin }) => ({ origin }));
  if (!first || !second || !third) throw new Error('three servers');
  const a = await pools.lease(first);
  const b = await pools.lease(second);
  const waiting = pools.lease(third);
  // A further lease of a pool that exists waits for nothing.
  (await pools.lease(first)).release();
  expect(pools.report().pools).toHaveLength(2);
  b.release();
  const c = await waiting;
  expect((await c.request({ method: 'GET', path: '/' })).status).toBe(200);
  expect(pools.report().pools.map((pool) => pool.origin)).toEqual([first.origin, third.origin]);
  expect(pools.report().evictions).toBe(1);
  a.release();
});

// Promises 2 and 8. Break: in src/pool/manager.ts, leave out the timer of `#waitForPool`.
test('the wait for a pool is bounded in time and in number', async () => {
  const [first, second] = await Promise.all([serve(), serve()]);
  const pools = makePools({ poolsMax: 1, queueWait: 100, queueLength: 1 });
  await pools.lease({ origin: first.origin });
  const waiting = rejection(pools.lease({ origin: second.origin }));
  const full = await rejection(pools.lease({ origin: second.origin }));
  expect(full).toMatchObject({ code: 'busy' });
  expect(full.message).toContain(`no pool for ${second.origin}: all 1 are leased, and 1 leases wait`);
  expect(await waiting).toMatchObject({ code: 'busy' });
});

test('the wait for a pool ends with the signal or the deadline of the job', async () => {
  const [first, second] = await Promise.all([serve(), serve()]);
  const pools = makePools({ poolsMax: 1 });
  await pools.lease({ origin: first.origin });
  const controller = new AbortController();
  const aborted = rejection(pools.lease({ origin: second.origin }, { signal: controller.signal }));
  controller.abort();
  expect(await aborted).toMatchObject({ code: 'aborted' });
  const late = await rejection(pools.lease({ origin: second.origin }, { deadline: Date.now() + 30 }));
  expect(late).toMatchObject({ code: 'deadline' });
});

// Promise 3. Break: in src/pool/one-pool.ts, leave out `else if (now >= connection.idleUntil)` in `tick`.
test('a connection is closed before it has idled for the idle timeout', async () => {
  let closedAfter = 0;
  const server = await serve(undefined, {
    onConnection: (socket) => {
      let last = 0;
      socket.on('data', () => (last = performance.now()));
      socket.on('close', () => (closedAfter = performance.now() - last));
    },
  });
  const pools = makePools({ idleTimeout: 300 });
  const lease = await pools.lease({ origin: server.origin });
  await lease.request({ method: 'GET', path: '/' });
  await until('it is closed', () => closedAfter > 0);
  expect(poolReport(pools)).toMatchObject({ open: 0, closed: { idle: 1 } });
});

// Promise 3. Break: in src/pool/one-pool.ts, let `#takeIdle` leave out the check of `idleUntil`.
test('a connection that has idled too long is not used, even before it is closed', async () => {
  const server = await serve();
  const pools = makePools({ idleTimeout: 120 });
  const lease = await pools.lease({ origin: server.origin });
  await lease.request({ method: 'GET', path: '/' });
  // The manager's regular look is kept from running, as it is in a process that is busy.
  const end = performance.now() + 150;
  while (performance.now() < end);
  await lease.request({ method: 'GET', path: '/' });
  expect(server.accepted).toBe(2);
  expect(poolReport(pools).closed).toEqual({ idle: 1 });
});

// Promise 3. Break: in src/pool/idle-rules.ts, leave `announced` out of `idleUntil`.
test('what the server announces in Keep-Alive bounds the idle time', async () => {
  const server = await serve((_request, response) => {
    response.setHeader('keep-alive', 'timeout=1');
    response.end();
  });
  const pools = makePools();
  const lease = await pools.lease({ origin: server.origin });
  await lease.request({ method: 'GET', path: '/' });
  await until('it is closed by us, in less than the second announced', () => poolReport(pools).open === 0);
  expect(poolReport(pools).closed).toEqual({ idle: 1 });
});

// Promise 3. Break: in src/pool/idle-rules.ts, leave `learned` out of `idleUntil`.
test('a server that was seen to close idle connections early is believed', async () => {
  const server = await serve(
    (request, response) => {
      response.end();
      setTimeout(() => request.socket.destroy(), 400);
    },
    { server: { keepAliveTimeout: 0 } },
  );
  const pools = makePools({ idleTimeout: 600, random: () => 0 });
  const lease = await pools.lease({ origin: server.origin });
  for (let times = 1; times <= 2; times += 1) {
    await lease.request({ method: 'GET', path: '/' });
    await until('the server closes it', () => poolReport(pools).closed['server'] === times);
  }
  await lease.request({ method: 'GET', path: '/' });
  await until('we close it before the server does', () => poolReport(pools).open === 0);
  expect(poolReport(pools).closed).toEqual({ server: 2, idle: 1 });
});

// Promise 4. Break: in src/pool/one-pool.ts, leave out `now >= connection.ageUntil` in `#release`.
test('a connection of maximum age is retired after its answer, and no request is cut', async () => {
  const server = await serve((_request, response) => setTimeout(() => response.end('whole'), 40));
  const pools = makePools({ maxAge: 100 });
  const lease = await pools.lease({ origin: server.origin }, { concurrency: 2 });
  const end = performance.now() + 500;
  // More than may run at once, so that every answer is followed by the next request at once.
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      while (performance.now() < end) {
        const answer = await lease.request({ method: 'PUT', path: '/', body: 'x' });
        expect(answer).toMatchObject({ status: 200, attempts: 1, ambiguous: false });
        expect(text(answer)).toBe('whole');
      }
    }),
  );
  expect(server.accepted).toBeGreaterThanOrEqual(4);
  expect(Object.keys(poolReport(pools).closed)).toEqual(['age']);
});

// Promise 5. Break: in src/pool/one-pool.ts, let `drain` finish at once, whatever is active.
test('an evicted pool finishes what it carries, and only then makes room', async () => {
  const hold = gate();
  const slow = await serve(async (_request, response) => {
    await hold.opened;
    response.end('whole');
  });
  const other = await serve();
  const pools = makePools({ poolsMax: 1 });
  const lease = await pools.lease({ origin: slow.origin });
  const answer = lease.request({ method: 'PUT', path: '/', body: 'x' });
  await until('the request is there', () => slow.requests.length === 1);
  lease.release();
  const waiting = pools.lease({ origin: other.origin });
  await until('the pool is being evicted', () => pools.report().evictions === 1);
  expect(pools.report().pools.map((pool) => pool.origin)).toEqual([slow.origin]);
  hold.open();
  expect(text(await answer)).toBe('whole');
  expect((await (await waiting).request({ method: 'GET', path: '/' })).status).toBe(200);
  await until('the evicted pool left no socket', () => slow.sockets.size === 0);
});

// Promise 5. Break: in src/pool/manager.ts, let `#evict` leave out `pool.leases > 0`.
test('a pool that is leased is never evicted; of the others the one leased longest ago goes', async () => {
  const servers = await Promise.all([serve(), serve(), serve(), serve()]);
  const [a, b, c, d] = servers.map(({ origin }) => origin);
  const pools = makePools({ poolsMax: 3 });
  await pools.lease({ origin: a ?? '' });
  for (const origin of [b, c, b]) (await pools.lease({ origin: origin ?? '' })).release();
  await pools.lease({ origin: d ?? '' });
  expect(pools.report().pools.map((pool) => pool.origin)).toEqual([a, b, d]);
});

// Promise 5. Break: in src/pool/lease.ts, let `expire` do nothing.
test('a lease that nobody released ends with its deadline', async () => {
  const [first, second] = await Promise.all([serve(), serve()]);
  const pools = makePools({ poolsMax: 1 });
  const leaked = await pools.lease({ origin: first.origin }, { deadline: Date.now() + 50 });
  await pools.lease({ origin: second.origin });
  const error = await rejection(leaked.request({ method: 'GET', path: '/' }));
  expect(error).toBeInstanceOf(AdcError);
  expect(error).toMatchObject({ code: 'deadline' });
});
