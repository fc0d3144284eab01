import { hash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Memory } from '../memory/memory.js';
import { printOf } from '../memory/print.js';
import { AdcError } from '../model/errors.js';
import { redactText, secretsOf } from '../model/redaction.js';
import { resolveConfiguration, type Configuration } from '../pipeline/config/resolve.js';
import { scopeOf, type PreparedJob } from './jobs.js';
import { decodeJson } from './json.js';
import {
  decodeRequest,
  defaultTimeout,
  optInKindsOf,
  type JobPath,
  type JobRequest,
  type RequestIssue,
} from './requests.js';
import type { Mask } from './answers.js';
import { areIssues, endpointsOf, credentialsOf } from './targets.js';

/** What a request's body turned out to be when it is no job. */
export class RefusedRequest extends Error {
  /** Who refuses it: the shape of the request, or the schema of the configuration. */
  readonly source: 'input' | 'lint';
  readonly issues: readonly RequestIssue[];

  constructor(source: 'input' | 'lint', message: string, issues: readonly RequestIssue[]) {
    super(message);
    this.name = 'RefusedRequest';
    this.source = source;
    this.issues = issues;
  }
}

/** What a parsed and resolved body keeps alive for each of its bytes; measured on configurations of services with routes. */
const bytesPerByte = 8;

/**
 * Gives the function that turns bodies into jobs. The same bytes are worked through once, as long as the memory holds
 * them: a sync until one comes that replaces it, because its caller has no more use for it.
 */
export function createPreparation(memory: Memory): (path: JobPath, bytes: Buffer) => Promise<PreparedJob> {
  const known = memory.space<PreparedJob>('requests');
  const latest = memory.space<{ readonly key: string }>('latest requests');
  return async (path, bytes) => {
    const key = `${path} ${printOf(bytes)}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const job = await prepare(path, bytes);
    known.set(key, job, bytes.length * bytesPerByte);
    if (job.replaces !== undefined) {
      const replaced = latest.get(job.replaces)?.key;
      if (replaced !== undefined && replaced !== key) known.delete(replaced);
      latest.set(job.replaces, { key }, 64 + key.length);
    }
    return job;
  };
}

async function prepare(path: JobPath, bytes: Buffer): Promise<PreparedJob> {
  const document = decodeBody(bytes);
  await yieldToOthers();
  const request = decodeRequest(path, document);
  if (!('opts' in request)) throw new RefusedRequest('input', 'the request is not valid', request);
  const endpoints = endpointsOf(request.opts);
  if (areIssues(endpoints)) throw new RefusedRequest('input', 'certificates or keys cannot be used', endpoints);
  const opts = { ...request.opts, timeout: request.opts.timeout === 0 ? defaultTimeout : request.opts.timeout };
  const configuration = resolve(request);
  return {
    path,
    opts,
    endpoints,
    ...(configuration === undefined ? {} : { configuration }),
    ...(path === '/sync' ? { replaces: replacementWord(request) } : {}),
    mask: maskOf(credentialsOf(opts)),
  };
}

function decodeBody(bytes: Buffer): unknown {
  try {
    return decodeJson(bytes);
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    throw new RefusedRequest('input', 'the request is not valid', [{ path: [], message: error.message }]);
  }
}

function resolve({ config, opts }: JobRequest): Configuration | undefined {
  if (config === undefined) return undefined;
  try {
    return resolveConfiguration(config, { lint: opts.lint, managedBy: false, ...scopeOf(opts) });
  } catch (error) {
    if (!(error instanceof AdcError) || error.problems.length === 0) throw error;
    const issues = error.problems.map(({ path = [], message }) => ({ path: ['task', 'config', ...path], message }));
    throw new RefusedRequest('lint', error.message, issues);
  }
}

/** Masks what came with a request, and what a resource holds that the text is about. */
export function maskOf(credentials: readonly string[]): Mask {
  return (text, about) => {
    const own = about === undefined ? [] : secretsOf({ resources: new Map([[about.key, about]]) });
    return redactText(text, [...credentials, ...own]);
  };
}

/**
 * Two syncs replace each other wholly where all their options are the same, and they manage the same of the kinds that a
 * configuration may leave alone.
 */
function replacementWord({ opts, config }: JobRequest): string {
  const { lint: _, ...rest } = opts;
  return hash('sha256', JSON.stringify([rest, optInKindsOf(config)]), 'base64');
}
