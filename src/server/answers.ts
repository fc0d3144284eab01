import * as z from 'zod';
import type { Validation } from '../backend/backend.js';
import type { Change } from '../model/change.js';
import { AdcError, GatewayError } from '../model/errors.js';
import { formatPath } from '../model/json.js';
import type { Resource } from '../model/resource.js';
import type { OperationOutcome } from '../pipeline/apply/outcome.js';
import type { ChangeOutcome, SyncReport } from '../pipeline/report/fold.js';
import type { RequestIssue } from './requests.js';

/** The longest text of a failure. Callers keep what we say in Kubernetes conditions, which take 32 KiB. */
const longestText = 2_048;

/** The most that the issues of one answer take, in characters; what does not fit is counted. */
const longestIssues = 24_000;

const time = z.iso.datetime().describe('RFC 3339 in UTC.');

const eventSchema = z.object({
  resourceType: z.string(),
  type: z.enum(['create', 'update', 'delete']),
  resourceId: z.string(),
  resourceName: z.string(),
  parentId: z.string().optional(),
});

const responseSchema = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  data: z.object({ error_msg: z.string().optional() }),
});

const failureSchema = z.object({
  server: z.string(),
  event: eventSchema,
  failed_at: time,
  reason: z.string().describe('The first of them is what callers show.'),
  response: responseSchema.optional().describe("The gateway's answer, where there was one."),
});

const endpointStatusSchema = z.object({
  server: z.string(),
  success: z.boolean(),
  reason: z.string().optional(),
  requested_at: time,
});

/** The answer to a sync that ran, whatever became of it. */
export const syncAnswerSchema = z.object({
  status: z.enum(['success', 'partial_failure', 'all_failed']),
  total_resources: z.int(),
  success_count: z.int(),
  failed_count: z.int().describe('0 means success. Counts endpoints where no resource is to blame.'),
  success: z.array(z.object({ server: z.string(), event: eventSchema, synced_at: time })),
  failed: z.array(failureSchema),
  endpoint_status: z.array(endpointStatusSchema).optional().describe('apisix-standalone: one entry per endpoint.'),
});

/** The answer to a validation that ran. */
export const validateAnswerSchema = z.object({
  success: z.boolean(),
  source: z.literal('validate'),
  depth: z.enum(['full', 'per-resource', 'local']).describe('How deep the gateway let us look.'),
  message: z.string().optional(),
  errors: z.array(
    z.object({
      resource_type: z.string(),
      resource_id: z.string().optional(),
      resource_name: z.string().optional(),
      index: z.int().optional(),
      error: z.string(),
      message: z.string(),
    }),
  ),
});

const issueSchema = z.object({
  path: z.array(z.union([z.string(), z.int()])).describe('Keys and indices from the root of the body.'),
  message: z.string(),
});

/** The answer to a request that did not become a job, or to a job that failed before it wrote anything. */
export const failureAnswerSchema = z.object({ message: z.string(), errors: z.array(issueSchema).optional() });

/** The same for `/validate`. */
export const validateFailureAnswerSchema = z.object({
  success: z.literal(false),
  source: z.enum(['input', 'lint']).optional().describe('Who found it; absent where the caller can fix nothing.'),
  message: z.string(),
  errors: z.array(z.object({ ...issueSchema.shape, error: z.string() })),
});

/** The answer to a diff. Values of secret fields are masked. */
export const diffAnswerSchema = z.object({
  total_resources: z.int(),
  summary: z.object({ create: z.int(), update: z.int(), delete: z.int() }),
  changes: z.array(
    z.object({ event: eventSchema, diff: z.array(z.looseObject({ kind: z.enum(['N', 'D', 'E', 'A']) })).optional() }),
  ),
  warnings: z.array(z.string()),
});

/** The answer to a dump. Holds what the gateway holds, keys included. */
export const dumpAnswerSchema = z.object({ config: z.looseObject({}), warnings: z.array(z.string()) });

export type SyncAnswer = z.output<typeof syncAnswerSchema>;
export type ValidateAnswer = z.output<typeof validateAnswerSchema>;
export type FailureAnswer = z.output<typeof failureAnswerSchema>;
export type DiffAnswer = z.output<typeof diffAnswerSchema>;
export type DumpAnswer = z.output<typeof dumpAnswerSchema>;
type Failure = z.output<typeof failureSchema>;

/** Masks what is secret in a text that came from elsewhere: secrets of the request and of the resource the text is about. */
export type Mask = (text: string, about?: Resource) => string;

/** What {@link syncAnswer} tells of. */
export interface SyncAnswerInput {
  readonly report: SyncReport;
  /** Base URLs of all endpoints of the job. */
  readonly servers: readonly string[];
  /** True for a backend with one entry per endpoint in its answer. */
  readonly byEndpoint: boolean;
  readonly mask: Mask;
  readonly now: Date;
}

/** Says what became of a sync, in the words its callers read. Never a positive `failed_count` with nothing to show for it. */
export function syncAnswer({ report, servers, byEndpoint, mask, now }: SyncAnswerInput): SyncAnswer {
  const first = servers[0] ?? '';
  const success: SyncAnswer['success'] = [];
  const unsuccessful: ChangeOutcome[] = [];
  for (const outcome of report.outcomes) {
    if (outcome.status !== 'applied' && outcome.status !== 'unchanged') unsuccessful.push(outcome);
    else
      success.push({
        server: outcome.endpoint ?? first,
        event: eventOf(outcome.change),
        synced_at: outcome.at.toISOString(),
      });
  }
  const endpointStatus = byEndpoint ? endpointStatusOf(report, servers, mask, now) : undefined;
  const failedEndpoints = endpointStatus?.filter((endpoint) => !endpoint.success).length ?? 0;
  // What an endpoint did not take with the rest of its document is not to blame for that, and callers mark what is listed.
  const shown = failedEndpoints > 0 ? unsuccessful.filter(({ blamed }) => blamed === true) : unsuccessful;
  const failed = shown.map((outcome) => failureOf(outcome, first, mask));
  if (!byEndpoint) failed.push(...report.repairs.flatMap((repair) => repairFailure(repair, mask)));

  const failedCount = failed.length > 0 ? failed.length : failedEndpoints;
  const noneTook = failedEndpoints > 0 ? failedEndpoints === servers.length : success.length === 0;
  return {
    status: failedCount === 0 ? 'success' : noneTook ? 'all_failed' : 'partial_failure',
    total_resources: report.outcomes.length + (byEndpoint ? 0 : failed.length - shown.length),
    success_count: success.length,
    failed_count: failedCount,
    success,
    failed,
    ...(endpointStatus === undefined ? {} : { endpoint_status: endpointStatus }),
  };
}

/** Says what a validation found. */
export function validateAnswer({ issues, depth }: Validation, mask: Mask): ValidateAnswer {
  const errors = issues.map((issue) => {
    const message = shorten(mask(issue.message));
    return {
      resource_type: issue.collection,
      ...(issue.id === undefined ? {} : { resource_id: issue.id }),
      ...(issue.name === undefined ? {} : { resource_name: issue.name }),
      ...(issue.index === undefined ? {} : { index: issue.index }),
      error: message,
      message,
    };
  });
  const message = errors.length === 0 ? {} : { message: `${counted(errors.length)} in the configuration` };
  return { success: errors.length === 0, source: 'validate', depth, ...message, errors };
}

/** What is to be said where no answer came to what was sent. */
const undecided = 'sent, and it may have been applied, for no answer came: ';

/** The event of a change, as callers name resources. */
export function eventOf(change: Change): SyncAnswer['success'][number]['event'] {
  return {
    resourceType: change.kind,
    type: change.type,
    resourceId: change.id,
    resourceName: change.name,
    ...(change.parentId === undefined ? {} : { parentId: change.parentId }),
  };
}

/** One readable text for a failure, without secrets and not too long. */
export function textOf(error: unknown, mask: Mask, about?: Resource): string {
  return shorten(
    mask(error instanceof AdcError ? error.message : 'internal error; the log of the server says more', about),
  );
}

/** Every issue of a request that fits, and a line that says how many there are. */
export function issuesAnswer(what: string, issues: readonly RequestIssue[], mask: Mask): Required<FailureAnswer> {
  const errors: { path: (string | number)[]; message: string }[] = [];
  let size = 0;
  for (const { path, message } of issues) {
    const error = { path: [...path], message: shorten(mask(message)) };
    size += error.message.length + formatPath(path).length + 40;
    if (size > longestIssues) break;
    errors.push(error);
  }
  const first = errors
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${formatPath(path)}: ${message}`));
  const more = issues.length > first.length ? `; and ${issues.length - first.length} more` : '';
  return { message: shorten(`${what}: ${first.join('; ')}${more}`), errors };
}

function counted(count: number): string {
  return count === 1 ? '1 problem' : `${count} problems`;
}

function shorten(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`;
}

function failureOf(outcome: ChangeOutcome, server: string, mask: Mask): Failure {
  const { change, at, error } = outcome;
  return {
    server: outcome.endpoint ?? server,
    event: eventOf(change),
    failed_at: at.toISOString(),
    reason: reasonOf(outcome, mask),
    ...responseOf(error, mask, resourceOf(change)),
  };
}

function resourceOf(change: Change): Resource {
  return change.type === 'delete' ? change.current : change.desired;
}

function reasonOf({ change, status, error, because }: ChangeOutcome, mask: Mask): string {
  if (error !== undefined) {
    const text = textOf(error, mask, resourceOf(change));
    return status === 'unknown' ? `${undecided}${text}` : text;
  }
  const cause = because === undefined ? 'what it depends on' : `${because.kind} "${because.name}"`;
  if (status === 'skipped' || because !== undefined) return `not sent: ${cause} was not applied`;
  return 'not sent: the job was stopped';
}

/** What is known of the gateway's answer; nothing of our request, which holds keys. */
function responseOf(error: unknown, mask: Mask, about?: Resource): Pick<Failure, 'response'> {
  if (!(error instanceof GatewayError) || error.failure.status === undefined) return {};
  const { status, headers = {}, gatewayText } = error.failure;
  const safe = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'set-cookie');
  return {
    response: {
      status,
      headers: Object.fromEntries(safe.map(([name, value]) => [name, shorten(mask(value, about))])),
      data: gatewayText === undefined ? {} : { error_msg: shorten(mask(gatewayText, about)) },
    },
  };
}

function endpointStatusOf(
  report: SyncReport,
  servers: readonly string[],
  mask: Mask,
  now: Date,
): z.output<typeof endpointStatusSchema>[] {
  const outcomes = new Map(report.endpoints.map((endpoint) => [endpoint.server, endpoint]));
  return servers.map((server) => {
    const outcome = outcomes.get(server);
    // An endpoint that nothing had to be sent to holds what it should.
    if (outcome === undefined || outcome.success)
      return { server, success: true, requested_at: (outcome?.at ?? now).toISOString() };
    const said = outcome.isUndecided === true ? undecided : '';
    const reason = outcome.error === undefined ? 'not sent: the job was stopped' : said + textOf(outcome.error, mask);
    return { server, success: false, reason, requested_at: outcome.at.toISOString() };
  });
}

/** A repair is about a stored object that no change speaks of; its failure is told as that of the object. */
function repairFailure(repair: OperationOutcome, mask: Mask): Failure[] {
  if (repair.status === 'applied' || repair.status === 'unchanged') return [];
  const { operation, at, error } = repair;
  const [collection = '', id = ''] = operation.object.split('/');
  const event = {
    resourceType: collection.replace(/s$/, ''),
    type: operation.method === 'DELETE' ? ('delete' as const) : ('update' as const),
    resourceId: id,
    resourceName: id,
  };
  const said = repair.status === 'unknown' ? undecided : '';
  const reason = error === undefined ? 'not sent: the job was stopped' : said + textOf(error, mask);
  return [{ server: operation.endpoint, event, failed_at: at.toISOString(), reason, ...responseOf(error, mask) }];
}
