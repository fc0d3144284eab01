import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Pools } from '../pool/pool.js';
import { hasToken } from './bearer.js';
import { createListener, isLoopback, listenOn, type ListenerLimits } from './listen.js';
import type { Metrics } from './metrics.js';

/** What is asked of the status port. */
export interface StatusQuestion {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly remoteAddress: string;
  readonly authorization?: string;
}

/** What the status port answers. */
export interface StatusAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** What probes are told from. */
export interface Health {
  /** True while the server serves: neither before, nor while it drains. */
  readonly isReady: boolean;
  /** Milliseconds since the thread that does the work was last seen moving. */
  readonly silentFor: number;
}

/** A thread that has not moved for so long will not move again; milliseconds. */
const longestSilence = 30_000;

/** A running status port. */
export interface StatusPort {
  readonly port: number;
  /** The URLs at which it answers on this machine, one for each address family. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

/** Answers probes; undefined for any other question. */
export function answerProbe(
  { method, path }: StatusQuestion,
  { isReady, silentFor }: Health,
): StatusAnswer | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (path === '/healthz/ready') return isReady ? say(200, 'OK') : say(503, 'not serving');
  if (path !== '/healthz/live') return undefined;
  return silentFor <= longestSilence
    ? say(200, 'OK')
    : say(503, `nothing moved for ${Math.round(silentFor / 1_000)} s`);
}

/** What {@link createStatus} tells from. */
export interface StatusSources {
  readonly pools: Pools;
  readonly metrics: Metrics;
  /** The bearer token of now; undefined where none is asked for. */
  token(): string | undefined;
}

/** Answers all that is asked of the status port beside probes. */
export function createStatus(sources: StatusSources): (question: StatusQuestion) => Promise<StatusAnswer> {
  const mayDebug = ({ remoteAddress, authorization }: StatusQuestion): boolean => {
    const wanted = sources.token();
    return isLoopback(remoteAddress) || (wanted !== undefined && hasToken(authorization, wanted));
  };
  const { pools, metrics } = sources;
  return async (question) => {
    if (question.method !== 'GET' && question.method !== 'HEAD') return say(404, 'Not Found');
    if (question.path === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.text() };
    if (question.path !== '/debug/pools') return say(404, 'Not Found');
    if (!mayDebug(question)) return say(403, 'only from this machine, or with the bearer token');
    return { status: 200, type: 'application/json', body: JSON.stringify(pools.report()) };
  };
}

/**
 * Listens on every address of both families.
 *
 * @throws AdcError `usage` where the port is taken
 */
export async function serveStatus(
  port: number,
  limits: ListenerLimits,
  answer: (question: StatusQuestion) => Promise<StatusAnswer> | StatusAnswer,
): Promise<StatusPort> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume();
    const { authorization } = request.headers;
    const { status, type, body } = await answer({
      method: request.method ?? '',
      path: (request.url ?? '').split('?', 1)[0] ?? '',
      remoteAddress: request.socket.remoteAddress ?? '',
      ...(authorization === undefined ? {} : { authorization }),
    });
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createListener(
    (request, response) => {
      respond(request, response).catch(() => response.destroy());
    },
    { ...limits, maxConnections: Infinity },
  );
  makeRoom(server, limits.maxConnections);
  await listenOn(server, `status port ${port}`, () => server.listen(port));
  const { port: real, family } = server.address() as AddressInfo;
  return {
    port: real,
    addresses: everywhere(real, family),
    close: async () =>
      await new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Beyond `most` connections the one that has asked nothing for longest goes: a probe must get through whoever else connects. */
function makeRoom(server: HttpServer, most: number): void {
  const silent = new Set<Socket>();
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    silent.add(socket);
    socket.once('close', () => {
      open -= 1;
      silent.delete(socket);
    });
    const [longest] = silent;
    if (open <= most || longest === undefined) return;
    silent.delete(longest);
    longest.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    silent.delete(socket);
    response.once('finish', () => {
      if (!socket.destroyed) silent.add(socket);
    });
  });
}

function say(status: number, text: string): StatusAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: text };
}

function everywhere(port: number, family: string): readonly string[] {
  const hasSix = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some((address) => address.family === 'IPv6'),
  );
  return [`http://127.0.0.1:${port}`, ...(family === 'IPv6' && hasSix ? [`http://[::1]:${port}`] : [])];
}
