import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caller, start, upstream } from '../../test/fidelity/client.js';
import { startEmulator } from './index.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'adc-emulator-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a data file', () => {
  test('keeps the state, with its indexes and its secrets, from one emulator to the next', async () => {
    const data = join(directory, 'deep', 'state.json');
    const first = await startEmulator({ data });
    const call = caller(first);
    await call('PUT', '/upstreams/u', upstream);
    await call('PUT', '/upstreams/v', upstream);
    await call('PUT', '/consumers/ann', { username: 'ann', plugins: { 'key-auth': { key: 'k' } } });
    await call('PUT', '/consumers/ann/credentials/c', { plugins: { 'key-auth': { key: 'l' } } });
    await call('DELETE', '/upstreams/v');
    const before = await Promise.all(
      ['/upstreams', '/consumers', '/consumers/ann/credentials'].map((path) => call('GET', path)),
    );
    await first.close();
    // Closing leaves one file, whole.
    expect(await readdir(join(directory, 'deep'))).toEqual(['state.json']);
    expect(JSON.parse(await readFile(data, 'utf8'))).toHaveProperty('entries');

    await using second = await start({ data });
    const after = await Promise.all(
      ['/upstreams', '/consumers', '/consumers/ann/credentials'].map((path) => second.call('GET', path)),
    );
    expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body));
    // What was restored is remembered by the worker too.
    const taken = await second.call('PUT', '/consumers/bob', {
      username: 'bob',
      plugins: { 'key-auth': { key: 'k' } },
    });
    expect(taken.body.error_msg).toContain('duplicate key');
    second.emulator.reset();
    expect((await second.call('GET', '/upstreams')).body.total).toBe(0);
  });

  test('that is something else is refused and left alone', async () => {
    const data = join(directory, 'mine.json');
    await writeFile(data, '{"mine": true}');
    await expect(startEmulator({ data })).rejects.toThrow('is no data file of the emulator');
    expect(await readFile(data, 'utf8')).toBe('{"mine": true}');
  });

  test('survives a line of its journal that was cut short', async () => {
    const data = join(directory, 'cut.json');
    const first = await startEmulator({ data });
    await caller(first)('PUT', '/upstreams/u', upstream);
    await first.close();
    await appendFile(`${data}.journal`, '{"revision":99,"collection":"upstreams","id":"v","entry":{"coll');
    await using second = await start({ data });
    expect((await second.call('GET', '/upstreams')).body.total).toBe(1);
  });

  test('holds everything that was answered when the process is killed', async () => {
    const data = join(directory, 'killed.json');
    const child = spawn(process.execPath, [await bundle(), data], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const call = caller(JSON.parse(line.toString()) as { url: string; adminKey: string });
    const answered = new Set<string>();
    const write = async (worker: number): Promise<void> => {
      for (let index = 0; ; index += 1) {
        const id = `u${worker}-${index}`;
        const answer = await call('PUT', `/upstreams/${id}`, upstream).catch(() => undefined);
        if (answer === undefined) return;
        answered.add(id);
        if (answered.size === 300) child.kill('SIGKILL');
      }
    };
    await Promise.all([write(1), write(2), write(3), write(4)]);
    expect(answered.size).toBeGreaterThanOrEqual(300);

    await using next = await start({ data });
    const list = (await next.call('GET', '/upstreams')).body.list ?? [];
    const kept = new Set(list.map(({ value }) => value['id']));
    expect([...answered].filter((id) => !kept.has(id))).toEqual([]);
  });
});

/** Bundles a program that runs an emulator over the data file it is given, and says where it listens. */
async function bundle(): Promise<string> {
  const outfile = join(directory, 'run.mjs');
  // The packages it imports are found from where it stands.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(directory, 'node_modules'));
  await build({
    stdin: {
      contents: `
        import { startEmulator } from './index.js';
        const { url, adminKey } = await startEmulator({ data: process.argv[2] });
        process.stdout.write(JSON.stringify({ url, adminKey }) + '\\n');
      `,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
