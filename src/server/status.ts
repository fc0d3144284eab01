import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { Pools } from '../pool/pool.js';
import { isAuthorized } from './front.js';
import { isLoopback } from './listen.js';
import type { Metrics } from './metrics.js';

/** What the status port tells. */
export interface StatusOptions {
  readonly pools: Pools;
  readonly metrics: Metrics;
  /** The bearer token of now; undefined where none is asked for. */
  token(): string | undefined;
  /** True while the server serves: neither before, nor while it drains. */
  isReady(): boolean;
}

/** Answers probes, metrics and `/debug`. */
export function createStatus(
  options: StatusOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const say = (status: number, text: string): void => send(status, 'text/plain; charset=utf-8', text);
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(404, 'Not Found');
    switch ((request.url ?? '').split('?', 1)[0]) {
      case '/healthz/live':
        return say(200, 'OK');
      case '/healthz/ready':
        return options.isReady() ? say(200, 'OK') : say(503, 'not serving');
      case '/metrics':
        return send(200, options.metrics.contentType, await options.metrics.text());
      case '/debug/pools':
        if (!mayDebug(request, options.token())) return say(403, 'only from this machine, or with the bearer token');
        return send(200, 'application/json', JSON.stringify(options.pools.report()));
      default:
        return say(404, 'Not Found');
    }
  };
}

function mayDebug(request: IncomingMessage, token: string | undefined): boolean {
  if (isLoopback(request.socket.remoteAddress ?? '')) return true;
  return token !== undefined && isAuthorized(request, token);
}

/** URLs at which a port that listens everywhere answers on this machine. */
export function everywhere(port: number, family: string): readonly string[] {
  const hasSix = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some((address) => address.family === 'IPv6'),
  );
  return [`http://127.0.0.1:${port}`, ...(family === 'IPv6' && hasSix ? [`http://[::1]:${port}`] : [])];
}
