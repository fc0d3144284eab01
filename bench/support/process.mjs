// Starts what is measured, and what it is measured against, in processes of their own.
import { fork, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const meter = fileURLToPath(new URL('meter.cjs', import.meta.url));

/**
 * Starts a script that answers questions over IPC, and waits for its first message.
 *
 * @param script a URL
 * @returns what it said first, with `ask(question)` for one answer and `stop()`
 */
export async function startChild(script, args = [], execArgv = []) {
  const child = fork(fileURLToPath(script), args, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const said = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it said anything`)));
  });
  const ask = (question) =>
    new Promise((resolve) => {
      child.once('message', resolve);
      child.send(question);
    });
  const stop = () =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.disconnect();
    });
  return { ...said, ask, stop };
}

let runs = 0;

/**
 * Runs a Node program from spawn to exit, its output going to a file as that of a job does.
 *
 * @param args of node: the script, and what it takes
 * @param options `metered: false` for programs so short that the meter itself would count
 * @returns `wall` and `cpu` (user and system) in milliseconds, `peak` resident memory in bytes, `output`
 * @throws Error with the end of its output where it does not exit with 0
 */
export async function runProgram(args, { metered = true, cwd, nodeOptions = [] } = {}) {
  runs += 1;
  const log = join(tmpdir(), `adc-bench-${process.pid}-${runs}.log`);
  const file = openSync(log, 'w');
  const { PATH, HOME } = process.env;
  try {
    const began = performance.now();
    const child = spawn(process.execPath, [...nodeOptions, ...(metered ? ['--require', meter] : []), ...args], {
      stdio: ['ignore', file, file, metered ? 'pipe' : 'ignore'],
      env: { PATH, HOME, NO_COLOR: '1' },
      ...(cwd === undefined ? {} : { cwd }),
    });
    let told = '';
    child.stdio[3]?.setEncoding('utf8').on('data', (text) => (told += text));
    let wall = 0;
    child.once('exit', () => (wall = performance.now() - began));
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(status ?? signal));
    });
    const output = readFileSync(log, 'utf8');
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output.slice(-2000)}`);
    return { wall, output, ...(metered ? JSON.parse(told) : {}) };
  } finally {
    closeSync(file);
    rmSync(log, { force: true });
  }
}
