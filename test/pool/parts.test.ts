import { expect, test, vi } from 'vitest';
import type { AdcError } from '../../src/model/errors.js';
import { Breaker } from '../../src/pool/breaker.js';
import { DurationHistogram } from '../../src/pool/histogram.js';
import { IdleRules } from '../../src/pool/idle-rules.js';
import { poolDefaults, poolOptionsFromEnv, resolveOptions } from '../../src/pool/options.js';
import { FairQueue } from '../../src/pool/queue.js';
import { parseRetryAfter, retryDelay } from '../../src/pool/retry.js';
import { Wheel, type Expiring } from '../../src/pool/wheel.js';

test('options have defaults, and every one that is out of range is named', () => {
  expect(resolveOptions({})).toEqual(poolDefaults);
  expect(resolveOptions({ retries: 0, queueLength: 0 })).toMatchObject({ retries: 0, queueLength: 0 });
  const wrong = { connectionsPerPool: 0, poolsMax: 1.5, idleTimeout: -1, maxAge: Number.NaN, retries: -1 };
  try {
    resolveOptions(wrong);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'usage' });
    const messages = (error as AdcError).problems.map((problem) => problem.message);
    expect(messages).toHaveLength(5);
    expect(messages[0]).toBe('pool option connectionsPerPool: expected a whole number of at least 1, got 0');
  }
});

test('options come from the environment, and bad values are named all at once', () => {
  const env = {
    ADC_INGRESS_FREE_SOCKET_TIMEOUT: '50000',
    ADC_INGRESS_TLS_AGENT_POOL_MAX: ' 8 ',
    HTTPS_PROXY: 'http://p',
  };
  expect(poolOptionsFromEnv(env)).toEqual({ idleTimeout: 50_000, poolsMax: 8, proxyEnv: env });
  expect(poolOptionsFromEnv({ ADC_INGRESS_FREE_SOCKET_TIMEOUT: '' })).not.toHaveProperty('idleTimeout');
  for (const bad of ['10s', '-1', '0', '1.5', '1e3', 'NaN']) {
    const act = (): unknown =>
      poolOptionsFromEnv({ ADC_INGRESS_FREE_SOCKET_TIMEOUT: bad, ADC_INGRESS_TLS_AGENT_POOL_MAX: bad });
    expect(act).toThrow(
      `ADC_INGRESS_FREE_SOCKET_TIMEOUT: expected a whole number of milliseconds of at least 1, got "${bad}"; ` +
        `ADC_INGRESS_TLS_AGENT_POOL_MAX: expected a whole number of pools of at least 1, got "${bad}"`,
    );
  }
});

// Promise 7. Break: in src/pool/retry.ts, leave `settings.random()` out of the delay.
test('waits double, are drawn from 0 up to their bound, and end with the budget', () => {
  const settings = { retries: 3, retryBase: 100, retryCap: 300, retryAfterCap: 1000 };
  const most = { ...settings, random: () => 1 };
  expect([0, 1, 2, 3].map((used) => retryDelay(used, most, Infinity))).toEqual([100, 200, 300, undefined]);
  expect(retryDelay(1, { ...settings, random: () => 0 }, Infinity)).toBe(0);
  expect(retryDelay(1, { ...settings, random: () => 0.25 }, Infinity)).toBe(50);
  expect(retryDelay(0, most, 100)).toBeUndefined();
  expect(retryDelay(0, most, Infinity, 900)).toBe(900);
  expect(retryDelay(0, most, Infinity, 1001)).toBeUndefined();
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(parseRetryAfter('2', now)).toBe(2000);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000);
  expect(parseRetryAfter('Thu, 01 Jan 2025 00:00:05 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBe(0);
  expect(parseRetryAfter(undefined, now)).toBe(0);
});

const failure = { code: 'unreachable', text: 'connect ECONNREFUSED', reason: 'connect', transient: true } as const;

test('the breaker waits longer after each failed probe, up to a limit, and starts anew after a success', () => {
  const settings = {
    ...poolDefaults,
    breakerFailures: 2,
    breakerSpan: 0,
    breakerWait: 100,
    breakerWaitMax: 350,
    random: () => 1,
  };
  const breaker = new Breaker(settings);
  expect([breaker.failed(failure, 0), breaker.failed(failure, 0)]).toEqual([false, true]);
  const waits: number[] = [];
  let now = 0;
  for (let probe = 0; probe < 4; probe += 1) {
    waits.push(breaker.retryAt - now);
    expect(breaker.allow(breaker.retryAt - 1)).toBe(false);
    now = breaker.retryAt;
    expect(breaker.allow(now)).toBe(true);
    expect(breaker.state).toBe('half-open');
    // One probe at a time.
    expect(breaker.allow(now)).toBe(false);
    expect(breaker.failed(failure, now)).toBe(true);
  }
  expect(waits).toEqual([100, 200, 350, 350]);
  breaker.succeeded();
  expect(breaker.state).toBe('closed');
  breaker.failed(failure, now);
  breaker.failed(failure, now);
  expect(breaker.retryAt - now).toBe(100);
});

test('a probe that was given up leaves the way free for the next', () => {
  const breaker = new Breaker({ ...poolDefaults, breakerFailures: 1, breakerSpan: 0, breakerWait: 100 });
  breaker.failed(failure, 0);
  expect(breaker.allow(200)).toBe(true);
  breaker.abandoned(200);
  expect(breaker.state).toBe('open');
  expect(breaker.allow(200)).toBe(true);
});

// Promise 3. Break: in src/pool/idle-rules.ts, leave `random()` out of `idleUntil`.
test('idle times are jittered, and never longer than said', () => {
  const until = (random: number, keepAlive = Infinity): number =>
    new IdleRules({ ...poolDefaults, random: () => random }).idleUntil(0, keepAlive);
  expect(until(0)).toBe(36_000);
  expect(until(1)).toBe(45_000);
  expect(until(1, 5000)).toBe(4000);
  expect(until(1, 1000)).toBe(500);
});

test('an idle timeout of the server is learned from two closes that agree, and forgotten in time', () => {
  const rules = new IdleRules({ ...poolDefaults, random: () => 1 });
  const idle = (now: number): number => rules.idleUntil(now, Infinity) - now;
  // A restart closes connections of any age.
  for (const idled of [5_000, 40, 300, 21_000]) rules.noteServerClose(idled, 0);
  expect(idle(0)).toBe(45_000);
  rules.noteServerClose(1_020, 0);
  rules.noteServerClose(1_000, 0);
  expect(idle(0)).toBe(750);
  expect(idle(poolDefaults.maxAge - 1)).toBe(750);
  expect(idle(poolDefaults.maxAge)).toBe(45_000);
});

test('as many connections are kept idle as were busy within the window', () => {
  const rules = new IdleRules({ ...poolDefaults, idleKept: 2, idleWindow: 1000 });
  rules.noteBusy(9);
  rules.turn(100, 0);
  rules.noteBusy(4);
  rules.turn(600, 0);
  expect(rules.kept).toBe(9);
  rules.turn(1101, 0);
  expect(rules.kept).toBe(4);
  rules.turn(1700, 0);
  expect(rules.kept).toBe(2);
});

test('the queue serves members in turn, who runs again first, and lets go of what leaves', () => {
  interface Item {
    readonly name: string;
    readonly member: { readonly waiting: Set<Item>; hasRoom(): boolean };
  }
  const member = (room = true): Item['member'] => ({ waiting: new Set<Item>(), hasRoom: () => room });
  const queue = new FairQueue<Item>();
  const [a, b, full] = [member(), member(), member(false)];
  const item = (name: string, of: Item['member']): Item => ({ name, member: of });
  const gone = item('a2', a);
  for (const one of [item('a1', a), gone, item('a3', a), item('b1', b), item('b2', b), item('f1', full)])
    queue.push(one);
  expect(queue.length).toBe(6);
  expect([queue.remove(gone), queue.remove(gone)]).toEqual([true, false]);
  queue.pushAgain(item('again', b));
  const served: string[] = [];
  while (queue.ready) {
    const next = queue.shift();
    if (next === undefined) break;
    served.push(next.name);
    queue.roomFor(next.member);
  }
  expect(served).toEqual(['again', 'a1', 'b1', 'a3', 'b2']);
  expect(queue.length).toBe(1);
});

test('histograms count by upper bound', () => {
  const histogram = new DurationHistogram();
  for (const milliseconds of [0.05, 0.1, 1, 100, 60_000]) histogram.record(milliseconds);
  const { bounds, counts, sum } = histogram.report();
  expect(bounds.flatMap((bound, index) => (counts[index] ? [[bound, counts[index]]] : []))).toEqual([
    [0.0001, 2],
    [0.001, 1],
    [0.1, 1],
  ]);
  expect(counts.at(-1)).toBe(1);
  expect(sum).toBeCloseTo(60.10115, 6);
});

test('the wheel calls what is due, in any order of adding, and not what left', async () => {
  const wheel = new Wheel();
  const start = performance.now();
  const called: string[] = [];
  const expiring = (name: string, due: number): Expiring => {
    const self: Expiring = {
      slot: 0,
      slotPlace: 0,
      expire: (now) => {
        if (now < due) wheel.add(self, due);
        else called.push(name);
      },
    };
    return self;
  };
  const gone = expiring('gone', start + 30);
  const late = expiring('late', start + 90);
  const first = expiring('first', start + 20);
  wheel.add(late, start + 90);
  wheel.add(gone, start + 30);
  wheel.add(first, start + 20);
  // Put off: it is called in its old slot, finds it too early, and stays.
  wheel.add(first, start + 60);
  const moved = expiring('moved', start + 40);
  wheel.add(moved, start + 5000);
  wheel.add(moved, start + 40);
  wheel.add(expiring('never', Infinity), Infinity);
  wheel.remove(gone);
  wheel.remove(gone);
  await vi.waitFor(() => expect(called).toEqual(['first', 'moved', 'late']));
  wheel.add(expiring('closed', 0), 0);
  wheel.close();
});

test('what is called may take others of its slot out of the wheel, or put them elsewhere', async () => {
  const wheel = new Wheel();
  const due = performance.now() + 20;
  const called: string[] = [];
  const expiring = (name: string, act: () => void = () => undefined): Expiring => ({
    slot: 0,
    slotPlace: 0,
    expire: () => {
      called.push(name);
      act();
    },
  });
  const removed = expiring('removed');
  const again = expiring('again');
  const first = expiring('first', () => {
    // A new slot for the time that is being called.
    for (const item of late) wheel.add(item, due);
    wheel.remove(removed);
    wheel.remove(again);
    wheel.add(again, due + 40);
  });
  const late = ['late', 'later', 'latest'].map((name) => expiring(name));
  const early = expiring('early');
  const last = expiring('last');
  const all = [early, first, removed, again, last];
  for (const item of all) wheel.add(item, due);
  // The last of the slot takes the place of what left, and leaves from there.
  wheel.remove(early);
  for (const item of [early, expiring('extra')]) wheel.add(item, due);
  wheel.remove(last);
  await vi.waitFor(() => expect(called).toHaveLength(7));
  expect(called).toEqual(['extra', 'first', 'early', 'late', 'later', 'latest', 'again']);
  expect(all.every(({ slot }) => slot === 0)).toBe(true);
  wheel.close();
});
