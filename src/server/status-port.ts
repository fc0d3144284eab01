import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AdcError } from '../model/errors.js';
import type { ListenerLimits } from './listen.js';
import {
  createPulse,
  feel,
  pulseOf,
  type FromStatusThread,
  type StatusThreadData,
  type ToStatusThread,
} from './status-messages.js';
import { answerProbe, serveStatus, type StatusAnswer, type StatusPort, type StatusQuestion } from './status.js';

/** How often the main thread shows that it moves; milliseconds. */
const pulseInterval = 1_000;

/** How a status port is opened. */
export interface StatusPortOptions {
  readonly port: number;
  readonly limits: ListenerLimits;
  isReady(): boolean;
  /** Answers what is no probe. */
  answer(question: StatusQuestion): Promise<StatusAnswer>;
  /** Called when the thread ended by itself. */
  failed(error: Error): void;
}

/** A status port with a way to say at once that readiness changed. */
export interface OpenStatusPort extends StatusPort {
  changed(): void;
}

/**
 * Opens the status port: in a thread of its own, so that probes are answered whatever the main thread is busy with; in
 * this thread where the program was not built and there is no file to start one from.
 *
 * @throws AdcError `usage` where the port is taken
 */
export async function openStatusPort(options: StatusPortOptions): Promise<OpenStatusPort> {
  const script = new URL('./status-thread.js', import.meta.url);
  const pulse = createPulse();
  const changed = (): void => feel(pulse, options.isReady());
  const beat = setInterval(changed, pulseInterval);
  beat.unref();
  try {
    const opened = existsSync(fileURLToPath(script))
      ? await openInThread(script, { port: options.port, limits: options.limits, pulse }, options)
      : await serveStatus(
          options.port,
          options.limits,
          async (question) =>
            answerProbe(question, { ...pulseOf(pulse), isReady: options.isReady() }) ??
            (await options.answer(question)),
        );
    return {
      ...opened,
      changed,
      close: async () => {
        clearInterval(beat);
        await opened.close();
      },
    };
  } catch (error) {
    clearInterval(beat);
    throw error;
  }
}

async function openInThread(
  script: URL,
  workerData: StatusThreadData,
  options: StatusPortOptions,
): Promise<StatusPort> {
  const thread = new Worker(script, { workerData, name: 'status' });
  const listening = await new Promise<Extract<FromStatusThread, { type: 'listening' }>>((resolve, reject) => {
    thread.on('error', (error) => {
      reject(error);
      options.failed(error);
    });
    thread.on('message', (message: FromStatusThread) => {
      if (message.type === 'listening') resolve(message);
      else if (message.type === 'failed') reject(new AdcError('usage', message.message));
      else void answerThread(thread, message, options);
    });
  });
  return {
    port: listening.port,
    addresses: listening.addresses,
    close: async () => {
      await thread.terminate();
    },
  };
}

async function answerThread(
  thread: Worker,
  { id, question }: Extract<FromStatusThread, { type: 'question' }>,
  options: StatusPortOptions,
): Promise<void> {
  const answer = await options.answer(question).catch((): StatusAnswer => {
    return { status: 500, type: 'text/plain; charset=utf-8', body: 'internal error' };
  });
  const message: ToStatusThread = { id, answer };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows; threads have no origin
  thread.postMessage(message);
}
