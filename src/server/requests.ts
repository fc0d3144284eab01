import * as z from 'zod';
import { backendNames } from '../backend/backend.js';
import { isJsonObject, type JsonObject, type JsonPath } from '../model/json.js';
import { kinds, optInKinds, type Kind } from '../model/kinds.js';

/** Default of `opts.timeout`, in milliseconds. */
export const defaultTimeout = 30_000;

/** Default of `opts.requestConcurrent`. */
const defaultRequestConcurrent = 10;

/** A timer of Node cannot run longer. */
const longestTimeout = 2 ** 31 - 1;

const plainUrl = (value: string): boolean => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url === undefined || `${url.username}${url.password}${url.search}${url.hash}` === '';
};

const gatewayUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .refine(plainUrl, { error: 'must not hold a user, a password, a query or a fragment' });

const pem = z.string().min(1);
const token = z
  .string()
  .min(1)
  .regex(/^[\x20-\x7e]*$/, { error: 'holds characters that cannot be sent in a header (a line break, perhaps)' })
  .describe('The Admin key of the gateway.');

/** Where one endpoint is, and how it is talked to. What is absent is taken from the options around it. */
const targetSchema = z.strictObject({
  server: gatewayUrl,
  token: token.optional(),
  caCert: pem.optional().describe('PEM: the certificate authorities to trust.'),
  tlsClientCert: pem.optional().describe('PEM: the client certificate. Needs tlsClientKey.'),
  tlsClientKey: pem.optional().describe('PEM: its private key. Needs tlsClientCert.'),
  tlsServerName: z
    .string()
    .min(1)
    .optional()
    .describe('The name to ask for and to verify, instead of that of the URL.'),
  tlsSkipVerify: z.boolean().optional().describe('Do not verify the certificate of the gateway.'),
});

/** The words that include and exclude lists take; `stream_service` is of the older line and names nothing. */
const resourceTypes: readonly [string, ...string[]] = [kinds[0], ...kinds.slice(1), 'stream_service'];
const resourceTypeList = z.array(z.enum(resourceTypes));

const commonOptions = {
  backend: z
    .enum(backendNames, { error: `unknown backend; known are ${backendNames.join(', ')}` })
    .describe('The kind of gateway.'),
  server: z
    .union([gatewayUrl, z.array(gatewayUrl).min(1)], { error: 'must be an http:// or https:// URL, or a list of them' })
    .optional()
    .describe('The gateway; for apisix-standalone every data plane instance. Required unless there are targets.'),
  token: token
    .optional()
    .describe(
      'Admin key; for apisix-standalone one, or one per server joined with commas. Required unless every target has one.',
    ),
  cacheKey: z.string().min(1).describe('Names the gateway that is written. Jobs of one key run one at a time.'),
  lint: z.boolean().default(true).describe('Check the configuration against the schema first.'),
  labelSelector: z
    .record(z.string(), z.string())
    .optional()
    .describe('Only resources with these labels are in scope, and what is written gets them.'),
  includeResourceType: resourceTypeList
    .optional()
    .describe('Only these kinds are in scope. An empty list counts as absent.'),
  excludeResourceType: resourceTypeList.optional().describe('These kinds are out of scope.'),
  gatewayGroup: z.string().optional().describe('Unused by the backends there are.'),
  requestConcurrent: z
    .int()
    .min(1)
    .max(1_000)
    .default(defaultRequestConcurrent)
    .describe('Requests in flight for this job.'),
  timeout: z
    .number()
    .min(0)
    .max(longestTimeout)
    .default(defaultTimeout)
    .describe('Milliseconds for the whole job, waiting for its turn included. 0 for the default.'),
  tlsSkipVerify: targetSchema.shape.tlsSkipVerify,
  caCert: targetSchema.shape.caCert,
  tlsClientCert: targetSchema.shape.tlsClientCert,
  tlsClientKey: targetSchema.shape.tlsClientKey,
  targets: z
    .array(targetSchema)
    .min(1)
    .optional()
    .describe('Endpoints, each with a token and a TLS identity of its own where it has them, instead of server.'),
};

/** An ADC configuration. Its own schema looks into it, unless `lint` is false. */
const config = z.looseObject({}).describe('An ADC configuration.');

const optsSchema = z.looseObject(commonOptions);

const bypassCache = z
  .boolean()
  .default(false)
  .describe('apisix-standalone: forget what is remembered for this cacheKey and read again.');

const withId = z.boolean().default(false).describe('Write ids into the configuration.');

/** Bodies by path. Closed outside, open in `opts`, where callers of other versions send fields of their own. */
export const requestSchemas = {
  '/sync': z.strictObject({ task: z.strictObject({ opts: optsSchema.extend({ bypassCache }), config }) }),
  '/diff': z.strictObject({ task: z.strictObject({ opts: optsSchema.extend({ bypassCache }), config }) }),
  '/validate': z.strictObject({ task: z.strictObject({ opts: optsSchema, config }) }),
  '/dump': z.strictObject({ task: z.strictObject({ opts: optsSchema.extend({ withId }) }) }),
} as const;

/** A path that takes a job. */
export type JobPath = keyof typeof requestSchemas;

/** Where one endpoint of a request is. */
export type RequestTarget = z.output<typeof targetSchema>;

/** What a request asks for, defaults filled in. */
export interface JobOptions extends z.output<typeof optsSchema> {
  readonly bypassCache?: boolean | undefined;
  readonly withId?: boolean | undefined;
}

/** The body of a request that has the right shape. */
export interface JobRequest {
  readonly opts: JobOptions;
  /** Absent for `/dump`. */
  readonly config?: JsonObject;
}

/** One thing wrong with a request. */
export interface RequestIssue {
  readonly path: JsonPath;
  readonly message: string;
}

/** Reads the body of a request: all that is wrong with its shape, or its contents. Looks at `config` only as far as its top level. */
export function decodeRequest(path: JobPath, document: unknown): JobRequest | readonly RequestIssue[] {
  const parsed = requestSchemas[path].safeParse(document, { error: wordsFor });
  const shape = parsed.success ? [] : parsed.error.issues.flatMap(issuesOf);
  const task = isJsonObject(document) ? document['task'] : undefined;
  const opts = isJsonObject(task) ? task['opts'] : undefined;
  const issues = [...shape, ...(isJsonObject(opts) ? togetherIssues(opts) : [])];
  if (!parsed.success || issues.length > 0) return issues;
  const request = parsed.data.task as JobRequest;
  // As it came: the parser leaves out a key `__proto__`, which is to be refused with the rest of what is wrong in there.
  const own = isJsonObject(task) ? task['config'] : undefined;
  return isJsonObject(own) && request.config !== undefined ? { ...request, config: own } : request;
}

/** The kinds that a configuration manages only where it names them, and does. */
export function optInKindsOf(config: JsonObject | undefined): readonly Kind[] {
  return optInKinds.filter((kind) => config?.[`${kind}s`] !== undefined);
}

function wordsFor(issue: { readonly code?: string | undefined; readonly input?: unknown }): string | undefined {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined;
}

function issuesOf(issue: z.core.$ZodIssue): RequestIssue[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: 'is not known here' }));
}

/** What no field alone can tell: which fields need each other and which exclude each other. Says nothing of fields of a wrong type. */
function togetherIssues(opts: JsonObject): RequestIssue[] {
  const issues: RequestIssue[] = [];
  const report = (path: JsonPath, message: string): void => {
    issues.push({ path: ['task', 'opts', ...path], message });
  };
  const { server, targets, token, backend } = opts;
  const endpoints = Array.isArray(targets) ? (targets as readonly unknown[]) : undefined;
  const keyless = endpoints?.some((target) => isJsonObject(target) && target['token'] === undefined) ?? true;
  if (server === undefined && targets === undefined) report(['server'], 'is required');
  if (server !== undefined && targets !== undefined) report(['targets'], 'excludes server: give one of them');
  if (token === undefined && keyless) report(['token'], 'is required');
  const tokens = typeof token === 'string' ? token.split(',').length : 1;
  if (backend === 'apisix-standalone' && tokens > 1 && server !== undefined) {
    const servers = Array.isArray(server) ? server.length : 1;
    if (tokens !== servers)
      report(['token'], `holds ${tokens} tokens for ${servers} servers: give one for all or one each`);
  }
  const many = endpoints ?? (Array.isArray(server) ? (server as readonly unknown[]) : []);
  if (backend === 'apisix' && many.length > 1) {
    report(
      [endpoints === undefined ? 'server' : 'targets'],
      `must hold one gateway for backend apisix, not ${many.length}`,
    );
  }
  // The parser would leave it out, and a selector without its only label selects everything.
  if (isJsonObject(opts['labelSelector']) && Object.hasOwn(opts['labelSelector'], '__proto__')) {
    report(['labelSelector', '__proto__'], 'cannot be used as a label');
  }
  const [include, exclude] = [opts['includeResourceType'], opts['excludeResourceType']];
  if (Array.isArray(include) && include.length > 0 && Array.isArray(exclude) && exclude.length > 0) {
    report(['excludeResourceType'], 'excludes includeResourceType: give one of them');
  }
  for (const [index, holder] of [opts, ...(endpoints ?? [])].entries()) {
    if (!isJsonObject(holder)) continue;
    const at = index === 0 ? [] : ['targets', index - 1];
    if (holder['tlsClientCert'] !== undefined && holder['tlsClientKey'] === undefined) {
      report([...at, 'tlsClientKey'], 'is required with tlsClientCert');
    }
    if (holder['tlsClientKey'] !== undefined && holder['tlsClientCert'] === undefined) {
      report([...at, 'tlsClientCert'], 'is required with tlsClientKey');
    }
  }
  return issues;
}
