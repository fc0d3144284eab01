import * as z from 'zod';
import { isJsonObject, type JsonObject } from '../json.js';
import {
  description,
  host,
  id,
  int,
  labels,
  name,
  nonNegative,
  number,
  openObject,
  port,
  secret,
  timeout,
} from './scalars.js';

const statuses = (defaults: number[]) =>
  z
    .array(int(200, 599))
    .min(1)
    .default(() => [...defaults]);
const count = (value: number, least = 1) => int(least, 254).default(value);
const interval = () => int(1).default(1).describe('Seconds between two checks.');

const healthyStatuses = [200, 302];
const unhealthyStatuses = [429, 404, 500, 501, 502, 503, 504, 505];

const checkType = z.enum(['http', 'https', 'tcp']).default('http');

const failureCounts = (least: number) => ({
  http_statuses: statuses(unhealthyStatuses),
  http_failures: count(5, least),
  tcp_failures: count(2, least),
  timeouts: count(3, least),
});

const activeCheck = z
  .strictObject({
    type: checkType,
    timeout: number().default(1).describe('Seconds for one check.'),
    concurrency: number().default(10),
    host: host().optional(),
    port: port().optional(),
    http_path: z.string().default('/'),
    https_verify_certificate: z.boolean().default(true),
    http_request_headers: z.array(z.string()).min(1).optional().describe('The older name of `req_headers`.'),
    req_headers: z.array(z.string()).min(1).optional().describe('Request headers, each as `Name: value`.'),
    http_method: z.string().min(1).optional().describe('The request method of a check.'),
    http_req_body: z.string().optional().describe('The request body of a check.'),
    healthy: z
      .strictObject({ http_statuses: statuses(healthyStatuses), successes: count(2), interval: interval() })
      .optional(),
    unhealthy: z.strictObject({ ...failureCounts(1), interval: interval() }).optional(),
  })
  .refine((check) => !('http_request_headers' in check && 'req_headers' in check), {
    error: '"http_request_headers" and "req_headers" are two names of one field; write one of them',
    when: ({ value }) => isJsonObject(value),
  });

// Gateways take 0 in passive checks: it switches that count off.
const passiveCheck = z.strictObject({
  type: checkType,
  healthy: z.strictObject({ http_statuses: statuses(healthyStatuses), successes: count(2, 0) }).optional(),
  unhealthy: z.strictObject(failureCounts(0)).optional(),
});

const checks = z
  .strictObject({
    active: activeCheck,
    passive: passiveCheck.optional(),
  })
  .describe('Health checks; passive ones need active ones.');

const node = z.strictObject({
  host: host(),
  port: port(),
  weight: int(0),
  priority: number().default(0),
  metadata: openObject.optional(),
});

const tls = z
  .strictObject({
    client_cert: z.string().optional(),
    client_key: secret(z.string()).optional(),
    client_cert_id: z.string().optional(),
    verify: z.boolean().optional(),
  })
  .describe('What the gateway presents to the upstream, and whether it verifies it.');

const keepalivePool = z.strictObject({
  size: int(1).default(320),
  idle_timeout: nonNegative().default(60).describe('Seconds.'),
  requests: int(1).default(1000),
});

const upstreamFields = {
  name: name.optional(),
  description: description.optional(),
  labels: labels.optional(),
  type: z.enum(['roundrobin', 'chash', 'least_conn', 'ewma']).default('roundrobin').describe('How nodes are chosen.'),
  hash_on: z.string().optional(),
  key: z.string().optional(),
  checks: checks.optional(),
  nodes: z.array(node).optional(),
  scheme: z.enum(['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'kafka']).default('http'),
  retries: int(0, 65_535).optional(),
  retry_timeout: nonNegative().optional().describe('Seconds.'),
  timeout: timeout.optional(),
  tls: tls.optional(),
  keepalive_pool: keepalivePool.optional(),
  pass_host: z.enum(['pass', 'node', 'rewrite']).default('pass'),
  upstream_host: host().optional(),
  service_name: z.string().optional(),
  discovery_type: z.string().optional(),
  discovery_args: openObject.optional(),
};

/** Nodes and service discovery exclude each other. An empty list of nodes is present; an empty string is not. */
function hasOneSource(upstream: JsonObject): boolean {
  const nodes = upstream['nodes'] !== undefined;
  const type = upstream['discovery_type'] !== undefined && upstream['discovery_type'] !== '';
  const service = upstream['service_name'] !== undefined && upstream['service_name'] !== '';
  return nodes ? !type && !service : type && service;
}

const oneSource = {
  error: 'Upstream must either explicitly specify nodes or use service discovery and not both',
  when: ({ value }: { value: unknown }) => isJsonObject(value),
};

/** The default upstream of a service: no id of its own. */
export const upstreamSchema = z
  .strictObject(upstreamFields)
  .refine((upstream) => hasOneSource(upstream as JsonObject), oneSource);

/** An entry of a service's `upstreams`. */
export const namedUpstreamSchema = z
  .strictObject({
    id: id.optional(),
    ...upstreamFields,
    name: z.string().max(65_536).describe('The name, unique in its service.'),
  })
  .refine((upstream) => hasOneSource(upstream as JsonObject), oneSource);

/** An entry of the top-level `upstreams`: shared, and referred to by `upstream_id`. */
export const sharedUpstreamSchema = z
  .strictObject({ id: id.optional(), ...upstreamFields, name })
  .refine((upstream) => hasOneSource(upstream as JsonObject), oneSource);
