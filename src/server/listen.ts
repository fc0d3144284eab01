import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { AdcError } from '../model/errors.js';
import type { TlsFiles } from './certificates.js';

/** What a `--listen` value says. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly tls: boolean; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Reads a `--listen` value: `http://host:port`, `https://host:port` (ports 80 and 443 by default), `unix:/path`, `unix:///path`.
 *
 * @throws AdcError `usage` for anything else
 */
export function parseListen(value: string): ListenAddress {
  const refuse = (why: string): AdcError =>
    new AdcError('usage', `cannot listen on "${value}": ${why}; use http://host:port, https://host:port or unix:/path`);
  if (value.startsWith('unix:')) {
    const path = value.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!path.startsWith('/') || path.length < 2 || path.startsWith('//') || path.endsWith('/'))
      throw refuse('it needs the absolute path of a socket');
    return { kind: 'unix', path };
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw refuse('it is no URL of these kinds');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw refuse('it may hold a host and a port only');
  }
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  return { kind: 'tcp', tls, host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
}

/** Tells whether only this machine can reach an address. A name other than `localhost` may be anything. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127\./.test(host);
}

/** The limits of a listener; see ServerOptions for what they mean. */
export interface ListenerLimits {
  readonly maxConnections: number;
  readonly keepAliveTimeout: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
}

/** Makes an HTTP server with our limits; HTTPS where TLS files are given. It does not listen yet. */
export function createListener(
  handler: RequestListener,
  limits: ListenerLimits,
  tls?: TlsFiles,
): HttpServer | HttpsServer {
  const options = {
    keepAliveTimeout: limits.keepAliveTimeout,
    headersTimeout: limits.headersTimeout,
    requestTimeout: Math.max(limits.requestTimeout, limits.headersTimeout),
    // Node looks for late clients this often; its default of 30 s would let them stay for longer than the limits say.
    connectionsCheckingInterval: Math.max(100, Math.min(2_000, limits.headersTimeout / 4)),
    maxHeaderSize: 16 * 1024,
  };
  const server =
    tls === undefined
      ? createServer(options, handler)
      : createTlsServer({ ...options, ...secureContextOf(tls), handshakeTimeout: limits.headersTimeout }, handler);
  server.maxConnections = limits.maxConnections;
  return server;
}

/** What Node's TLS servers take: a client certificate is demanded as soon as there is an authority to check it against. */
export function secureContextOf(tls: TlsFiles): {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly minVersion: 'TLSv1.2';
} {
  const mutual = tls.clientCa !== undefined;
  return {
    cert: tls.cert,
    key: tls.key,
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
    requestCert: mutual,
    rejectUnauthorized: mutual,
    minVersion: 'TLSv1.2',
  };
}

/**
 * Starts listening and gives the URL that clients use. A socket is made with mode 0660 and removed when the server closes.
 *
 * @throws AdcError `usage` where the address is taken or not ours to take
 */
export async function listen(server: HttpServer | HttpsServer, address: ListenAddress): Promise<string> {
  if (address.kind === 'unix') {
    await clearSocketPath(address.path);
    await listenOn(server, `unix:${address.path}`, () => {
      // Between bind and chmod the umask decides: it must not let others in for that moment.
      const before = process.umask(0o117);
      try {
        server.listen(address.path);
      } finally {
        process.umask(before);
      }
    });
    chmodSync(address.path, 0o660);
    return `unix:${address.path}`;
  }
  const scheme = address.tls ? 'https' : 'http';
  const shown = address.host.includes(':') ? `[${address.host}]` : address.host;
  await listenOn(server, `${scheme}://${shown}:${address.port}`, () => server.listen(address.port, address.host));
  return `${scheme}://${shown}:${portOf(server)}`;
}

/** The TCP port a server listens on. */
function portOf(server: HttpServer | HttpsServer): number {
  return (server.address() as AddressInfo).port;
}

/** Runs `start` and waits for the server to listen, turning its failure into a line that names the address. */
export async function listenOn(server: HttpServer | HttpsServer, shown: string, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new AdcError('usage', `cannot listen on ${shown}: ${cause.message}`, { cause }));
    };
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolve();
    });
    start();
  });
}

/** Removes a socket that nobody serves any more (its process was killed); refuses anything else at that path. */
async function clearSocketPath(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new AdcError('usage', `cannot listen on unix:${path}: there is something that is no socket`);
  if (await isServed(path)) throw new AdcError('usage', `cannot listen on unix:${path}: another process serves it`);
  unlinkSync(path);
}

async function isServed(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Full backlogs and missing rights mean somebody is there; only a refusal means nobody is.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
