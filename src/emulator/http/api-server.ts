import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { drawFate, drawLatency, type Faults } from '../faults.js';
import type { ApiAnswer, ApiRequest } from './answer.js';
import type { Counters } from './counters.js';
import { listen, type Listener, type TlsOptions } from './listener.js';

/** What stands behind a server: one worker per connection answers what comes over it. */
export interface Api {
  /** Longest body in bytes that is read; of a longer one only the length is kept. */
  readonly maxBodySize: number;
  /** The workers that connections are dealt out to, one after the other. At least 1. */
  readonly workers: number;
  /** The value of the `Server` header, or nothing to leave it out. */
  readonly serverHeader: string | undefined;
  /** Answers a request; `worker` counts from 0. */
  readonly answer: (request: ApiRequest, worker: number) => ApiAnswer;
  /** The word a request is counted under. */
  readonly kindOf: (path: string) => string;
}

/** A served API. */
export interface ApiServerOptions {
  readonly listen: string;
  readonly tls: TlsOptions | undefined;
  readonly api: Api;
  readonly counters: Counters;
  /** The faults in force at this moment. */
  readonly faults: () => Faults;
}

/** Serves an API: reads requests whole, lets faults befall them, counts them and sends the answers. */
export async function serveApi(options: ApiServerOptions): Promise<Listener> {
  const { api, counters } = options;
  const workers = new WeakMap<Socket, number>();
  let connections = 0;
  const respond = (request: IncomingMessage, response: ServerResponse, body: Body): void => {
    const method = request.method ?? 'GET';
    const url = request.url ?? '/';
    const cut = url.indexOf('?');
    const path = cut < 0 ? url : url.slice(0, cut);
    counters.countRequest(method, api.kindOf(path));
    const faults = options.faults();
    const fate = drawFate(faults, method, url);
    if (fate === 'hang') return;
    if (fate === 'reset before') {
      request.socket.resetAndDestroy();
      return;
    }
    const asked: ApiRequest = {
      method,
      path,
      query: new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1)),
      header: (name) => first(request.headers[name]),
      body: body.bytes,
      bodySize: body.size,
    };
    const answer =
      fate === 'fail'
        ? failure(faults.failStatus, 'failed on purpose')
        : answerSafely(api, asked, workers.get(request.socket) ?? 0);
    if (fate === 'reset after') {
      request.socket.resetAndDestroy();
      return;
    }
    counters.countStatus(answer.status);
    const wait = drawLatency(faults, method, url);
    if (wait > 0) setTimeout(() => send(response, answer, api.serverHeader, method), wait).unref();
    else send(response, answer, api.serverHeader, method);
  };
  return listen(options.listen, options.tls, {
    request: (request, response) => readBody(request, api.maxBodySize, (body) => respond(request, response, body)),
    opened: (socket) => {
      workers.set(socket, connections % api.workers);
      connections += 1;
      counters.connectionOpened();
    },
    closed: () => counters.connectionClosed(),
  });
}

interface Body {
  readonly bytes: Buffer | undefined;
  readonly size: number;
}

function readBody(request: IncomingMessage, limit: number, done: (body: Body) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  });
  request.on('end', () => {
    if (size > limit) done({ bytes: undefined, size });
    else done({ bytes: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks), size });
  });
}

function first(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

/** One request that cannot be answered must not end the server for all others. */
function answerSafely(api: Api, request: ApiRequest, worker: number): ApiAnswer {
  try {
    return api.answer(request, worker);
  } catch (error) {
    return failure(500, error instanceof Error ? error.message : String(error));
  }
}

function failure(status: number, message: string): ApiAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error_msg: message }) };
}

function send(response: ServerResponse, answer: ApiAnswer, server: string | undefined, method: string): void {
  if (response.destroyed) return;
  const length = Buffer.byteLength(answer.body);
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(server === undefined ? {} : { server }),
    ...(answer.status === 204 ? {} : { 'content-length': length }),
  });
  response.end(method === 'HEAD' || answer.status === 204 ? undefined : answer.body);
}
