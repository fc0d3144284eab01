import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createProgress } from './progress.js';
import { createTerminal } from './terminal.js';

async function show(tty: boolean, level: 0 | 1, times: readonly number[]): Promise<string> {
  const stderr = Object.assign(new PassThrough(), { isTTY: tty, columns: 80 });
  const said = text(stderr);
  const clock = [0, ...times][Symbol.iterator]();
  const terminal = createTerminal({ stdout: new PassThrough(), stderr, env: {}, level });
  const progress = createProgress(terminal, () => clock.next().value ?? 0);
  times.slice(1).forEach((_, done) => progress.advance({ total: 50, done, failed: 1, running: 1 }));
  progress.end();
  stderr.end();
  return await said;
}

test('elsewhere than on a terminal there is a plain line every two seconds, and one at the end', async () => {
  const lines = (await show(false, 1, [500, 1999, 2000, 2100, 4500, 5000])).trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^progress \d+\/50 \(\d+%\) applied, 1 failed, elapsed 2s eta /);
  expect(lines[1]).toContain('elapsed 4s');
  expect(lines[2]).toContain('elapsed 5s');
});

test('on a terminal one line is renewed and removed', async () => {
  const said = await show(true, 1, [50, 100, 250, 300]);
  expect(said).not.toContain('\n');
  expect(said.split('\r\u001B[2K').filter((line) => line !== '')).toHaveLength(2);
  expect(said.endsWith('\r\u001B[2K')).toBe(true);
});

test('at verbosity 0 there is none', async () => {
  expect(await show(true, 0, [100, 200, 5000])).toBe('');
  expect(await show(false, 0, [100, 200, 5000])).toBe('');
});
