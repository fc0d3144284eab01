import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/model/errors.js';
import type { PoolRequest, PoolResponse } from '../../src/pool/pool.js';
import {
  deadPort,
  gate,
  makePools,
  poolReport,
  rejection,
  serve,
  serveTcp,
  sleep,
  text,
  until,
  type Handler,
} from './support.js';

const get = { method: 'GET', path: '/x' } as const;
const put = { method: 'PUT', path: '/x', body: '{"id":1}' } as const;
/** Retries without waits worth mentioning. */
const eager = { retryBase: 1, retryCap: 2 };

/** Answers a raw request with 200 and a body. */
function rawAnswer(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
}

// Promise 6. Break: in src/pool/exchange.ts, let `stale` be false in `onError`.
test('a reused connection that fails before the first byte is replaced at once, outside the budget', async () => {
  // Every connection answers once; the next request on it is read and met with a reset.
  const server = await serveTcp((socket) => {
    let seen = 0;
    socket.on('data', () => {
      seen += 1;
      if (seen === 1) socket.write(rawAnswer('ok'));
      else socket.resetAndDestroy();
    });
  });
  const pools = makePools({ retries: 0 });
  const lease = await pools.lease({ origin: server.origin });
  const answers: PoolResponse[] = [];
  for (let round = 0; round < 4; round += 1) answers.push(await lease.request(put));
  expect(answers.map((answer) => answer.attempts)).toEqual([1, 2, 2, 2]);
  // The request that met the reset may have been carried out.
  expect(answers.map((answer) => answer.ambiguous)).toEqual([false, true, true, true]);
  expect(poolReport(pools)).toMatchObject({ staleRetries: 3, closed: { stale: 3 } });
  expect(poolReport(pools).retried).toEqual({});
});

// Promise 6. Break: in src/pool/exchange.ts, leave out `this.needsFresh = true` in `onError`.
test('the stale retry goes out on a connection opened for it, not on another idle one', async () => {
  // All connections opened before the "restart" are dead, and show it only when something is sent.
  let restarted = false;
  const server = await serveTcp((socket) => {
    const old = !restarted;
    socket.on('data', () => {
      if (old && restarted) socket.resetAndDestroy();
      else setTimeout(() => socket.destroyed || socket.write(rawAnswer('ok')), 5);
    });
  });
  const pools = makePools({ retries: 0 });
  const lease = await pools.lease({ origin: server.origin });
  await Promise.all(Array.from({ length: 5 }, () => lease.request(get)));
  expect(poolReport(pools).idle).toBe(5);
  restarted = true;
  for (let round = 0; round < 5; round += 1) expect((await lease.request(put)).status).toBe(200);
});

// Promise 6. Break: in src/pool/one-pool.ts, let `lose` call `#pump` instead of `#pumpSoon`.
test('the stale retry has the first right to the slot of the connection that was lost', async () => {
  const order: string[] = [];
  let restarted = false;
  const server = await serveTcp((socket, number) => {
    socket.on('data', (data: Buffer) => {
      if (number === 1 && restarted) socket.resetAndDestroy();
      else {
        order.push(/ (\/\S*)/.exec(data.toString())?.[1] ?? '');
        socket.write(rawAnswer('ok'));
      }
    });
  });
  const pools = makePools({ connectionsPerPool: 1 });
  const lease = await pools.lease({ origin: server.origin });
  await lease.request({ ...get, path: '/warm' });
  restarted = true;
  await Promise.all(['/first', '/second', '/third'].map((path) => lease.request({ ...put, path })));
  expect(order).toEqual(['/warm', '/first', '/second', '/third']);
});

// Promise 6. Break: in src/pool/exchange.ts, let `needsFresh` be false for what is not repeatable.
test('what must not be sent twice travels on a connection of its own, and is not repeated after bytes went out', async () => {
  const server = await serveTcp((socket) => {
    let seen = 0;
    socket.on('data', (data: Buffer) => {
      seen += 1;
      if (data.toString().startsWith('POST') && seen > 1) socket.resetAndDestroy();
      else if (data.toString().includes('/fail')) socket.resetAndDestroy();
      else socket.write(rawAnswer('created'));
    });
  });
  const pools = makePools(eager);
  const lease = await pools.lease({ origin: server.origin });
  await lease.request(get);
  const post = { method: 'POST', path: '/x', body: '{}', repeatable: false } as const;
  expect(await lease.request(post)).toMatchObject({ status: 200, attempts: 1, ambiguous: false });
  const error = await rejection(lease.request({ ...post, path: '/fail' }));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(poolReport(pools)).toMatchObject({ staleRetries: 0 });
  expect(poolReport(pools).retried).toEqual({});
});

test('a write that was sent and got no answer may have been carried out, and its error says so', async () => {
  const server = await serveTcp((socket) => {
    socket.on('data', (data: Buffer) => {
      if (data.toString().includes('/reset')) socket.resetAndDestroy();
    });
  });
  const pools = makePools({ retries: 1, retryBase: 1 });
  const lease = await pools.lease({ origin: server.origin });
  const failure = async (request: PoolRequest, from = lease): Promise<unknown> => {
    const error = await rejection(from.request(request));
    return error instanceof GatewayError ? [error.code, error.failure.mayHaveActed ?? false] : error;
  };
  expect(await failure({ ...put, path: '/reset' })).toEqual(['unreachable', true]);
  expect(await failure({ ...put, path: '/hangs', timeout: 20 })).toEqual(['unreachable', true]);
  expect(await failure({ ...get, path: '/reset' })).toEqual(['unreachable', false]);
  const nobody = await pools.lease({ origin: `http://127.0.0.1:${await deadPort()}` });
  expect(await failure(put, nobody)).toEqual(['unreachable', false]);
});

// Promise 7. Break: in src/pool/retry.ts, leave 503 out of `repeatedStatus`.
test.each([429, 500, 502, 503, 504])('a %i is asked for again', async (status) => {
  const server = await serve((_request, response, number) => {
    response.statusCode = number <= 2 ? status : 200;
    response.end(`answer ${number}`);
  });
  const pools = makePools(eager);
  const lease = await pools.lease({ origin: server.origin });
  const answer = await lease.request(put);
  expect(text(answer)).toBe('answer 3');
  expect(answer).toMatchObject({ status: 200, attempts: 3, ambiguous: status !== 429 });
  expect(poolReport(pools).retried).toEqual({ [status]: 2 });
});

// Promise 7. Break: in src/pool/exchange.ts, let `#retryAnswer` give true where there is no delay.
test('after the budget the last answer is given, with its own words', async () => {
  const server = await serve((_request, response, number) => {
    response.writeHead(503, 'Not Today', { 'x-number': String(number) });
    response.end(`{"error_msg":"etcd is away, time ${number}"}`);
  });
  const lease = await makePools({ ...eager, retries: 2 }).lease({ origin: server.origin });
  const answer = await lease.request(put);
  expect(answer).toMatchObject({ status: 503, statusText: 'Not Today', attempts: 3 });
  expect(answer.headers['x-number']).toBe('3');
  expect(text(answer)).toContain('etcd is away, time 3');
});

// Promise 7. Break: in src/pool/exchange.ts, leave out `this.#fallback = this.#response(body)`.
test("the gateway's words survive when a later attempt finds no gateway", async () => {
  const server = await serve(async (_request, response) => {
    response.statusCode = 502;
    response.end('the words');
    await server.stop();
  });
  const lease = await makePools(eager).lease({ origin: server.origin });
  const answer = await lease.request(put);
  expect(answer.status).toBe(502);
  expect(text(answer)).toBe('the words');
});

// Promise 7. Break: in src/pool/retry.ts, add 404 to `repeatedStatus`.
test('no other status is asked for again', async () => {
  const statuses = [200, 201, 204, 301, 400, 401, 403, 404, 405, 408, 409, 413, 422, 501];
  const server = await serve((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  const lease = await makePools(eager).lease({ origin: server.origin });
  for (const status of statuses) {
    expect(await lease.request({ ...put, path: `/${status}` })).toMatchObject({ status, attempts: 1 });
  }
  expect(server.requests).toHaveLength(statuses.length);
});

// Promise 7. Break: in src/pool/retry.ts, leave `retryAfter` out of the delay.
test('Retry-After is honoured, up to a limit', async () => {
  const times: number[] = [];
  const server = await serve((_request, response, number) => {
    times.push(performance.now());
    response.writeHead(number === 1 ? 429 : 200, { 'retry-after': '1' });
    response.end();
  });
  const lease = await makePools(eager).lease({ origin: server.origin });
  expect(await lease.request(put)).toMatchObject({ status: 200, attempts: 2 });
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(900);

  const impatient = await makePools({ ...eager, retryAfterCap: 500 }).lease({ origin: server.origin });
  server.requests.length = 0;
  expect(await impatient.request(put)).toMatchObject({ status: 429, attempts: 1 });
});

// Promise 7. Break: in src/pool/exchange.ts, let `mayRepeat` be false in `attemptFailed`.
test('a gateway that restarts is found again', async () => {
  const port = await deadPort();
  const pools = makePools({ random: () => 0.99 });
  const lease = await pools.lease({ origin: `http://127.0.0.1:${port}` });
  const answer = lease.request(put);
  await until('the first attempt failed', () => poolReport(pools).retried['connect'] === 1);
  await serve(undefined, { port });
  // The failed attempts reached nobody.
  expect(await answer).toMatchObject({ status: 200, attempts: 1, ambiguous: false });
});

test('an answer that is cut short is asked for again, and leaves open what happened', async () => {
  const server = await serveTcp((socket, number) => {
    socket.on('data', () => {
      if (number === 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
      else socket.write(rawAnswer('whole'));
    });
  });
  const pools = makePools(eager);
  const answer = await (await pools.lease({ origin: server.origin })).request(put);
  expect(text(answer)).toBe('whole');
  expect(answer).toMatchObject({ attempts: 2, ambiguous: true });
  expect(poolReport(pools).retried).toEqual({ reset: 1 });
});

test('what is no HTTP is not asked for again', async () => {
  const server = await serveTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
  const error = await rejection((await makePools(eager).lease({ origin: server.origin })).request(get));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(error.message).toMatch(/^GET http:\S+\/x: .*HTTP/);
  expect(server.accepted).toBe(1);
});

// Promise 8. Break: in src/pool/one-pool.ts, leave out the check of `queueLength` in `submit`.
test('a full queue refuses at once, and says which pool it is and how full', async () => {
  const hold = gate();
  const server = await serve(async (_request, response) => {
    await hold.opened;
    response.end();
  });
  const pools = makePools({ connectionsPerPool: 1, queueLength: 2 });
  const lease = await pools.lease({ origin: server.origin });
  const running = [1, 2, 3].map(() => lease.request(get));
  const error = await rejection(lease.request(put));
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: 'busy', failure: { method: 'PUT', url: `${server.origin}/x` } });
  expect(error.message).toBe(
    `PUT ${server.origin}/x: no room to wait for a connection of the pool of ${server.origin} (identity plain): ` +
      '1 of at most 1 connections busy, 2 requests waiting',
  );
  hold.open();
  for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
});

// Promise 8. Break: in src/pool/exchange.ts, leave out the branch of `expire` that refuses as busy.
test('a wait without progress ends', async () => {
  const server = await serve(() => {});
  const pools = makePools({ connectionsPerPool: 1, queueWait: 60 });
  const lease = await pools.lease({ origin: server.origin });
  const stuck = rejection(lease.request({ ...get, timeout: 400 }));
  const error = await rejection(lease.request(put));
  expect(error).toMatchObject({ code: 'busy' });
  expect(error.message).toMatch(/waited \d+ms for a connection of the pool of .*: 1 of at most 1 connections busy/);
  await stuck;
});

test('those who stand behind others of their own job do not give up while the job moves', async () => {
  const server = await serve((_request, response) => setTimeout(() => response.end(), 60));
  const lease = await makePools({ queueWait: 400 }).lease({ origin: server.origin }, { concurrency: 1 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => lease.request(get)));
  expect(answers).toHaveLength(10);
});

// Promise 8. Break: in src/pool/queue.ts, let `push` put every member of one queue under the same turn
// (see mutants.json: `shift` serves the first member until it has nothing left).
test('a job of many requests does not hold up one of few', async () => {
  const order: string[] = [];
  const server = await serve((request, response) => {
    order.push(request.url?.slice(1, 4) ?? '');
    setTimeout(() => response.end(), 1);
  });
  const pools = makePools({ connectionsPerPool: 2 });
  const big = await pools.lease({ origin: server.origin }, { concurrency: 100 });
  const small = await pools.lease({ origin: server.origin }, { concurrency: 100 });
  const all = Array.from({ length: 100 }, () => big.request({ ...get, path: '/big' }));
  const few = Array.from({ length: 5 }, () => small.request({ ...get, path: '/few' }));
  await Promise.all(few);
  expect(order.filter((name) => name === 'big').length).toBeLessThan(20);
  await Promise.all(all);
});

// Promise 9. Break: in src/pool/breaker.ts, let `wouldAllow` give true.
test('after failures in a row a pool answers at once with the last one, and finds its gateway again by itself', async () => {
  const port = await deadPort();
  const origin = `http://127.0.0.1:${port}`;
  const alive = await serve();
  const pools = makePools({ ...eager, breakerFailures: 3, breakerSpan: 20, breakerWait: 150 });
  const lease = await pools.lease({ origin });
  const healthy = await pools.lease({ origin: alive.origin });
  await until('the breaker opens', () => {
    lease.request(get).catch(() => {});
    return poolReport(pools, origin).breaker === 'open';
  });
  const before = poolReport(pools, origin).retried['connect'];
  const error = await rejection(lease.request(put));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(error.message).toMatch(
    new RegExp(
      `^PUT ${origin}/x: connect ECONNREFUSED 127.0.0.1:${port} \\(not tried: \\d+ failures in a row; next try in \\d+ms\\)$`,
    ),
  );
  expect(poolReport(pools, origin).retried['connect']).toBe(before);
  expect((await healthy.request(get)).status).toBe(200);

  const revived = await serve(undefined, { port });
  await until('it is found again without a request', () => poolReport(pools, origin).breaker === 'closed');
  expect(revived.requests).toHaveLength(0);
  expect((await lease.request(put)).status).toBe(200);
  expect(revived.accepted).toBe(1);
});

// Promise 9. Break: in src/pool/breaker.ts, leave `breakerSpan` out of `failed`.
test('a restart does not open the breaker: failures must also span a time', async () => {
  const port = await deadPort();
  const pools = makePools({ breakerFailures: 3, breakerSpan: 60_000, random: () => 0.99 });
  const lease = await pools.lease({ origin: `http://127.0.0.1:${port}` }, { concurrency: 20 });
  const answers = Array.from({ length: 20 }, () => lease.request(put));
  await until('all have failed once', () => (poolReport(pools).retried['connect'] ?? 0) >= 20);
  await serve(undefined, { port });
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
});

// Promise 10. Break: in src/pool/exchange.ts, leave out `now >= this.#attemptEnd` in `expire`.
test.each<[string, Handler]>([
  ['that never answers', () => {}],
  ['that never ends its answer', (_request, response) => void response.write('x')],
  [
    'that drips its answer',
    (_request, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    },
  ],
])('a request to a server %s ends with its timeout', async (_what, handler) => {
  const server = await serve(handler);
  const pools = makePools();
  const lease = await pools.lease({ origin: server.origin });
  const error = await rejection(lease.request({ ...get, timeout: 200 }));
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: 'unreachable', failure: { method: 'GET', url: `${server.origin}/x` } });
  expect(error.message).toBe(
    `Request "GET ${server.origin}/x" timed out after 200ms. Consider increasing the timeout with the --timeout flag.`,
  );
  expect(poolReport(pools)).toMatchObject({ open: 0, closed: { timeout: 1 } });
  await until('the connection is closed', () => server.sockets.size === 0);
});

// Promise 10. Break: in src/pool/exchange.ts, let `#phaseEnd` be Infinity in `send`.
test('without a timeout of its own a request still ends: no headers, or no more body', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/body') response.write('x');
  });
  const early = await makePools({ headersTimeout: 100 }).lease({ origin: server.origin });
  const headers = await rejection(early.request({ ...get, timeout: 0 }));
  expect(headers.message).toBe(`GET ${server.origin}/x: no answer within 100ms`);
  const late = await makePools({ bodyTimeout: 80 }).lease({ origin: server.origin });
  const body = await rejection(late.request({ ...get, path: '/body', timeout: 0 }));
  expect(body.message).toBe(`GET ${server.origin}/body: the answer stopped for 80ms`);
});

// Promise 10. Break: in src/pool/connect.ts, leave the timer out of `openConnection`.
test('opening a connection ends with the connect timeout', async () => {
  // A TLS client waits for a server that accepts and says nothing.
  const server = await serveTcp(() => {});
  const pools = makePools({ connectTimeout: 100, ...eager, retries: 1 });
  const lease = await pools.lease({ origin: `https://127.0.0.1:${server.port}` });
  const error = await rejection(lease.request(get));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(error.message).toContain(`GET https://127.0.0.1:${server.port}/x: connect timed out after 100ms`);
  expect(poolReport(pools).retried).toEqual({ timeout: 1 });
  await until('nothing is left', () => server.sockets.size === 0);
});

// Promise 10. Break: in src/pool/exchange.ts, leave out `now >= this.member.deadline` in `expire`.
test('the deadline of a job ends what runs and what waits, and nothing is sent after it', async () => {
  const server = await serve(() => {});
  const pools = makePools({ connectionsPerPool: 1 });
  const lease = await pools.lease({ origin: server.origin }, { deadline: Date.now() + 150 });
  const errors = await Promise.all([rejection(lease.request(put)), rejection(lease.request(put))]);
  for (const error of errors) {
    expect(error).toMatchObject({ code: 'deadline' });
    expect(error.message).toBe(`PUT ${server.origin}/x: the deadline of the job has passed`);
  }
  expect(await rejection(lease.request(put))).toMatchObject({ code: 'deadline' });
  expect(server.requests).toHaveLength(1);
});

test('a retry that could not end before the deadline is not waited for', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(503, { 'retry-after': '5' });
    response.end('busy');
  });
  const lease = await makePools().lease({ origin: server.origin }, { deadline: Date.now() + 2_000 });
  expect(await lease.request(put)).toMatchObject({ status: 503, attempts: 1 });
});

// Promise 10. Break: in src/pool/lease.ts, leave out the loop that aborts what is active.
test('a caller that goes away takes its requests with it, and nothing of them is sent later', async () => {
  const hold = gate();
  const server = await serve(async (_request, response) => {
    await hold.opened;
    response.end();
  });
  const pools = makePools({ connectionsPerPool: 2 });
  const controller = new AbortController();
  const lease = await pools.lease({ origin: server.origin }, { signal: controller.signal });
  const other = await pools.lease({ origin: server.origin });
  const mine = Array.from({ length: 6 }, (_, i) => rejection(lease.request({ ...put, path: `/mine/${i}` })));
  const theirs = Array.from({ length: 3 }, (_, i) => other.request({ ...put, path: `/theirs/${i}` }));
  await until('two are with the server', () => server.requests.length === 2);
  controller.abort();
  for (const error of await Promise.all(mine)) {
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'aborted' });
    expect(error.message).toMatch(/^PUT http:\S+\/mine\/\d: aborted$/);
  }
  hold.open();
  for (const answer of await Promise.all(theirs)) expect(answer.status).toBe(200);
  expect(server.requests.filter(({ url }) => url.startsWith('/mine'))).toHaveLength(2);
  expect(await rejection(lease.request(put))).toMatchObject({ code: 'aborted' });
  expect(poolReport(pools)).toMatchObject({ leases: 1, closed: { aborted: 2 } });
});

// Promise 10. Break: in src/pool/exchange.ts, leave `clearTimeout(this.#pause)` out of `#settle`.
test('a caller that goes away during a pause is answered at once, and there is no retry', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(503, { 'retry-after': '1' });
    response.end();
  });
  const pools = makePools();
  const controller = new AbortController();
  const lease = await pools.lease({ origin: server.origin });
  const answer = rejection(lease.request({ ...put, signal: controller.signal }));
  await until('it pauses', () => poolReport(pools).retried['503'] === 1);
  controller.abort(new Error('client disconnected'));
  expect((await answer).message).toBe(`PUT ${server.origin}/x: aborted: client disconnected`);
  await sleep(1050);
  expect(server.requests).toHaveLength(1);
});

// Promise 10. Break: in src/pool/one-pool.ts, let `settled` disown without giving up.
test('an abort while connecting leaves no connection behind', async () => {
  const server = await serveTcp(() => {});
  const pools = makePools({ connectTimeout: 60_000 });
  const controller = new AbortController();
  const lease = await pools.lease({ origin: `https://127.0.0.1:${server.port}` }, { signal: controller.signal });
  const error = rejection(lease.request(get));
  await until('it connects', () => server.sockets.size === 1);
  controller.abort();
  expect(await error).toMatchObject({ code: 'aborted' });
  await until('nothing is left', () => server.sockets.size === 0);
  expect(await rejection(pools.lease({ origin: server.origin }, { signal: controller.signal }))).toMatchObject({
    code: 'aborted',
  });
});

test('a signal of one request ends that one only, and keeps no listener', async () => {
  const hold = gate();
  const server = await serve(async (_request, response) => {
    await hold.opened;
    response.end();
  });
  const lease = await makePools().lease({ origin: server.origin });
  const controller = new AbortController();
  const one = rejection(lease.request({ ...get, signal: controller.signal }));
  const two = lease.request(get);
  await until('both are there', () => server.requests.length === 2);
  controller.abort();
  expect(await one).toMatchObject({ code: 'aborted' });
  hold.open();
  expect((await two).status).toBe(200);

  const kept = new AbortController();
  const other = await makePools().lease({ origin: server.origin }, { signal: kept.signal });
  await other.request({ ...get, signal: kept.signal });
  other.release();
  expect(getEventListeners(kept.signal, 'abort')).toHaveLength(0);
});

test('a released lease takes no request, and finishes what it has', async () => {
  const hold = gate();
  const server = await serve(async (_request, response) => {
    await hold.opened;
    response.end('whole');
  });
  const lease = await makePools().lease({ origin: server.origin });
  const answer = lease.request(get);
  lease.release();
  lease.release();
  hold.open();
  expect(text(await answer)).toBe('whole');
  const error = await rejection(lease.request(get));
  expect(error.message).toBe(`GET ${server.origin}/x: the lease was released`);
});

test('an abandoned lease gives up what it has', async () => {
  const server = await serve(() => {});
  const lease = await makePools().lease({ origin: server.origin });
  const error = rejection(lease.request(get));
  await until('it is there', () => server.requests.length === 1);
  lease.abandon();
  lease.abandon();
  expect(await error).toMatchObject({ code: 'aborted', message: `GET ${server.origin}/x: the job has ended` });
  expect(await rejection(lease.request(get))).toMatchObject({ code: 'aborted' });
});

test('the signal of a shielded lease aborts nothing any more, neither what runs nor what comes', async () => {
  const hold = gate();
  const server = await serve(async (_request, response) => {
    await hold.opened;
    response.end('whole');
  });
  const controller = new AbortController();
  const lease = await makePools().lease({ origin: server.origin }, { signal: controller.signal });
  const answer = lease.request(get);
  await until('it is there', () => server.requests.length === 1);
  lease.shield();
  controller.abort();
  const next = lease.request(get);
  hold.open();
  expect([text(await answer), text(await next)]).toEqual(['whole', 'whole']);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('answers arrive whole: sizes, methods, header names and values', async () => {
  const big = 'é'.repeat(1_500_000);
  const server = await serve((request, response) => {
    response.setHeader('X-Mixed-Case', 'One');
    response.setHeader('X-Many', ['a', 'b']);
    if (request.url === '/big') response.end(big);
    else if (request.method === 'DELETE') response.writeHead(204).end();
    else response.end(request.method);
  });
  const pools = makePools();
  const lease = await pools.lease({ origin: server.origin });
  for (const method of ['GET', 'PUT', 'POST', 'PATCH'] as const) {
    expect(text(await lease.request({ method, path: '/' }))).toBe(method);
  }
  expect(await lease.request({ method: 'HEAD', path: '/' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  expect(await lease.request({ method: 'DELETE', path: '/' })).toMatchObject({ status: 204, statusText: 'No Content' });
  const answer = await lease.request({ method: 'GET', path: '/big' });
  expect(text(answer)).toBe(big);
  expect(answer.headers).toMatchObject({ 'x-mixed-case': 'One', 'x-many': 'a, b' });
  const body = new TextEncoder().encode(big);
  await lease.request({ method: 'PUT', path: '/bytes', body });
  expect(server.requests.at(-1)?.body).toBe(big);
  expect(server.accepted).toBe(1);
  expect(poolReport(pools)).toMatchObject({ created: 1, reused: 7 });
});

test('a request that cannot be put on the wire is refused without its secret, and costs nothing', async () => {
  const server = await serve();
  const pools = makePools();
  const lease = await pools.lease({ origin: server.origin });
  await lease.request(get);
  const error = await rejection(lease.request({ ...get, headers: { 'x-api-key': 'very\nsecret' } }));
  expect(error).toMatchObject({ code: 'usage' });
  expect(error.message).toBe(`GET ${server.origin}/x: invalid x-api-key header`);
  expect(await rejection(lease.request({ ...get, path: '/a b' }))).toMatchObject({ code: 'usage' });
  await lease.request(get);
  expect(server.accepted).toBe(1);
});

test('a server that closes after each answer is served all the same', async () => {
  const server = await serveTcp((socket) => {
    // HTTP/1.0 closes without saying so.
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  const lease = await makePools({ retries: 0 }).lease({ origin: server.origin }, { concurrency: 4 });
  const answers = await Promise.all(Array.from({ length: 40 }, () => lease.request(put)));
  expect(answers.map(text)).toEqual(Array.from({ length: 40 }, () => 'ok'));
  expect(answers.every((answer) => answer.attempts === 1)).toBe(true);
});

test('names the cause of what it cannot reach', async () => {
  const port = await deadPort();
  const pools = makePools(eager);
  const refused = await pools.lease({ origin: `http://127.0.0.1:${port}` });
  expect(await rejection(refused.request(put))).toMatchObject({
    code: 'unreachable',
    message: `PUT http://127.0.0.1:${port}/x: connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  const unknown = await pools.lease({ origin: 'http://gateway.invalid:9180' });
  const error = await rejection(unknown.request(get));
  expect(error).toMatchObject({ code: 'unreachable' });
  expect(error.message).toMatch(/^GET http:\/\/gateway\.invalid:9180\/x: getaddrinfo E\w+ gateway\.invalid$/);
  expect(await rejection(pools.lease({ origin: 'ftp://127.0.0.1' }))).toMatchObject({ code: 'usage' });
  expect(await rejection(pools.lease({ origin: 'gateway' }))).toMatchObject({ code: 'usage' });
});
