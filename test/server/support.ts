import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { createMemory } from '../../src/memory/store.js';
import type { Memory } from '../../src/memory/memory.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { PoolManagerOptions } from '../../src/pool/options.js';
import type { Pools } from '../../src/pool/pool.js';
import type { ServerOptions } from '../../src/server/options.js';
import { startServer, type Server } from '../../src/server/server.js';

/** A server of this process, with what it works with and what it logged. */
export interface TestServer extends Server {
  readonly url: string;
  readonly statusUrl: string;
  readonly pools: Pools;
  readonly memory: Memory;
  readonly lines: string[];
}

/** Starts a server on free ports. */
export async function startTestServer(
  options: Partial<ServerOptions> = {},
  poolOptions: PoolManagerOptions = {},
): Promise<TestServer> {
  const pools = options.pools ?? createPoolManager(poolOptions);
  const memory = options.memory ?? createMemory();
  const lines: string[] = [];
  const server = await startServer({
    listen: 'http://127.0.0.1:0',
    statusPort: 0,
    writeLog: (line) => lines.push(line),
    ...options,
    pools,
    memory,
  });
  return {
    ...server,
    url: server.addresses[0] ?? '',
    statusUrl: server.statusAddresses[0] ?? '',
    pools,
    memory,
    lines,
  };
}

/** An answer, read whole. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
}

/** What {@link send} sends beside the body. */
export interface SendOptions extends RequestOptions {
  readonly body?: string | Buffer;
  /** Do not announce its length. */
  readonly chunked?: boolean;
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/** Sends a request to an `http:`, `https:` or `unix:` address and gives the whole answer. */
export async function send(
  method: string,
  url: string,
  path: string,
  { body, chunked = false, ...options }: SendOptions = {},
): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const target: RequestOptions = url.startsWith('unix:')
      ? { socketPath: url.slice('unix:'.length), path }
      : { host: new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'), port: new URL(url).port, path };
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const headers = {
      ...(body === undefined || chunked ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...(options.headers as Record<string, string> | undefined),
    };
    const request = open({ agent: false, ...options, ...target, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type'] === 'application/json';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends a JSON body with PUT. */
export async function put(url: string, path: string, body: unknown, options: SendOptions = {}): Promise<Reply> {
  return await send('PUT', url, path, { ...options, body: JSON.stringify(body) });
}

/** Keeps connections, as the server's callers do. */
export function keepAlive(maxSockets = Infinity): Agent {
  return new Agent({ keepAlive: true, maxSockets });
}

/** The body of a job. */
export function task(server: string, token: string, config: unknown, opts: Record<string, unknown> = {}): unknown {
  return {
    task: {
      opts: {
        backend: 'apisix',
        server,
        token,
        cacheKey: 'GatewayProxy/default/apisix',
        tlsSkipVerify: false,
        ...opts,
      },
      config,
    },
  };
}

/** A small configuration: one service with two routes. */
export const smallConfig = {
  services: [
    {
      name: 'shop',
      upstream: { nodes: [{ host: '127.0.0.1', port: 8080, weight: 1 }] },
      routes: [
        { name: 'items', uris: ['/items/*'], methods: ['GET'] },
        { name: 'orders', uris: ['/orders/*'], methods: ['GET', 'POST'] },
      ],
    },
  ],
};

const fixtures = join(import.meta.dirname, '../pool/fixtures');

/** A certificate or key made for tests. */
export function fixture(name: string): string {
  return readFileSync(join(fixtures, name), 'utf8');
}

/** The path of a certificate or key made for tests. */
export function fixturePath(name: string): string {
  return join(fixtures, name);
}

/** One of the client certificates; they share `client.key`. */
export function clientCertificate(index: number): string {
  return fixture('clients.pem').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n/g)?.[index] ?? '';
}

/** Waits until something holds, looking often; fails after ten seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
