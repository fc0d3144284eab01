#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { reportFailure } from './cli/failures.js';
import { run } from './cli/program.js';
import { createTerminal, isBrokenPipe, type Environment } from './cli/terminal.js';
import type { Memory } from './memory/memory.js';
import { AdcError } from './model/errors.js';
import type { Pools } from './pool/pool.js';

/** What a process that was stopped by a signal exits with: 128 + the signal's number. */
const signalStatus = { SIGINT: 130, SIGTERM: 143 } as const;

/** Milliseconds that a finished command may leave something open before the process ends regardless. */
const lingerLimit = 2_000;

process.exitCode = await main();
// Nothing should be left to wait for. Should something be, a person does not wait for it.
setTimeout(() => process.exit(), lingerLimit).unref();

async function main(): Promise<number> {
  const isOutputLost = watchOutput();
  const stop = new AbortController();
  const received = watchSignals(stop);
  const directory = process.cwd();
  const terminal = createTerminal({ ...streams(), env: process.env, level: 1 });
  process.on('uncaughtException', (error) => process.exit(reportFailure(error, terminal, directory)));
  let pools: Pools | undefined;
  let memory: Memory | undefined;
  try {
    const status = await run(process.argv.slice(2), {
      ...streams(),
      stdin: () => process.stdin,
      env: environment(directory),
      directory,
      signal: stop.signal,
      signalStatus: () => received.status,
      onReload: (callback) => {
        process.on('SIGHUP', callback);
        return () => process.off('SIGHUP', callback);
      },
      openPools: async (options) => {
        const { createPoolManager } = await import('./pool/manager.js');
        return (pools = createPoolManager(options));
      },
      openMemory: async () => {
        const { createMemory } = await import('./memory/store.js');
        return (memory = createMemory());
      },
    });
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    return status === 0 && isOutputLost() ? 1 : status;
  } catch (error) {
    return reportFailure(error, terminal, directory);
  } finally {
    await pools?.close();
    memory?.clear();
  }
}

function streams(): Pick<NodeJS.Process, 'stdout' | 'stderr'> {
  return { stdout: process.stdout, stderr: process.stderr };
}

/** `.env` never overrides what is set already. */
function environment(directory: string): Environment {
  const file = join(directory, '.env');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR'))
      return process.env;
    throw new AdcError('file', `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  // Without a prototype, so that ${constructor} is a variable that is not set.
  return Object.assign(Object.create(null), parseEnv(text), process.env) as Environment;
}

/**
 * A reader that closes its end early (`adc help | head`) is no failure; output that is lost otherwise (a full disk) is.
 *
 * @returns whether any was
 */
function watchOutput(): () => boolean {
  let lost = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      lost ||= !isBrokenPipe(error);
    });
  }
  return () => lost;
}

/** The first signal asks the command to stop; the second ends the process at once. */
function watchSignals(stop: AbortController): { readonly status: number | undefined } {
  const received: { status: number | undefined } = { status: undefined };
  for (const [signal, status] of Object.entries(signalStatus)) {
    process.on(signal, () => {
      if (received.status !== undefined) process.exit(status);
      received.status = status;
      stop.abort(new AdcError('aborted', `received ${signal}`));
    });
  }
  return received;
}
