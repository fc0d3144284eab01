import { lstat, unlink } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** The server's certificate, and whose clients it accepts. PEM texts. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  /** The authority of client certificates. When given, a client without one of its certificates is refused. */
  readonly ca?: string;
}

/** Where a server listens. */
export type ListenAddress =
  | { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
  | { readonly scheme: 'unix'; readonly path: string };

/**
 * Reads `http://host:port`, `https://host:port` or `unix:/path`; port 0 takes any free one.
 *
 * @throws RangeError when it is none of these.
 */
export function parseListen(listen: string): ListenAddress {
  if (listen.startsWith('unix:')) {
    const path = listen.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (path !== '') return { scheme: 'unix', path };
  }
  const match = /^(https?):\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?\/?$/.exec(listen);
  const port = match?.[3] === undefined ? 9180 : Number(match[3]);
  if (match === null || port > 65535) {
    throw new RangeError(
      `not an address to listen on: '${listen}' (http://host:port, https://host:port or unix:/path)`,
    );
  }
  return { scheme: match[1] === 'https' ? 'https' : 'http', host: (match[2] ?? '').replace(/^\[|\]$/g, ''), port };
}

/** A server that listens. */
export interface Listener {
  /** Where it is reached: `http://127.0.0.1:40123`, or `unix:/path`. */
  readonly url: string;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** What a listener calls. */
export interface ListenerEvents {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  /** A connection was accepted (for TLS: and its handshake is done). */
  readonly opened?: (socket: Socket) => void;
  readonly closed?: (socket: Socket) => void;
}

/**
 * Starts to listen.
 *
 * @throws RangeError when the address is none, or `https` comes without a certificate or a certificate without `https`.
 */
export async function listen(address: string, tls: TlsOptions | undefined, events: ListenerEvents): Promise<Listener> {
  const where = parseListen(address);
  if (where.scheme === 'https' && tls === undefined) throw new RangeError(`${address} needs a certificate and its key`);
  if (where.scheme === 'http' && tls !== undefined) throw new RangeError(`a certificate needs https, not ${address}`);
  const server: Server =
    tls === undefined
      ? createHttpServer()
      : createHttpsServer({
          cert: tls.cert,
          key: tls.key,
          ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
        });
  // A gateway keeps idle connections for a minute and lets a slow client take its time.
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  server.on('request', events.request);
  server.on('clientError', (_error: Error, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  const sockets = new Set<Socket>();
  // Every socket, those included whose TLS handshake never ends: one left open would keep the server from closing.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    events.opened?.(socket);
    socket.once('close', () => events.closed?.(socket));
  });
  await bind(server, where);
  return {
    url: describe(server, where, tls !== undefined),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function bind(server: Server, where: ListenAddress): Promise<void> {
  if (where.scheme === 'unix') await removeStaleSocket(where.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.scheme === 'unix' ? { path: where.path } : { host: where.host, port: where.port }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** A socket file outlives a server that was killed, and would keep its successor from listening. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || (await answers(path))) return;
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function describe(server: Server, where: ListenAddress, secure: boolean): string {
  if (where.scheme === 'unix') return `unix:${where.path}`;
  const host = where.host.includes(':') ? `[${where.host}]` : where.host;
  return `${secure ? 'https' : 'http'}://${host}:${(server.address() as AddressInfo).port}`;
}
