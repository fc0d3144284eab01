import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { createPoolManager } from '../../src/pool/manager.js';
import type { PoolManagerOptions } from '../../src/pool/options.js';
import type { PoolReport, Pools, PoolResponse } from '../../src/pool/pool.js';

/** Reads a certificate or key of the tests. */
export function pem(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
}

/** The client certificates, `client-01` first. Their common key is `client.key`. */
export function clientCertificates(): readonly string[] {
  return pem('clients.pem').match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? [];
}

/** The passphrase of the encrypted keys. */
export const passphrase = 'open sesame';

/** A pool manager that the test's end closes. */
export function makePools(options: PoolManagerOptions = {}): Pools {
  const pools = createPoolManager(options);
  onTestFinished(() => pools.close(0));
  return pools;
}

/** What a test server saw. */
export interface TestServer {
  readonly origin: string;
  readonly port: number;
  /** Connections accepted so far. */
  accepted: number;
  /** Those that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** The most that were open at a time. */
  most: number;
  /** Requests that arrived completely. */
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly body: string;
    readonly socket: Socket;
  }[];
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>;
}

/** Handles one request, whose body was read. `number` counts from 1. */
export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, number: number) => unknown;

/** Options of {@link serve}. */
export interface ServeOptions {
  readonly tls?: https.ServerOptions;
  readonly port?: number;
  readonly server?: http.ServerOptions;
  /** Called with each connection. */
  readonly onConnection?: (socket: Socket) => void;
}

const answerOk: Handler = (_request, response) => response.end('{}');

/** Starts an HTTP(S) server on a free port of loopback, which the test's end stops. */
export async function serve(handler: Handler = answerOk, options: ServeOptions = {}): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const requests: TestServer['requests'] = [];
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', body, socket: request.socket });
      handler(request, response, requests.length);
    });
  };
  const common = { keepAliveTimeout: 600_000, ...options.server };
  const server =
    options.tls === undefined
      ? http.createServer(common, listener)
      : https.createServer({ key: pem('server.key'), cert: pem('server.pem'), ...common, ...options.tls }, listener);
  const result: TestServer = {
    origin: '',
    port: 0,
    accepted: 0,
    sockets,
    most: 0,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  server.on('connection', (socket: Socket) => {
    result.accepted += 1;
    sockets.add(socket);
    result.most = Math.max(result.most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    options.onConnection?.(socket);
  });
  await listen(server, options.port ?? 0);
  onTestFinished(() => (server.listening ? result.stop() : undefined));
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? 'http' : 'https';
  return Object.assign(result, { port, origin: `${scheme}://127.0.0.1:${port}` });
}

/** Starts a bare TCP server on a free port of loopback, which the test's end stops. */
export async function serveTcp(onConnection: (socket: Socket, number: number) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = net.createServer();
  const result: TestServer = {
    origin: '',
    port: 0,
    accepted: 0,
    sockets,
    most: 0,
    requests: [],
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  server.on('connection', (socket) => {
    result.accepted += 1;
    sockets.add(socket);
    result.most = Math.max(result.most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    // Without a reader the end of the other side would go unnoticed.
    socket.resume();
    onConnection(socket, result.accepted);
  });
  await listen(server, 0);
  onTestFinished(() => (server.listening ? result.stop() : undefined));
  const { port } = server.address() as AddressInfo;
  return Object.assign(result, { port, origin: `http://127.0.0.1:${port}` });
}

function listen(server: net.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** A port of loopback on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = net.createServer();
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until something holds; fails after ten seconds, saying what. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`);
    await sleep(5);
  }
}

/** For what has to be slow: a server's answer, a pause that is the subject of the test. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A promise with its ends. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The report of the only pool, or of the only one with this origin. */
export function poolReport(pools: Pools, origin?: string): PoolReport {
  const found = pools.report().pools.filter((pool) => origin === undefined || pool.origin === origin);
  const [only] = found;
  if (found.length !== 1 || only === undefined) throw new Error(`expected one pool, found ${found.length}`);
  return only;
}

/** The body of an answer as text. */
export function text(response: PoolResponse): string {
  return Buffer.from(response.body).toString();
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected a rejection');
}

/** Bundles the pools, so that a program of their own can run with them. */
export async function bundlePools(): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const outfile = join(root, 'node_modules', `.pool-${process.pid}-${randomUUID()}.mjs`);
  onTestFinished(() => rmSync(outfile, { force: true }));
  await build({
    entryPoints: [join(root, 'src/pool/manager.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return pathToFileURL(outfile).href;
}

/** Runs a program to its end; gives what it wrote. */
export async function run(
  program: string,
  values: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, ...values], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, out };
}
