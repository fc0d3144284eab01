import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Backend, BackendOptions, Endpoint, Exchange } from '../backend/backend.js';
import type { Opener } from '../backend/registry.js';
import type { Memory } from '../memory/memory.js';
import { dumpDocument } from '../pipeline/config/dump.js';
import type { Configuration } from '../pipeline/config/resolve.js';
import { maskFields } from '../pipeline/report/masking.js';
import type { Pools } from '../pool/pool.js';
import { dumpState, readAndDiff, sync, validateConfiguration, type JobScope } from '../sync.js';
import {
  eventOf,
  syncAnswer,
  validateAnswer,
  type DiffAnswer,
  type DumpAnswer,
  type Mask,
  type SyncAnswer,
} from './answers.js';
import type { JobOptions, JobPath } from './requests.js';

/** A request that was found in order: everything that can be worked out without the gateway. */
export interface PreparedJob {
  readonly path: JobPath;
  readonly opts: JobOptions;
  readonly endpoints: readonly Endpoint[];
  /** Absent for `/dump`. */
  readonly configuration?: Configuration;
  /** Jobs of one `cacheKey` with the same word replace each other wholly; see JobQueue. */
  readonly replaces?: string;
  readonly mask: Mask;
}

/** What a job runs with. */
export interface JobContext {
  readonly pools: Pools;
  readonly memory: Memory;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Sent to the gateway with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly open: Opener;
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
}

/** The answer of a job, serialised once however many it answers, and what the log and the metrics say of it. */
export interface JobAnswer {
  readonly status: 200 | 202;
  readonly body: string;
  readonly outcome: string;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  /** The first failure, for the log. */
  readonly reason?: string;
}

/**
 * Runs a job to its answer.
 *
 * @throws AdcError where it failed before anything was written
 */
export async function runJob(job: PreparedJob, context: JobContext): Promise<JobAnswer> {
  const backend = await context.open(job.opts.backend, backendOptions(job, context));
  try {
    switch (job.path) {
      case '/sync':
        return await runSync(job, context, backend);
      case '/diff':
        return await runDiff(job, context, backend);
      case '/validate':
        return await runValidate(job, backend);
      default:
        return await runDump(job, backend);
    }
  } finally {
    backend.close();
  }
}

const nothing: SyncAnswer = {
  status: 'success',
  total_resources: 0,
  success_count: 0,
  failed_count: 0,
  success: [],
  failed: [],
};

/** The answer to most syncs: it names nothing and nobody. */
const nothingToDo: JobAnswer = {
  status: 202,
  body: JSON.stringify(nothing),
  outcome: nothing.status,
  total: 0,
  succeeded: 0,
  failed: 0,
};

/** Reports of more outcomes take long enough to let others in between. */
const largeReport = 500;

async function runSync(
  job: PreparedJob,
  { memory, signal, deadline }: JobContext,
  backend: Backend,
): Promise<JobAnswer> {
  const { report } = await sync({
    backend,
    memory,
    configuration: configurationOf(job),
    scope: scopeOf(job.opts),
    concurrency: job.opts.requestConcurrent,
    signal,
    deadline,
  });
  if (report === undefined) throw new TypeError('a sync that is no dry run has a report');
  if (report.outcomes.length > largeReport) await yieldToOthers();
  const byEndpoint = backend.name === 'apisix-standalone';
  if (report.outcomes.length === 0 && report.repairs.length === 0 && !byEndpoint) return nothingToDo;
  const servers = job.endpoints.map(({ server }) => server);
  const answer = syncAnswer({ report, servers, byEndpoint, mask: job.mask, now: new Date() });
  const reason = answer.failed[0]?.reason ?? answer.endpoint_status?.find(({ success }) => !success)?.reason;
  if (report.outcomes.length > largeReport) await yieldToOthers();
  return {
    status: 202,
    body: JSON.stringify(answer),
    outcome: answer.status,
    total: answer.total_resources,
    succeeded: answer.success_count,
    failed: answer.failed_count,
    ...(reason === undefined ? {} : { reason }),
  };
}

async function runDiff(job: PreparedJob, { memory }: JobContext, backend: Backend): Promise<JobAnswer> {
  const { changes, notices } = await readAndDiff({
    backend,
    memory,
    configuration: configurationOf(job),
    scope: scopeOf(job.opts),
  });
  const count = (type: 'create' | 'update' | 'delete'): number =>
    changes.filter((change) => change.type === type).length;
  const answer: DiffAnswer = {
    total_resources: changes.length,
    summary: { create: count('create'), update: count('update'), delete: count('delete') },
    changes: changes.map((change) => ({
      event: eventOf(change),
      ...(change.type === 'update' ? { diff: maskFields(change, false).map((field) => ({ ...field })) } : {}),
    })),
    warnings: notices.map(({ message }) => job.mask(message)),
  };
  return done(answer, changes.length);
}

async function runValidate(job: PreparedJob, backend: Backend): Promise<JobAnswer> {
  const validation = await validateConfiguration({ backend, configuration: configurationOf(job) });
  const answer = validateAnswer(validation, job.mask);
  const total = configurationOf(job).state.resources.size;
  const failed = answer.errors.length;
  const body = JSON.stringify(answer);
  return {
    status: 200,
    body,
    outcome: answer.success ? 'success' : 'invalid',
    total,
    succeeded: Math.max(0, total - failed),
    failed,
  };
}

async function runDump(job: PreparedJob, backend: Backend): Promise<JobAnswer> {
  const { state, notices } = await dumpState({ backend, scope: scopeOf(job.opts) });
  const answer: DumpAnswer = {
    config: { ...dumpDocument(state, { withId: job.opts.withId === true }) },
    warnings: notices.map(({ message }) => job.mask(message)),
  };
  return done(answer, state.resources.size);
}

function done(answer: DiffAnswer | DumpAnswer, total: number): JobAnswer {
  return { status: 200, body: JSON.stringify(answer), outcome: 'success', total, succeeded: total, failed: 0 };
}

function configurationOf(job: PreparedJob): Configuration {
  if (job.configuration === undefined) throw new TypeError(`${job.path} comes with a configuration`);
  return job.configuration;
}

/** What part of the gateway a job is about. Its words stay as they came: one that names no collection must select none. */
export function scopeOf({ includeResourceType, excludeResourceType, labelSelector }: JobOptions): JobScope {
  return {
    ...(includeResourceType === undefined ? {} : { include: includeResourceType }),
    ...(excludeResourceType === undefined ? {} : { exclude: excludeResourceType }),
    ...(labelSelector === undefined ? {} : { labels: labelSelector }),
  };
}

/** One request may take as long as the command line gives it, and more in a job that has the time. */
function requestTimeoutOf(jobTimeout: number): number {
  return Math.max(10_000, Math.ceil(jobTimeout / 3));
}

function backendOptions({ opts, endpoints }: PreparedJob, context: JobContext): BackendOptions {
  return {
    endpoints,
    pools: context.pools,
    memory: context.memory,
    cacheKey: opts.cacheKey,
    bypassCache: opts.bypassCache === true,
    requestTimeout: requestTimeoutOf(opts.timeout),
    concurrency: opts.requestConcurrent,
    deadline: context.deadline,
    signal: context.signal,
    headers: context.headers,
    onExchange: context.onExchange,
  };
}
