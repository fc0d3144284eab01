import http from 'node:http';
import https from 'node:https';
import net, { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import type { Identity } from './identity.js';
import type { Proxy } from './proxy.js';

/** Where a pool's connections lead. */
export interface Destination {
  /** Scheme, host and port, as in requests. */
  readonly origin: string;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly identity: Identity;
  readonly proxy?: Proxy;
  readonly sessions: SessionStore;
}

/** The TLS session of one pool, so that only its first handshake is a full one. */
export class SessionStore {
  #session: Buffer | undefined;
  #since = 0;
  readonly #maxAge: number;

  /** @param maxAge milliseconds; a server's certificate is looked at anew at least that often */
  constructor(maxAge: number) {
    this.#maxAge = maxAge;
  }

  get(): Buffer | undefined {
    return performance.now() - this.#since < this.#maxAge ? this.#session : undefined;
  }

  put(session: Buffer): void {
    // A resumed session begets the next: the age is that of the last full handshake.
    if (this.get() === undefined) this.#since = performance.now();
    this.#session = session;
  }
}

/** Opening a connection took longer than it may. */
class ConnectTimeoutError extends Error {
  readonly code = 'ADC_CONNECT_TIMEOUT';
}

/** An open connection, or why there is none. Called once. */
export type Opened = (error: Error | undefined, socket: Socket | undefined) => void;

/**
 * Opens a connection: address lookup, TCP, the proxy's tunnel where there is one, TLS.
 *
 * @param timeout milliseconds for all of it
 * @returns a function that gives the attempt up; `opened` is not called after that
 */
export function openConnection(destination: Destination, timeout: number, opened: Opened): () => void {
  let current: { destroy(error?: Error): unknown } | undefined;
  let over = false;
  const finish = (error: Error | undefined, socket?: Socket): void => {
    if (over) {
      socket?.destroy();
      return;
    }
    over = true;
    clearTimeout(timer);
    if (error !== undefined) current?.destroy();
    opened(error, socket);
  };
  const timer = setTimeout(() => {
    finish(new ConnectTimeoutError(`connect timed out after ${timeout}ms (${destination.host}:${destination.port})`));
  }, timeout);

  const secure = (under?: Socket): void => {
    const socket = openTls(destination, under);
    current = socket;
    socket.once('secureConnect', () => finish(undefined, socket));
    watch(socket, finish);
  };

  const { proxy } = destination;
  if (proxy !== undefined && destination.tls) {
    current = openTunnel(destination, proxy, finish, (socket) => {
      if (over) socket.destroy();
      else secure(socket);
    });
  } else if (proxy?.protocol === 'https:') {
    const socket = tls.connect({ host: proxy.host, port: proxy.port, ...serverName(proxy.host) });
    current = socket;
    socket.once('secureConnect', () => finish(undefined, socket));
    watch(socket, finish);
  } else if (destination.tls) {
    secure();
  } else {
    const socket = net.connect({
      host: proxy?.host ?? destination.host,
      port: proxy?.port ?? destination.port,
      ...tcp,
    });
    current = socket;
    socket.once('connect', () => finish(undefined, socket));
    watch(socket, finish);
  }
  return () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    current?.destroy();
  };
}

const tcp = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, highWaterMark: 64 * 1024 } as const;

/** A name to send in the handshake; addresses must not be sent (RFC 6066, 3). */
function serverName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function openTls(destination: Destination, under: Socket | undefined): Socket {
  const { identity, host, port, sessions } = destination;
  const session = sessions.get();
  const socket = tls.connect({
    ...(under === undefined ? { host, port, ...tcp } : { host, socket: under }),
    ...serverName(host),
    ...(identity.serverName !== undefined && { servername: identity.serverName }),
    ...(identity.secureContext && { secureContext: identity.secureContext }),
    ...(session && { session }),
    rejectUnauthorized: identity.verify,
    ALPNProtocols: ['http/1.1'],
  });
  socket.on('session', (next: Buffer) => sessions.put(next));
  return socket;
}

/** Listens for the end of an attempt. The listeners stay: an error of an idle socket must not end the process. */
function watch(socket: Socket, finish: (error: Error) => void): void {
  socket.on('error', finish);
  socket.once('close', () => finish(reset()));
}

function reset(): Error {
  return Object.assign(new Error('connection closed by the server while it was opened'), { code: 'ECONNRESET' });
}

/** Asks a proxy for a tunnel (RFC 9110, 9.3.6). */
function openTunnel(
  { host, port }: Destination,
  proxy: Proxy,
  fail: (error: Error) => void,
  done: (socket: Socket) => void,
): { destroy(error?: Error): unknown } {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const request = (proxy.protocol === 'https:' ? https : http).request({
    method: 'CONNECT',
    host: proxy.host,
    port: proxy.port,
    path: authority,
    agent: false,
    headers: {
      host: authority,
      ...(proxy.authorization !== undefined && { 'proxy-authorization': proxy.authorization }),
    },
    ...(proxy.protocol === 'https:' && serverName(proxy.host)),
  });
  const refuse = (status: number | undefined, text: string | undefined): void => {
    fail(new Error(`proxy ${proxy.origin} refused the tunnel to ${authority}: ${status} ${text ?? ''}`.trimEnd()));
  };
  request.once('connect', (response, socket, head) => {
    if (response.statusCode !== 200) {
      socket.destroy();
      refuse(response.statusCode, response.statusMessage);
      return;
    }
    if (head.length > 0) socket.unshift(head);
    socket.on('error', () => {});
    if (socket instanceof net.Socket) {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, tcp.keepAliveInitialDelay);
      done(socket);
    }
  });
  request.once('response', (response) => {
    response.resume();
    refuse(response.statusCode, response.statusMessage);
  });
  request.on('error', (error) => fail(new Error(`proxy ${proxy.origin}: ${error.message}`, { cause: error })));
  request.end();
  return request;
}
