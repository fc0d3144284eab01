import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend, Executed } from '../../src/backend/backend.js';
import { AdcError, GatewayError } from '../../src/model/errors.js';
import type { Operation } from '../../src/model/operation.js';

/** What the server says to one request; `hold` answers only when it resolves. */
export interface SmallAnswer {
  readonly status: number;
  readonly error?: string;
  readonly hold?: Promise<void>;
}

/** A few lines of HTTP server whose answers a test decides, and a backend's writing half that speaks to it. */
export interface SmallGateway {
  readonly url: string;
  /** `PUT /services/a`, in the order in which they came. */
  readonly requests: readonly string[];
  /** The most requests that were in flight at once. */
  readonly mostAtOnce: () => number;
  /** Resolves once that many requests have come. */
  readonly received: (count: number) => Promise<void>;
  readonly backend: Pick<Backend, 'execute' | 'lagRefusal'>;
  readonly close: () => Promise<void>;
}

/** Starts it on a free port. `answer` is asked for each request, with how often that very request came before. */
export async function startSmallGateway(
  answer: (request: string, before: number) => SmallAnswer = () => ({ status: 200 }),
): Promise<SmallGateway> {
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let inFlight = 0;
  let most = 0;

  const reply = (response: ServerResponse, { status, error }: SmallAnswer): void => {
    inFlight -= 1;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 204 ? undefined : JSON.stringify(error === undefined ? {} : { error_msg: error }));
  };
  const server = createServer((request, response) => {
    const name = `${request.method ?? ''} ${request.url ?? ''}`;
    const before = counts.get(name) ?? 0;
    counts.set(name, before + 1);
    requests.push(name);
    inFlight += 1;
    most = Math.max(most, inFlight);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    request.resume().on('end', () => {
      const said = answer(name, before);
      if (said.hold === undefined) reply(response, said);
      else void said.hold.then(() => reply(response, said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    requests,
    mostAtOnce: () => most,
    received: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    backend: {
      execute: (operation, signal) => send(url, operation, signal),
      lagRefusal: (error) => {
        const text = error instanceof GatewayError ? error.failure.gatewayText : undefined;
        const object = /\[(?<object>[^\]]+)\] is still/.exec(text ?? '')?.groups?.['object'];
        return object === undefined ? undefined : { object, isOutdated: false };
      },
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send(url: string, operation: Operation, signal?: AbortSignal): Promise<Executed> {
  const { method, path, body } = operation;
  const failure = { method, url: `${url}${path}` };
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: body() }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof AdcError)
      throw new GatewayError(error.code, { ...failure, gatewayText: error.message }, { cause: error });
    throw new GatewayError('unreachable', failure, { cause: error });
  }
  const { status, statusText } = response;
  if (status >= 400) {
    const answer = (await response.json()) as { readonly error_msg?: string };
    const code = status === 401 ? 'unauthorized' : 'refused';
    throw new GatewayError(code, { ...failure, status, statusText, gatewayText: answer.error_msg ?? '' });
  }
  await response.arrayBuffer();
  return { at: new Date(response.headers.get('date') ?? 0), status, written: status !== 204 };
}
