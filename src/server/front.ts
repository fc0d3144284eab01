import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../backend/backend.js';
import { createOpener } from '../backend/registry.js';
import type { Memory } from '../memory/memory.js';
import { AdcError } from '../model/errors.js';
import { redactText } from '../model/redaction.js';
import type { Pools } from '../pool/pool.js';
import { issuesAnswer, textOf, type Mask } from './answers.js';
import { hasToken } from './bearer.js';
import { readBody, type BodyBudget } from './body.js';
import type { JobQueue, JobResult } from './job-queue.js';
import { runJob, type JobAnswer, type PreparedJob } from './jobs.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { createPreparation, RefusedRequest } from './prepare.js';
import { requestSchemas, type JobPath } from './requests.js';

/** Milliseconds in which a client that was answered early may go on sending. */
const longestPassing = 5_000;

/** What the front of the server works with. */
export interface FrontOptions {
  readonly pools: Pools;
  readonly memory: Memory;
  readonly queue: JobQueue<JobAnswer>;
  readonly budget: BodyBudget;
  readonly bodyLimit: number;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The bearer token of now; undefined where none is asked for. */
  token(): string | undefined;
  isAllowed(server: string): boolean;
  isDraining(): boolean;
  /** The OpenAPI document, serialised. */
  openApi(): string;
}

/** An answer on its way out. */
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the log and the metrics are told once it is out: nobody waits for them. */
  readonly tell?: () => void;
}

/** What is known of one request while it is answered, for its line in the log. */
interface Visit {
  readonly path: string;
  readonly began: number;
  readonly gone: AbortController;
  /** Made for whoever has something to say, which most requests have not. */
  log(): Log;
  bytes?: number;
  job?: PreparedJob;
}

/** Who sends requests over one connection. */
export interface Caller {
  /**
   * Aborted when the connection closes, and, while a job of his runs, by whoever has to stop it. One for all requests on
   * the connection, for a signal takes longer to make than most of a request.
   */
  readonly gone: AbortController;
  /** How many of his requests are being answered. */
  readonly open: number;
}

/** Answers one request. */
export type Front = (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void>;

/** Answers the requests of callers: one function for all listeners. */
export function createFront(options: FrontOptions): Front {
  const prepare = createPreparation(options.memory);
  const open = createOpener();

  return async (request, response, caller) => {
    const id = requestIdOf(request);
    const path = pathOf(request);
    let log: Log | undefined;
    const visit: Visit = {
      path: isJobPath(path) || path === '/openapi.json' ? path : 'other',
      log: () => (log ??= options.log.child({ requestId: id })),
      began: Date.now(),
      gone: caller.gone,
    };
    let answer: Answer;
    try {
      answer = await answerTo(path, request, visit);
    } catch (error) {
      answer = failureAnswer(error, visit);
    }
    const isEarly = !request.complete;
    try {
      if (!response.destroyed && !request.socket.destroyed) send(answer, id, isEarly, caller, response);
    } finally {
      options.metrics.request(visit.path, answer.status);
      answer.tell?.();
    }
    if (isEarly && !response.destroyed) {
      await letPass(request);
      response.end();
    }
  };

  /** Writes an answer; one that came before the whole request is ended when the rest has passed. */
  function send(
    { status, body, headers }: Answer,
    id: string,
    isEarly: boolean,
    caller: Caller,
    response: ServerResponse,
  ): void {
    const always = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'X-Request-Id': id,
    };
    // Where others on this connection still wait for their answers, the connection outlives this one.
    const closes = isEarly || (options.isDraining() && caller.open <= 1);
    const isUsual = headers === undefined && !closes;
    response.writeHead(
      status,
      isUsual ? always : { ...always, ...headers, ...(closes ? { Connection: 'close' } : {}) },
    );
    if (isEarly) response.write(body);
    else response.end(body);
  }

  async function answerTo(path: string, request: IncomingMessage, visit: Visit): Promise<Answer> {
    const token = options.token();
    if (token !== undefined && !hasToken(request.headers.authorization, token)) {
      const refused = plain(401, 'the bearer token is missing or wrong');
      const tell = (): void => visit.log().warn({ status: refused.status }, 'the bearer token is missing or wrong');
      return { ...refused, headers: { 'WWW-Authenticate': 'Bearer' }, tell };
    }
    if (request.method === 'GET' && path === '/openapi.json') return { status: 200, body: options.openApi() };
    if (request.method !== 'PUT' || !isJobPath(path))
      return plain(404, `there is no ${request.method ?? ''} ${shownPath(path)}`);
    if (options.isDraining()) throw new AdcError('busy', 'the server is shutting down');
    const body = await readBody(request, options.bodyLimit, options.budget);
    try {
      visit.bytes = body.bytes.length;
      const job = await prepare(path, body.bytes);
      visit.job = job;
      const refused = job.endpoints.find(({ server }) => !options.isAllowed(server));
      if (refused !== undefined) throw new ForbiddenTarget(refused.server);
      const result = await options.queue.submit(queued(job, request, visit));
      const { status, body: text } = result.value;
      return { status, body: text, tell: () => report(result, visit, job) };
    } finally {
      body.release();
    }
  }

  function queued(
    job: PreparedJob,
    request: IncomingMessage,
    visit: Visit,
  ): Parameters<JobQueue<JobAnswer>['submit']>[0] {
    const deadline = Date.now() + job.opts.timeout;
    return {
      // A validation neither reads nor writes what the jobs of its key change.
      lane: job.path === '/validate' ? undefined : job.opts.cacheKey,
      replaces: job.replaces,
      controller: visit.gone,
      deadline,
      run: (signal) =>
        runJob(job, {
          pools: options.pools,
          memory: options.memory,
          signal,
          deadline,
          headers: traceHeaders(request),
          open,
          onExchange: options.log.isLevelEnabled('debug') ? (exchange) => tellExchange(exchange, visit) : undefined,
        }),
    };
  }

  function report({ value, waited, replaced }: JobResult<JobAnswer>, visit: Visit, job: PreparedJob): void {
    const operation = job.path.slice(1);
    const took = Date.now() - visit.began - waited;
    const { outcome, succeeded, failed } = value;
    options.metrics.job({
      operation,
      backend: job.opts.backend,
      status: outcome,
      took,
      waited,
      replaced,
      succeeded,
      failed,
    });
    const level = failed > 0 && operation === 'sync' ? 'warn' : 'info';
    if (!options.log.isLevelEnabled(level)) return;
    const facts = {
      ...jobFacts(visit),
      status: value.status,
      outcome,
      total: value.total,
      succeeded,
      failed,
      waitedMs: waited,
      tookMs: took,
      replaced: replaced || undefined,
      reason: value.reason,
    };
    visit.log()[level](facts, `${operation}: ${outcome}`);
  }

  function failureAnswer(error: unknown, visit: Visit): Answer {
    const { job, path } = visit;
    const mask: Mask = job?.mask ?? ((text) => redactText(text));
    const { status, retryAfter, code } = classify(error, job !== undefined);
    const text = error instanceof ForbiddenTarget ? error.message : textOf(error, mask);
    const refusal =
      error instanceof RefusedRequest
        ? issuesAnswer(error.message, error.issues, mask)
        : { message: text, ...(status === 400 ? { errors: [{ path: [], message: text }] } : {}) };
    const { message } = refusal;
    const facts = { ...jobFacts(visit), status, outcome: code, tookMs: Date.now() - visit.began, reason: message };
    if (code === 'internal') visit.log().error({ ...facts, stack: mask(stackOf(error)) }, `${path}: internal error`);
    else visit.log().warn(facts, `${path.slice(1)}: ${code}`);
    if (job !== undefined) {
      const took = Date.now() - visit.began;
      options.metrics.job({
        operation: path.slice(1),
        backend: job.opts.backend,
        status: code,
        took,
        waited: 0,
        replaced: false,
        succeeded: 0,
        failed: 0,
      });
    }
    const headers = retryAfter ? { headers: { 'Retry-After': String(options.queue.retryAfter()) } } : {};
    if (path !== '/validate') return { status, body: JSON.stringify(refusal), ...headers };
    const errors = (refusal.errors ?? []).map((issue) => ({ ...issue, error: issue.message }));
    const source =
      error instanceof RefusedRequest ? { source: error.source } : status === 400 ? { source: 'input' } : {};
    return { status, body: JSON.stringify({ success: false, ...source, message, errors }), ...headers };
  }
}

function tellExchange({ method, url, status, took, attempts }: Exchange, visit: Visit): void {
  visit.log().debug({ method, url, status, tookMs: Math.round(took), attempts }, 'gateway answered');
}

/** A gateway that this server may not be asked to talk to. */
class ForbiddenTarget extends Error {
  constructor(server: string) {
    super(`${server} is not among the targets that this server allows`);
    this.name = 'ForbiddenTarget';
  }
}

/** A connection closed on somebody who still sends would lose him our answer: what comes is thrown away, for a while. */
async function letPass(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, longestPassing);
    for (const event of ['end', 'close', 'error']) request.once(event, () => resolve());
    request.once('close', () => clearTimeout(timer));
    request.resume();
  });
}

/** @param isJob the request was in order: what fails then is not the caller's to mend, but for certificates that ran out since */
function classify(
  error: unknown,
  isJob: boolean,
): { readonly status: number; readonly retryAfter: boolean; readonly code: string } {
  if (error instanceof RefusedRequest) return { status: 400, retryAfter: false, code: error.source };
  if (error instanceof ForbiddenTarget) return { status: 403, retryAfter: false, code: 'forbidden' };
  if (!(error instanceof AdcError)) return { status: 500, retryAfter: false, code: 'internal' };
  // The caller that aborted is gone; whoever still reads this was cut short by our own end.
  if (error.code === 'aborted') return { status: 503, retryAfter: true, code: error.code };
  // An error thrown is a failure, also where its code belongs to an answer that is none.
  const status = error.http < 400 || (isJob && error.http === 400 && error.code !== 'tls_material') ? 500 : error.http;
  return { status, retryAfter: status === 503, code: error.code };
}

function plain(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ message }) };
}

function isJobPath(path: string): path is JobPath {
  return Object.hasOwn(requestSchemas, path);
}

/** Without its query. A server must also take the absolute form, which callers use towards a proxy. */
function pathOf({ url = '' }: IncomingMessage): string {
  if (isJobPath(url)) return url;
  return url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0] ?? '';
}

function shownPath(path: string): string {
  return path.length <= 200 ? path : `${path.slice(0, 199)}…`;
}

/** Taken over where it is harmless in a header and a log, else made. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:/+=@-]{1,128}$/.test(given) ? given : randomUUID();
}

/** W3C Trace Context, as far as it is well-formed. */
function traceHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const { traceparent, tracestate } = request.headers;
  if (typeof traceparent !== 'string' || !/^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}/.test(traceparent)) return {};
  return { traceparent, ...(typeof tracestate === 'string' && tracestate.length <= 512 ? { tracestate } : {}) };
}

/** What the log says of a job; it leaves out what is undefined. */
function jobFacts({ path, bytes, job }: Visit): Readonly<Record<string, unknown>> {
  return {
    operation: path.slice(1),
    bytes,
    backend: job?.opts.backend,
    cacheKey: job?.opts.cacheKey,
    servers: job?.endpoints.map(({ server }) => server),
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
