import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import type { PoolResponse } from '../../src/pool/pool.js';
import { clientCertificates, makePools, pem, poolReport, serve, sleep, text, until } from './support.js';

/** A random sequence that is the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs jobs, so many at a time. */
async function runJobs(count: number, atOnce: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) {
        next += 1;
        await job(next - 1);
      }
    }),
  );
}

/** Many jobs against one gateway: connections are bounded by the concurrency, and none is left afterwards. */
export async function manyJobs(jobs: number, scheme: 'http' | 'https'): Promise<void> {
  const atOnce = 8;
  const concurrency = 4;
  const tls = { ca: pem('ca.pem') };
  const server = await serve(
    (_request, response) => setImmediate(() => response.end('{}')),
    scheme === 'https' ? { tls: {} } : {},
  );
  const pools = makePools({ idleTimeout: 300 });
  await runJobs(jobs, atOnce, async (index) => {
    const lease = await pools.lease({ origin: server.origin, tls }, { concurrency, deadline: Date.now() + 30_000 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, id) => lease.request({ method: 'PUT', path: `/${index}/${id}`, body: '{}' })),
    );
    lease.release();
    expect(answers.every((answer) => answer.status === 200 && answer.attempts === 1)).toBe(true);
  });
  expect(server.requests).toHaveLength(jobs * 10);
  // On a slow machine one or the other may have idled out under the load already.
  const idledOut = poolReport(pools).closed['idle'] ?? 0;
  expect(server.accepted - idledOut).toBeLessThanOrEqual(atOnce * concurrency);
  await until('no connection is left', () => server.sockets.size === 0);
  expect(poolReport(pools)).toMatchObject({ open: 0, leases: 0, queued: 0 });
  expect(poolReport(pools).retried).toEqual({});
}

/** Many requests to a server that closes idle connections, and any connection, at random. */
export async function hostileServer(requests: number): Promise<void> {
  const random = randomFrom(4711);
  /** What the server holds: the last body of each path, and how often it was written. */
  const stored = new Map<string, { body: string; times: number }>();
  const left = new WeakMap<Socket, number>();
  const cut = (socket: Socket): unknown => (random() < 0.5 ? socket.destroy() : socket.resetAndDestroy());
  const cutWhenIdle = (socket: Socket): void => {
    const read = socket.bytesRead;
    // What has arrived is looked at first: both sides are in one process here, which may be late with everything.
    const look = (): unknown => setImmediate(() => socket.bytesRead === read && cut(socket));
    setTimeout(look, random() * 20);
  };
  const server = await serve(
    (request, response) => {
      const { socket, url = '' } = request;
      const body = server.requests.at(-1)?.body ?? '';
      stored.set(url, { body, times: (stored.get(url)?.times ?? 0) + 1 });
      const more = (left.get(socket) ?? 1 + Math.floor(random() * 20)) - 1;
      left.set(socket, more);
      response.end(body, () => {
        if (more <= 0) {
          cut(socket);
          return;
        }
        cutWhenIdle(socket);
      });
    },
    {
      // Those that are idle from the start are closed as well.
      onConnection: cutWhenIdle,
    },
  );
  const pools = makePools();
  const answers: PoolResponse[] = [];
  await runJobs(requests / 10, 10, async (index) => {
    const lease = await pools.lease({ origin: server.origin }, { concurrency: 3 });
    for (let id = 0; id < 10; id += 1) {
      const path = `/${index}/${id}`;
      const answer = await lease.request({ method: 'PUT', path, body: `{"path":"${path}"}` });
      expect(answer.status).toBe(200);
      expect(text(answer)).toBe(`{"path":"${path}"}`);
      answers.push(answer);
      // Now and then a pause, for the server to close what is idle.
      if (random() < 0.3) await sleep(random() * 20);
    }
    lease.release();
  });
  expect(answers).toHaveLength(requests);
  expect(stored.size).toBe(requests);
  for (const [path, { body }] of stored) expect(body).toBe(`{"path":"${path}"}`);
  // What was written twice is reported as doubtful.
  const twice = [...stored.values()].filter(({ times }) => times > 1).length;
  expect(answers.filter((answer) => answer.ambiguous).length).toBeGreaterThanOrEqual(twice);
}

/** Tells which client certificate a request came with, and counts handshakes. */
async function serveNames() {
  let full = 0;
  const seen = new WeakSet<Socket>();
  const server = await serve(
    (request, response) => {
      const socket = request.socket as TLSSocket;
      if (!seen.has(socket)) {
        seen.add(socket);
        if (!socket.isSessionReused()) full += 1;
      }
      const name = String(socket.getPeerCertificate().subject?.CN);
      // Every request says as whom it is meant to come.
      response.statusCode = request.url === `/${name}` ? 200 : 403;
      response.end(name);
    },
    { tls: { ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true } },
  );
  return { server, full: () => full };
}

/** 32 identities and four gateways, interleaved: nobody comes as somebody else, and pools and handshakes are bounded. */
export async function manyIdentities(rounds: number): Promise<void> {
  const gateways = await Promise.all(Array.from({ length: 4 }, serveNames));
  const ca = pem('ca.pem');
  const key = pem('client.key');
  const certificates = clientCertificates();
  const jobs = rounds * certificates.length * gateways.length;
  const handshakes = { some: 0, full: 0 };
  for (const poolsMax of [64, 128]) {
    const pools = makePools({ poolsMax });
    const accepted = gateways.reduce((sum, { server }) => sum + server.accepted, 0);
    const full = gateways.reduce((sum, gateway) => sum + gateway.full(), 0);
    await runJobs(jobs, 16, async (index) => {
      const number = (index * 7) % certificates.length;
      const gateway = gateways[Math.floor(index / certificates.length) % gateways.length];
      const cert = certificates[number] ?? '';
      const path = `/client-${String(number + 1).padStart(2, '0')}`;
      const lease = await pools.lease(
        { origin: gateway?.server.origin ?? '', tls: { ca, cert, key } },
        { concurrency: 2 },
      );
      const answers = await Promise.all(Array.from({ length: 4 }, () => lease.request({ method: 'GET', path })));
      lease.release();
      for (const answer of answers) expect(`${answer.status} /${text(answer)}`).toBe(`200 ${path}`);
      expect(pools.report().pools.length).toBeLessThanOrEqual(poolsMax);
    });
    handshakes.some = gateways.reduce((sum, { server }) => sum + server.accepted, 0) - accepted;
    handshakes.full = gateways.reduce((sum, gateway) => sum + gateway.full(), 0) - full;
    // With fewer pools than there are callers some must come back; their sessions are known then.
    expect(handshakes.full).toBeLessThanOrEqual(128 * 2);
    expect(handshakes.some).toBeLessThanOrEqual(poolsMax >= 128 ? 128 * 2 : jobs * 2);
    await pools.close();
  }
}

/** The client certificate is replaced again and again under load; no request is cut, and old pools empty. */
export async function rotation(times: number): Promise<void> {
  const { server } = await serveNames();
  const ca = pem('ca.pem');
  const key = pem('client.key');
  const certificates = clientCertificates();
  const pools = makePools({ idleTimeout: 300 });
  let current = 0;
  let done = 0;
  const load = new AbortController();
  const running = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!load.signal.aborted) {
        const number = current % certificates.length;
        const path = `/client-${String(number + 1).padStart(2, '0')}`;
        const lease = await pools.lease({ origin: server.origin, tls: { ca, cert: certificates[number] ?? '', key } });
        // A job goes on with the identity that it began with.
        for (let request = 0; request < 5; request += 1) {
          const answer = await lease.request({ method: 'PUT', path, body: '{}' });
          expect(`${answer.status} ${answer.attempts} /${text(answer)}`).toBe(`200 1 ${path}`);
          done += 1;
        }
        lease.release();
      }
    }),
  );
  for (let turn = 1; turn <= times; turn += 1) {
    const before = done;
    await Promise.race([running, until('requests go on', () => done >= before + 200)]);
    current = turn;
  }
  load.abort();
  await running;
  const retired = (): number =>
    pools
      .report()
      .pools.slice(0, -1)
      .reduce((sum, pool) => sum + pool.open, 0);
  await until('only the last identity has connections, or none', () => retired() === 0);
  for (const pool of pools.report().pools) expect([pool.retried, pool.leases]).toEqual([{}, 0]);
}
