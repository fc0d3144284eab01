import { expect, it } from 'vitest';
import { AdcError } from '../model/errors.js';
import { JobQueue, type Job, type JobResult } from './job-queue.js';

interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

function gate<T>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** A job that says when it begins and ends when it is told to. */
function job(
  name: string,
  began: string[],
  more: Partial<Job<string>> = {},
): { job: Job<string>; end: () => void; client: AbortController } {
  const done = gate<string>();
  const client = new AbortController();
  return {
    client,
    end: () => done.open(name),
    job: {
      lane: 'a',
      controller: client,
      deadline: Date.now() + 60_000,
      run: async () => {
        began.push(name);
        return await done.promise;
      },
      ...more,
    },
  };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const codeOf = async (promise: Promise<JobResult<string>>): Promise<string> =>
  await promise.then(
    () => 'done',
    (error: unknown) => (error instanceof AdcError ? error.code : String(error)),
  );

it('runs the jobs of one lane one at a time, in the order they came, and lanes beside each other', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 4, length: 10 });
  const [one, two, other] = [job('one', began), job('two', began), job('other', began, { lane: 'b' })];
  const results = [one, two, other].map(async ({ job }) => await queue.submit(job));
  await settled();
  expect(began).toEqual(['one', 'other']);
  expect(queue.report()).toEqual({ running: 2, waiting: 1 });
  one.end();
  await results[0];
  await settled();
  expect(began).toEqual(['one', 'other', 'two']);
  two.end();
  other.end();
  expect((await Promise.all(results)).map(({ value }) => value)).toEqual(['one', 'two', 'other']);
  await settled();
  expect(queue.report()).toEqual({ running: 0, waiting: 0 });
});

it('gives lanes their turns, however many jobs one of them has', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 100 });
  const many = Array.from({ length: 10 }, (_, index) => job(`many${index}`, began));
  const few = job('few', began, { lane: 'b' });
  const results = [...many, few].map(async ({ job }) => await queue.submit(job));
  for (const each of many) each.end();
  few.end();
  await Promise.all(results);
  expect(began.slice(0, 2)).toEqual(['many0', 'few']);
});

it('answers jobs by the newest one next to them that replaces them, and only by that', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 100 });
  const first = job('first', began, { replaces: 'x' });
  const firstResult = queue.submit(first.job);
  const waiting = [
    job('x1', began, { replaces: 'x' }),
    job('x2', began, { replaces: 'x' }),
    job('y1', began, { replaces: 'y' }),
    job('x3', began, { replaces: 'x' }),
    job('own', began),
    job('x4', began, { replaces: 'x' }),
  ];
  const results = waiting.map(async ({ job }) => await queue.submit(job));
  for (const each of [first, ...waiting]) each.end();
  await firstResult;
  const values = await Promise.all(results);
  expect(began).toEqual(['first', 'x2', 'y1', 'x3', 'own', 'x4']);
  expect(values.map(({ value }) => value)).toEqual(['x2', 'x2', 'y1', 'x3', 'own', 'x4']);
  expect(values.map(({ replaced }) => replaced)).toEqual([true, false, false, false, false, false]);
});

it('answers a replaced job when its own time ends, and lets the newer one go on', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 10 });
  const before = job('before', began);
  const done = queue.submit(before.job);
  const older = job('older', began, { replaces: 'x', deadline: Date.now() + 60 });
  const newer = job('newer', began, { replaces: 'x' });
  const [olderResult, newerResult] = [queue.submit(older.job), queue.submit(newer.job)];
  before.end();
  await done;
  await expect(olderResult).rejects.toMatchObject({
    code: 'deadline',
    message: expect.stringMatching(/replaces it, is still being synced$/) as string,
  });
  expect(queue.report()).toEqual({ running: 1, waiting: 0 });
  newer.end();
  expect(await newerResult).toMatchObject({ value: 'newer', replaced: false });
  expect(began).toEqual(['before', 'newer']);
});

it('runs an older job itself when the newer one that would have replaced it is gone', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 100 });
  const first = job('first', began);
  const [older, newer] = [job('older', began, { replaces: 'x' }), job('newer', began, { replaces: 'x' })];
  const results = [first, older, newer].map(async ({ job }) => await queue.submit(job));
  newer.client.abort();
  for (const each of [first, older, newer]) each.end();
  expect(await codeOf(results[2] as Promise<JobResult<string>>)).toBe('aborted');
  expect((await results[1])?.value).toBe('older');
  expect(began).toEqual(['first', 'older']);
});

it('aborts a running job only when everybody who waits for it is gone', async () => {
  const queue = new JobQueue<string>({ concurrency: 1, length: 100 });
  const began: string[] = [];
  const first = job('first', began);
  const firstResult = queue.submit(first.job);
  let seen: AbortSignal | undefined;
  const done = gate<string>();
  const [older, newer] = [new AbortController(), new AbortController()];
  const submit = async (client: AbortController): Promise<JobResult<string>> =>
    await queue.submit({
      lane: 'a',
      replaces: 'x',
      controller: client,
      deadline: Date.now() + 60_000,
      run: async (signal) => {
        seen = signal;
        return await done.promise;
      },
    });
  const results = [submit(older), submit(newer)];
  first.end();
  await firstResult;
  await settled();
  newer.abort();
  expect(seen?.aborted).toBe(false);
  older.abort();
  expect(seen?.aborted).toBe(true);
  done.open('done');
  await Promise.all(results);
});

it('says why it stops what runs, also where one caller waits for all of it', async () => {
  const queue = new JobQueue<string>({ concurrency: 4, length: 10 });
  const controller = new AbortController();
  const began: string[] = [];
  const first = job('first', began, { lane: 'b' });
  const firstResult = queue.submit(first.job);
  const submit = async (lane: string): Promise<JobResult<string>> =>
    await queue.submit({
      lane,
      replaces: 'x',
      controller,
      deadline: Date.now() + 60_000,
      run: async (signal) =>
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
  const results = ['a', 'b', 'b'].map(submit);
  first.end();
  await firstResult;
  await settled();
  queue.abort(new AdcError('aborted', 'the server is shutting down'));
  for (const result of results) await expect(result).rejects.toThrow('the server is shutting down');
});

it('turns jobs away when too many wait, the newest of the longest lane first', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 3 });
  const running = job('running', began);
  const results = [queue.submit(running.job)];
  const many = Array.from({ length: 3 }, (_, index) => job(`a${index}`, began));
  const waiting = many.map(async ({ job }) => await queue.submit(job));
  const fourth = job('a3', began);
  expect(await codeOf(queue.submit(fourth.job))).toBe('busy');
  const other = job('b', began, { lane: 'b' });
  results.push(queue.submit(other.job));
  expect(await codeOf(waiting[2] as Promise<JobResult<string>>)).toBe('busy');
  expect(queue.retryAfter()).toBeGreaterThanOrEqual(1);
  for (const each of [running, ...many, other]) each.end();
  await Promise.all([...results, waiting[0], waiting[1]]);
  expect(began).toEqual(['running', 'b', 'a0', 'a1']);
});

it('does not begin a job whose time is over', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 3 });
  const running = job('running', began);
  const result = queue.submit(running.job);
  const late = job('late', began, { deadline: Date.now() + 20 });
  expect(await codeOf(queue.submit(late.job))).toBe('deadline');
  running.end();
  await result;
  await settled();
  expect(began).toEqual(['running']);
});

it('goes on after a job that failed, and lets everything go when it is told to', async () => {
  const began: string[] = [];
  const queue = new JobQueue<string>({ concurrency: 1, length: 3 });
  const failing = job('failing', began, {
    run: async () => await Promise.reject(new AdcError('unreachable', 'nobody there')),
  });
  const next = job('next', began);
  const [failed, done] = [queue.submit(failing.job), queue.submit(next.job)];
  expect(await codeOf(failed)).toBe('unreachable');
  const waiting = queue.submit(job('waiting', began).job);
  queue.abort(new AdcError('aborted', 'the end'));
  expect(await codeOf(waiting)).toBe('aborted');
  next.end();
  expect((await done).value).toBe('next');
});
