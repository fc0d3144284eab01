// The status port in a thread of its own: a probe is answered while the main thread works through a large configuration.
import { parentPort, workerData } from 'node:worker_threads';
import { AdcError } from '../model/errors.js';
import { answerProbe, serveStatus, type StatusAnswer, type StatusQuestion } from './status.js';
import { pulseOf, type FromStatusThread, type StatusThreadData, type ToStatusThread } from './status-messages.js';

const { port, limits, pulse } = workerData as StatusThreadData;
const main = parentPort;
if (main === null) throw new TypeError('this runs in a thread of the server');

/** The main thread's answer is not waited for longer; milliseconds. */
const patience = 10_000;

const asked = new Map<number, (answer: StatusAnswer) => void>();
const tell = (message: FromStatusThread): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows; threads have no origin
  main.postMessage(message);
};

const askMain = async (question: StatusQuestion): Promise<StatusAnswer> =>
  await new Promise((resolve) => {
    const id = asked.size === 0 ? 0 : Math.max(...asked.keys()) + 1;
    const answered = (answer: StatusAnswer): void => {
      clearTimeout(timer);
      asked.delete(id);
      resolve(answer);
    };
    const timer = setTimeout(() => {
      answered({ status: 503, type: 'text/plain; charset=utf-8', body: 'the server is busy' });
    }, patience);
    asked.set(id, answered);
    tell({ type: 'question', id, question });
  });

main.on('message', ({ id, answer }: ToStatusThread) => asked.get(id)?.(answer));

serveStatus(port, limits, (question) => answerProbe(question, pulseOf(pulse)) ?? askMain(question)).then(
  ({ port, addresses }) => tell({ type: 'listening', port, addresses }),
  (error: unknown) => {
    tell({ type: 'failed', message: error instanceof AdcError ? error.message : String(error) });
    main.close();
  },
);
