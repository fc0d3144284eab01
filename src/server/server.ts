import { setMaxListeners } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { AdcError } from '../model/errors.js';
import { version } from '../version.js';
import { readTlsFiles, readTokenFile, watchFiles, type TlsFiles } from './certificates.js';
import { Bag } from '../pool/bag.js';
import type { BodyBudget } from './body.js';
import { createFront, type Caller, type Front } from './front.js';
import { JobQueue } from './job-queue.js';
import type { JobAnswer } from './jobs.js';
import { createListener, isLoopback, listen, parseListen, secureContextOf, type ListenAddress } from './listen.js';
import { createLog, type Log } from './log.js';
import { createMetrics } from './metrics.js';
import { createOpenApi } from './openapi.js';
import type { Server, ServerOptions } from './options.js';
import { openStatusPort, type OpenStatusPort } from './status-port.js';
import { createStatus } from './status.js';
import { targetRule } from './targets.js';

export type { Server, ServerOptions } from './options.js';

const mebibyte = 1024 * 1024;

/** Milliseconds that writes in flight are given to end, and answers to leave, after everything was stopped. */
const lastWords = 5_000;

/**
 * Starts the server: the status port first, so that probes are answered from the beginning, then the listener.
 *
 * @throws AdcError `usage`, `file` or `tls_material` for options that cannot be used and addresses that are taken
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const address = parseListen(options.listen ?? 'http://127.0.0.1:3000');
  checkTls(address, options);
  const isAllowed = targetRule(options.allowTargets);
  const log = createLog(options.logLevel ?? 'info', options.writeLog);
  const files = { ...(await readFiles(options)) };
  const bodyLimit = options.bodyLimit ?? 100 * mebibyte;
  const budget: BodyBudget = { limit: options.bodiesLimit ?? 4 * bodyLimit, held: 0, arriving: new Bag() };
  const queue = new JobQueue<JobAnswer>({
    concurrency: options.concurrency ?? 16,
    length: options.queueLength ?? 1_024,
  });
  const state = { serving: false, draining: false };
  const metrics = createMetrics({
    pools: options.pools,
    memory: options.memory,
    queue: () => queue.report(),
    bodies: () => budget.held,
    connections: () => sockets.size,
  });
  const openApi = createOpenApi();
  const front = createFront({
    pools: options.pools,
    memory: options.memory,
    queue,
    budget,
    bodyLimit,
    metrics,
    log,
    token: () => files.token,
    isAllowed,
    isDraining: () => state.draining,
    openApi,
  });
  const visits = createVisits(log);
  const limits = {
    maxConnections: options.maxConnections ?? 4_096,
    keepAliveTimeout: options.keepAliveTimeout ?? 10 * 60_000,
    headersTimeout: options.headersTimeout ?? 20_000,
    requestTimeout: options.requestTimeout ?? 60_000,
  };
  const main = createListener(visits.handle(front), limits, files.tls);
  const isReady = (): boolean => state.serving && !state.draining;
  const sockets = trackSockets(main);

  let status: OpenStatusPort | undefined;
  const shut = async (): Promise<void> => {
    stopWatching();
    if (main.listening) main.close();
    main.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await status?.close();
    await options.pools.close();
    options.memory.clear();
    metrics.close();
    log.info('stopped');
  };

  const reload = async (): Promise<void> => {
    try {
      const fresh = await readFiles(options);
      if (fresh.tls !== undefined && main instanceof HttpsServer) main.setSecureContext(secureContextOf(fresh.tls));
      Object.assign(files, fresh);
      log.info('certificates and token read again');
    } catch (error) {
      const reason = error instanceof AdcError ? error.message : 'internal error';
      log.error({ reason }, 'certificates and token stay as they were');
    }
  };
  const stopWatching = watchFiles(watchedFiles(options), () => void reload());

  let ending: Promise<void> | undefined;
  const end = async (patience: number): Promise<void> => {
    state.draining = true;
    status?.changed();
    log.info({ ...queue.report(), requests: visits.count() }, patience > 0 ? 'draining' : 'closing');
    // What has not wholly come is no job yet, and may never be one.
    for (const body of budget.arriving) body.refuse(new AdcError('busy', 'the server is shutting down'));
    if (main.listening) main.close();
    if (!(await within(visits.none(), patience))) {
      queue.abort(new AdcError('aborted', 'the server is shutting down; this was stopped before its next write'));
      await within(visits.none(), lastWords);
    }
    await shut();
  };

  let url: string;
  try {
    status = await openStatusPort({
      port: options.statusPort ?? 3001,
      limits: { ...limits, maxConnections: 256 },
      isReady,
      answer: createStatus({ pools: options.pools, metrics, token: () => files.token }),
      failed: (error) => log.error({ reason: error.message }, 'the status port failed'),
    });
    url = await listen(main, address);
  } catch (error) {
    stopWatching();
    await status?.close();
    metrics.close();
    throw error;
  }
  state.serving = true;
  status.changed();
  const statusAddresses = status.addresses;
  log.info({ addresses: [url], statusAddresses, version }, 'serving');
  warnIfOpen(address, options, log);

  return {
    addresses: [url],
    statusAddresses,
    drain: async () => await (ending ??= end(options.drainTimeout ?? 30_000)),
    close: async () => {
      queue.abort(new AdcError('aborted', 'the server is shutting down; this was stopped before its next write'));
      await (ending ??= end(0));
    },
    reload,
  };
}

interface Files {
  readonly tls?: TlsFiles;
  readonly token?: string;
}

async function readFiles(options: ServerOptions): Promise<Files> {
  const [tls, token] = await Promise.all([
    options.tls === undefined ? undefined : readTlsFiles(options.tls),
    options.authTokenFile === undefined ? undefined : readTokenFile(options.authTokenFile),
  ]);
  return { ...(tls === undefined ? {} : { tls }), ...(token === undefined ? {} : { token }) };
}

function watchedFiles({ tls, authTokenFile }: ServerOptions): readonly string[] {
  return [tls?.certFile, tls?.keyFile, tls?.clientCaFile, authTokenFile].filter((path) => path !== undefined);
}

function checkTls(address: ListenAddress, { tls }: ServerOptions): void {
  const secure = address.kind === 'tcp' && address.tls;
  if (secure && tls === undefined) {
    throw new AdcError('usage', 'When using HTTPS, both --tls-cert-file and --tls-key-file must be provided');
  }
  if (!secure && tls !== undefined) {
    throw new AdcError('usage', 'certificates are for https:// listeners only; this one would serve without them');
  }
}

/** Whoever reaches an open server can make it write to any gateway that it can reach. */
function warnIfOpen(address: ListenAddress, options: ServerOptions, log: Log): void {
  if (address.kind === 'unix' || isLoopback(address.host)) return;
  const guarded =
    options.authTokenFile !== undefined ||
    (options.allowTargets?.length ?? 0) > 0 ||
    options.tls?.clientCaFile !== undefined;
  if (!guarded)
    log.warn({ listen: options.listen }, 'reachable from other machines, without --auth-token-file and --allow-target');
}

interface Visits {
  /** Wraps a front so that its requests are waited for when the server ends, and told when their callers are gone. */
  handle(front: Front): (request: IncomingMessage, response: ServerResponse) => void;
  count(): number;
  /** Resolves when no request is being answered. */
  none(): Promise<void>;
}

/** A caller, with the count written by the one who counts. */
interface Counted extends Caller {
  open: number;
}

/** Knows which requests are being answered. */
function createVisits(log: Log): Visits {
  let open = 0;
  let waiting: (() => void)[] = [];
  const left = (): void => {
    open -= 1;
    if (open > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  const callers = new WeakMap<Socket, Counted>();
  const callerOn = (socket: Socket): Counted => {
    const known = callers.get(socket);
    if (known !== undefined) return known;
    const caller: Counted = { gone: new AbortController(), open: 0 };
    // Requests sent without waiting for answers listen to the one signal all together.
    setMaxListeners(0, caller.gone.signal);
    callers.set(socket, caller);
    // Of answers that stand behind another one, Node tells nothing when the connection closes.
    socket.once('close', () => {
      caller.gone.abort(new AdcError('aborted', 'the caller went away'));
      for (; caller.open > 0; caller.open -= 1) left();
    });
    return caller;
  };
  const run = (front: Front, request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const caller = callerOn(socket);
    caller.open += 1;
    response.once('close', () => {
      // Where the connection closed first, it was counted with all others on it.
      if (caller.open === 0) return;
      caller.open -= 1;
      left();
    });
    front(request, response, caller).catch((error: unknown) => {
      log.error({ stack: error instanceof Error ? error.stack : String(error) }, 'internal error');
      response.destroy();
      socket.destroy();
    });
  };
  return {
    handle: (front) => (request, response) => {
      open += 1;
      run(front, request, response);
    },
    count: () => open,
    none: async () => {
      if (open > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

/** The sockets of a server, also those in the middle of a handshake, which Node's own list of connections leaves out. */
function trackSockets(server: HttpServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Waits at most so many milliseconds; tells whether it was enough. */
async function within(promise: Promise<void>, patience: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patience);
  });
  const enough = await Promise.race([promise.then(() => true), over]);
  clearTimeout(timer);
  return enough;
}
