import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'vitest';

/** The built bin, as users run it. */
export const bin = join(import.meta.dirname, '../../dist/main.js');

if (!existsSync(bin)) throw new Error('dist/main.js is missing: run npm run build');

/** How a process of adc is started. */
export interface RunOptions {
  /** Beside PATH and what the shell has; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; none by default. */
  readonly input?: string;
}

/** How a process of adc ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of adc that runs. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** What one test works in: an empty folder, an environment, and adc. Gone when the test ends, with whatever still runs. */
export interface Shell {
  readonly cwd: string;
  /** Starts adc. */
  readonly start: (args: readonly string[], options?: RunOptions) => Running;
  /** Runs adc to its end. */
  readonly adc: (args: readonly string[], options?: RunOptions) => Promise<Ended>;
  readonly write: (name: string, content: string) => void;
  readonly read: (name: string) => string;
  /** A shell in the same folder with more in its environment. */
  readonly with: (env: Readonly<Record<string, string>>) => Shell;
}

/** Opens a shell for a test. */
export function openShell(test: Pick<TestContext, 'onTestFinished'>): Shell {
  const cwd = mkdtempSync(join(tmpdir(), 'adc-e2e-'));
  const children = new Set<Running['child']>();
  test.onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(cwd, { recursive: true, force: true });
  });
  return shellIn(cwd, { PATH: process.env['PATH'] ?? '' }, children);
}

function shellIn(cwd: string, env: Readonly<Record<string, string>>, children: Set<Running['child']>): Shell {
  const start = (args: readonly string[], options: RunOptions = {}): Running => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd,
      env: { ...env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.add(child);
    child.once('close', () => children.delete(child));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ended = Promise.all([closed, text(child.stdout), text(child.stderr)]).then(([status, stdout, stderr]) => ({
      status,
      stdout,
      stderr,
    }));
    return { child, ended };
  };
  return {
    cwd,
    start,
    adc: async (args, options) => await start(args, options).ended,
    write: (name, content) => writeFileSync(join(cwd, name), content),
    read: (name) => readFileSync(join(cwd, name), 'utf8'),
    with: (more) => shellIn(cwd, { ...env, ...more }, children),
  };
}

/** Resolves with the first line that a stream prints and that matches. */
export async function lineOf(stream: Readable, pattern: RegExp): Promise<string> {
  let seen = '';
  return await new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer | string) => {
      seen += String(chunk);
      const line = seen.split('\n').find((line) => pattern.test(line));
      if (line !== undefined) resolve(line);
    });
    stream.once('close', () => reject(new Error(`no line like ${String(pattern)} in: ${seen}`)));
  });
}
