import { afterEach, describe, expect, it } from 'vitest';
import { startSmallGateway, type SmallAnswer, type SmallGateway } from '../../../test/support/small-gateway.js';
import { AdcError, GatewayError } from '../../model/errors.js';
import type { Operation } from '../../model/operation.js';
import { plan } from '../plan/plan.js';
import { apply } from './apply.js';
import type { Clock } from './clock.js';
import { lagPatience, lagPause } from './lag.js';
import type { OperationOutcome, Progress } from './outcome.js';

let gateway: SmallGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

const start = async (answer?: (request: string, before: number) => SmallAnswer): Promise<SmallGateway> => {
  gateway = await startSmallGateway(answer);
  return gateway;
};

function operation(id: string, more: Partial<Operation> = {}): Operation {
  const [method = '', object = ''] = id.split(' ');
  return {
    id,
    endpoint: 'http://one',
    method: method === 'DELETE' ? 'DELETE' : 'PUT',
    path: `/${object}`,
    ...(method === 'DELETE' ? {} : { body: () => '{}' }),
    object,
    references: [],
    releases: [],
    claims: [],
    frees: [],
    serves: [],
    changes: [],
    ...more,
  };
}

const endings = (outcomes: readonly OperationOutcome[]): Record<string, string> =>
  Object.fromEntries(outcomes.map(({ operation: { id }, status }) => [id, status]));

/** A promise and what resolves it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const chain = [
  operation('PUT upstreams/s'),
  operation('PUT services/s', { references: ['upstreams/s'] }),
  operation('PUT routes/r1', { references: ['services/s'] }),
  operation('PUT routes/r2', { references: ['services/s'] }),
];

describe('order and concurrency', () => {
  it('sends each operation after those it waits for, with the gateway’s own clock', async () => {
    const { backend, requests } = await start();
    const outcomes = await apply(plan(chain), backend);
    expect(requests.slice(0, 2)).toEqual(['PUT /upstreams/s', 'PUT /services/s']);
    expect(requests.slice(2).toSorted()).toEqual(['PUT /routes/r1', 'PUT /routes/r2']);
    expect(outcomes.map(({ status, attempts }) => [status, attempts])).toEqual(chain.map(() => ['applied', 1]));
    expect(outcomes[0]?.at.getMilliseconds()).toBe(0);
  });

  it('has no barrier between kinds: a route goes out while an unrelated service is still being written', async () => {
    const slow = gate();
    const { backend, received, requests } = await start((request) =>
      request === 'PUT /services/slow' ? { status: 200, hold: slow.passed } : { status: 200 },
    );
    const done = apply(plan([operation('PUT services/slow'), ...chain]), backend);
    await received(5);
    expect(requests).toContain('PUT /routes/r2');
    slow.open();
    expect(Object.values(endings(await done))).toEqual(Array(5).fill('applied'));
  });

  it('keeps to the number of requests in flight, and uses it', async () => {
    const all = gate();
    const { backend, mostAtOnce, received } = await start(() => ({ status: 200, hold: all.passed }));
    const many = Array.from({ length: 30 }, (_, number) => operation(`PUT services/${number}`));
    const done = apply(plan(many), backend, { concurrency: 4 });
    await received(4);
    all.open();
    await done;
    expect(mostAtOnce()).toBe(4);
  });

  it('tells how far it is', async () => {
    const { backend } = await start((request) => ({ status: request.endsWith('r1') ? 400 : 200 }));
    const seen: Progress[] = [];
    const ended: string[] = [];
    await apply(plan(chain), backend, {
      onProgress: (progress) => seen.push(progress),
      onOutcome: ({ operation: { id }, status }) => ended.push(`${id} ${status}`),
    });
    expect(seen[0]).toEqual({ total: 4, done: 0, failed: 0, running: 1 });
    expect(seen.at(-1)).toEqual({ total: 4, done: 4, failed: 1, running: 0 });
    expect(seen.every(({ done }, index) => index === 0 || done >= (seen[index - 1]?.done ?? 0))).toBe(true);
    expect(ended).toHaveLength(4);
  });

  it('says so where nothing was written', async () => {
    const { backend } = await start(() => ({ status: 204 }));
    expect(endings(await apply(plan([operation('PUT configs')]), backend))).toEqual({ 'PUT configs': 'unchanged' });
  });

  it('carries out 100,000 operations that wait for one another', async () => {
    const operations = Array.from({ length: 100_000 }, (_, number) =>
      operation(`PUT o/${number}`, number % 2 === 0 ? {} : { references: [`o/${number - 1}`] }),
    );
    const executed = { at: new Date(), status: 200, written: true };
    const outcomes = await apply(plan(operations), { execute: async () => executed, lagRefusal: () => undefined });
    expect(outcomes.filter(({ status }) => status === 'applied')).toHaveLength(100_000);
  });
});

describe('failure', () => {
  it('skips what depends on it, however far, says why, and goes on with the rest', async () => {
    const { backend, requests } = await start((request) =>
      request === 'PUT /upstreams/s' ? { status: 400, error: 'invalid configuration' } : { status: 200 },
    );
    const outcomes = await apply(plan([...chain, operation('PUT ssls/c')]), backend);
    expect(endings(outcomes)).toEqual({
      'PUT upstreams/s': 'failed',
      'PUT services/s': 'skipped',
      'PUT routes/r1': 'skipped',
      'PUT routes/r2': 'skipped',
      'PUT ssls/c': 'applied',
    });
    const skipped = outcomes.filter(({ status }) => status === 'skipped');
    expect(skipped.map(({ because, attempts }) => [because, attempts])).toEqual(
      skipped.map(() => ['PUT upstreams/s', 0]),
    );
    expect(outcomes.find(({ status }) => status === 'failed')?.error).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /^PUT http.*\/upstreams\/s, responded with status 400 .*error_msg: invalid configuration$/,
      ) as string,
    });
    expect(requests.toSorted()).toEqual(['PUT /ssls/c', 'PUT /upstreams/s']);
  });

  it('keeps what still serves when its replacement failed', async () => {
    const { backend, requests } = await start((request) => ({ status: request === 'PUT /routes/new' ? 400 : 200 }));
    const outcomes = await apply(
      plan([
        operation('PUT routes/new', { serves: ['http */'] }),
        operation('PUT routes/new2', { serves: ['http */'] }),
        operation('DELETE routes/old', { serves: ['http */'] }),
        operation('DELETE routes/old2', { serves: ['http */'] }),
        operation('DELETE routes/old3', { serves: ['http */'] }),
      ]),
      backend,
    );
    expect(endings(outcomes)).toMatchObject({ 'DELETE routes/old': 'skipped', 'PUT routes/new2': 'applied' });
    expect(requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  it('stops on request: what runs is finished, nothing new is started', async () => {
    const other = gate();
    const { backend, requests } = await start((request) => {
      if (request === 'PUT /a/bad') other.open();
      return request === 'PUT /a/bad' ? { status: 400 } : { status: 200, hold: other.passed };
    });
    const names = ['a/bad', 'a/running', 'a/later', 'a/latest'];
    const outcomes = await apply(plan(names.map((name) => operation(`PUT ${name}`))), backend, {
      failFast: true,
      concurrency: 2,
    });
    expect(endings(outcomes)).toMatchObject({
      'PUT a/bad': 'failed',
      'PUT a/running': 'applied',
      'PUT a/latest': 'aborted',
    });
    expect(outcomes.find(({ operation: { id } }) => id === 'PUT a/latest')).toMatchObject({ because: 'PUT a/bad' });
    expect(requests).not.toContain('PUT /a/latest');
  });

  it('sends nothing more to an endpoint that refused the key, and goes on with others', async () => {
    const { backend, requests } = await start((request) =>
      request.includes('/x/') ? { status: 401, error: 'failed to check token' } : { status: 200 },
    );
    const operations = ['x/1', 'x/2', 'x/3', 'y/1', 'y/2'].map((name) =>
      operation(`PUT ${name}`, { endpoint: `http://${name.slice(0, 1)}` }),
    );
    const outcomes = await apply(plan(operations), backend, { concurrency: 1 });
    expect(Object.values(endings(outcomes))).toEqual(['failed', 'skipped', 'skipped', 'applied', 'applied']);
    expect(outcomes[2]).toMatchObject({ because: 'PUT x/1' });
    expect(requests).toHaveLength(3);
  });
});

describe('the lag of gateways', () => {
  const refusal = {
    status: 400,
    error: 'can not delete this service directly, route [routes/r] is still using it now',
  };
  const deletes = [operation('DELETE routes/r', { releases: ['services/s'] }), operation('DELETE services/s')];

  it('repeats a refusal that names what this job deleted', async () => {
    const { backend } = await start((request, before) =>
      request === 'DELETE /services/s' && before < 3 ? refusal : { status: 200 },
    );
    const outcomes = await apply(plan(deletes), backend);
    expect(outcomes.map(({ status, attempts }) => [status, attempts])).toEqual([
      ['applied', 1],
      ['applied', 4],
    ]);
  });

  it('takes a refusal for final that names anything else', async () => {
    const { backend, requests } = await start(() => refusal);
    const outcomes = await apply(plan([operation('DELETE services/s')]), backend);
    expect(outcomes).toMatchObject([{ status: 'failed', attempts: 1 }]);
    expect(requests).toHaveLength(1);
  });

  it('takes a refusal for final that names an object of another endpoint', async () => {
    const { backend } = await start((request) => (request === 'DELETE /services/s' ? refusal : { status: 200 }));
    const elsewhere = [operation('DELETE routes/r', { endpoint: 'http://two' }), operation('DELETE services/s')];
    const outcomes = await apply(plan(elsewhere), backend, { concurrency: 1 });
    expect(outcomes.map(({ status, attempts }) => [status, attempts])).toEqual([
      ['applied', 1],
      ['failed', 1],
    ]);
  });

  it('knows a consumer whose credential this job changed', async () => {
    const duplicate = { status: 400, error: 'duplicate key of plugin key-auth: [consumers/ann] is still its owner' };
    const { backend } = await start((request, before) =>
      request === 'PUT /consumers/bob/credentials/k' && before === 0 ? duplicate : { status: 200 },
    );
    const outcomes = await apply(
      plan([
        operation('DELETE consumers/ann/credentials/k', { frees: ['key'] }),
        operation('PUT consumers/bob/credentials/k', { claims: ['key'] }),
      ]),
      backend,
    );
    expect(outcomes.map(({ status, attempts }) => [status, attempts])).toEqual([
      ['applied', 1],
      ['applied', 2],
    ]);
  });

  it('gives up within a second', async () => {
    const { backend } = await start((request) => (request === 'DELETE /services/s' ? refusal : { status: 200 }));
    let time = 0;
    const waits: number[] = [];
    const clock: Clock = {
      now: () => time,
      wait: async (milliseconds) => {
        waits.push(milliseconds);
        time += milliseconds;
      },
    };
    const outcomes = await apply(plan(deletes), backend, { clock, random: () => 0.5 });
    expect(outcomes[1]).toMatchObject({ status: 'failed', error: expect.any(AdcError) as AdcError });
    expect(waits.length).toBeGreaterThanOrEqual(5);
    expect(time).toBeGreaterThan(lagPatience / 4);
    expect(time).toBeLessThanOrEqual(lagPatience);
  });

  it('pauses longer each time, and never the same for everyone', () => {
    expect([1, 2, 3].map((repetition) => lagPause(repetition, 0))).toEqual([2.5, 5, 10]);
    expect(
      [1, 2, 3].map((repetition) => lagPause(repetition, 0.999)).every((pause, index) => pause > [2.5, 5, 10][index]!),
    ).toBe(true);
  });

  it('stops repeating when the job is stopped: the refusal stands', async () => {
    const stop = new AbortController();
    const { backend } = await start((request, before) => {
      if (request !== 'DELETE /services/s') return { status: 200 };
      if (before === 1) stop.abort();
      return refusal;
    });
    const outcomes = await apply(plan(deletes), backend, { signal: stop.signal });
    expect(outcomes[1]).toMatchObject({ status: 'failed', error: { code: 'refused' } });
  });
});

describe('stopping', () => {
  it('finishes what is in flight and starts nothing new', async () => {
    const slow = gate();
    const stop = new AbortController();
    const { backend, received, requests } = await start(() => ({ status: 200, hold: slow.passed }));
    const many = Array.from({ length: 6 }, (_, number) => operation(`PUT services/${number}`));
    const done = apply(plan([...many, operation('PUT routes/r', { references: ['services/0'] })]), backend, {
      concurrency: 2,
      signal: stop.signal,
    });
    await received(2);
    stop.abort();
    slow.open();
    const outcomes = await done;
    expect(Object.values(endings(outcomes)).toSorted()).toEqual([
      ...Array<string>(5).fill('aborted'),
      'applied',
      'applied',
    ]);
    expect(outcomes.filter(({ status }) => status === 'aborted').every(({ error }) => error instanceof AdcError)).toBe(
      true,
    );
    expect(requests).toHaveLength(2);
  });

  it('starts nothing where it was stopped, or late, before it began', async () => {
    const { backend, requests } = await start();
    const stopped = await apply(plan(chain), backend, { signal: AbortSignal.abort() });
    expect(new Set(Object.values(endings(stopped)))).toEqual(new Set(['aborted']));
    const late = await apply(plan(chain), backend, { deadline: Date.now() - 1 });
    expect(late.map(({ error }) => (error as AdcError).code)).toEqual(Array(4).fill('deadline'));
    expect(requests).toEqual([]);
  });

  it('does not know how a write ended that was sent and got no answer; what depends on it is skipped', async () => {
    const lost = { method: 'PUT', url: 'http://a/x', mayHaveActed: true };
    const outcomes = await apply(
      plan([
        operation('PUT services/lost'),
        operation('PUT routes/r', { references: ['services/lost'] }),
        operation('PUT ssls/refused'),
        operation('PUT ssls/unsent'),
      ]),
      {
        execute: ({ id }) => {
          if (id === 'PUT services/lost') return Promise.reject(new GatewayError('unreachable', lost));
          const status = id === 'PUT ssls/refused' ? { status: 400 } : { mayHaveActed: false };
          return Promise.reject(new GatewayError('refused', { ...lost, ...status }));
        },
        lagRefusal: () => undefined,
      },
    );
    expect(endings(outcomes)).toEqual({
      'PUT services/lost': 'unknown',
      'PUT routes/r': 'skipped',
      'PUT ssls/refused': 'failed',
      'PUT ssls/unsent': 'failed',
    });
  });

  it('cuts off what is in flight at the deadline and does not know how it ended', async () => {
    const { backend, received } = await start((request) =>
      request === 'PUT /services/hangs' ? { status: 200, hold: new Promise<void>(() => undefined) } : { status: 200 },
    );
    let strike: () => void = () => undefined;
    const clock: Clock = {
      now: () => 0,
      wait: () =>
        new Promise((resolve) => {
          strike = resolve;
        }),
    };
    const done = apply(
      plan([
        operation('PUT services/hangs'),
        operation('PUT routes/r', { references: ['services/hangs'] }),
        operation('PUT ssls/c'),
      ]),
      backend,
      { clock, deadline: 60_000 },
    );
    await received(2);
    strike();
    const outcomes = await done;
    expect(endings(outcomes)).toMatchObject({ 'PUT services/hangs': 'unknown', 'PUT routes/r': 'aborted' });
    expect(outcomes[0]?.error).toMatchObject({ code: 'deadline', failure: { method: 'PUT' } });
  });

  it('begins nothing more once the pool said that the deadline has passed, though its own timer has yet to run', async () => {
    const sent: string[] = [];
    const outcomes = await apply(
      plan(['a', 'b', 'c', 'd'].map((id) => operation(`PUT routes/${id}`))),
      {
        execute: ({ id }) => {
          sent.push(id);
          return Promise.reject(new AdcError('deadline', 'the deadline of the job has passed'));
        },
        lagRefusal: () => undefined,
      },
      { concurrency: 2, deadline: Date.now() + 60_000 },
    );
    expect(sent).toHaveLength(2);
    expect(outcomes.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'aborted', 'aborted']);
  });

  it('leaves no timer behind', async () => {
    const { backend } = await start();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await apply(plan(chain), backend, { deadline: Date.now() + 60_000, signal: new AbortController().signal });
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
