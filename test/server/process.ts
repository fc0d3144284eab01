import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly statusUrl: string;
  /** Lines of its log. */
  readonly lines: string[];
  /** What it wrote to standard error. */
  errors(): string;
  /** Resolves with the exit status, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** The built program. `ADC_BIN` names another build of it. */
export const bin = process.env['ADC_BIN'] ?? join(import.meta.dirname, '../../dist/main.js');

/** Starts `adc server` on free ports and waits until it serves. */
export async function startServerProcess(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const listen = args.includes('--listen') ? [] : ['--listen', 'http://127.0.0.1:0'];
  const child = spawn(process.execPath, [bin, 'server', ...listen, '--listen-status', '0', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1));
  });
  const serving = new Promise<{ addresses: string[]; statusAddresses: string[] }>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      if (line.includes('"message":"serving"')) resolve(JSON.parse(line));
    });
    void exited.then((status) => reject(new Error(`ended with ${status}: ${errors}`)));
  });
  const { addresses, statusAddresses } = await serving;
  return { child, url: addresses[0] ?? '', statusUrl: statusAddresses[0] ?? '', lines, errors: () => errors, exited };
}
