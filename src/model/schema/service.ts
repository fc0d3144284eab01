import * as z from 'zod';
import { isJsonObject } from '../json.js';
import {
  addressOrRange,
  anyInt,
  anything,
  description,
  host,
  id,
  int,
  labels,
  name,
  plugins,
  port,
  reference,
  timeout,
} from './scalars.js';
import { namedUpstreamSchema, upstreamSchema } from './upstream.js';

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'] as const;

/** A cross-field rule is looked at even where other fields are wrong, so that every problem is reported at once. */
const always = { when: ({ value }: { value: unknown }) => isJsonObject(value) };

/** An HTTP route of a service. */
export const routeSchema = z.strictObject({
  id: id.optional(),
  name,
  description: description.optional(),
  labels: labels.optional(),
  hosts: z.array(host()).optional(),
  uris: z.array(z.string()).min(1).describe('Paths; `*` at the end matches any rest.'),
  priority: anyInt().optional(),
  timeout: timeout.optional(),
  vars: z.array(anything).optional().describe('Conditions on variables of the request.'),
  methods: z.array(z.enum(methods)).min(1).optional(),
  enable_websocket: z.boolean().optional(),
  remote_addrs: z.array(addressOrRange).optional(),
  plugins: plugins.optional(),
  filter_func: z.string().optional(),
  status: int(0, 1).optional().describe('1 is enabled (what a gateway takes an absent value for), 0 is disabled.'),
  upstream_id: reference('an upstream').optional(),
  plugin_config_id: reference('a plugin config').optional(),
});

/** A TCP or UDP route of a service. */
export const streamRouteSchema = z.strictObject({
  id: id.optional(),
  name,
  description: description.optional(),
  labels: labels.optional(),
  plugins: plugins.optional(),
  remote_addr: z.string().optional(),
  server_addr: z.string().optional(),
  server_port: port().optional(),
  sni: host().optional(),
  upstream_id: reference('an upstream').optional(),
});

/** A service with what belongs to it. */
export const serviceSchema = z
  .strictObject({
    id: id.optional(),
    name,
    description: description.optional(),
    labels: labels.optional(),
    upstream: upstreamSchema.optional().describe('The default upstream.'),
    upstreams: z.array(namedUpstreamSchema).optional().describe('Further upstreams, for plugins to choose from.'),
    upstream_id: reference('an upstream').optional(),
    plugins: plugins.optional(),
    path_prefix: z.string().optional(),
    strip_path_prefix: z.boolean().optional(),
    hosts: z.array(host()).optional(),
    routes: z.array(routeSchema).optional(),
    stream_routes: z.array(streamRouteSchema).optional(),
  })
  .refine((service) => !(Array.isArray(service.routes) && Array.isArray(service.stream_routes)), {
    error: 'HTTP routes and Stream routes are mutually exclusive and should not exist in the same service',
    ...always,
  })
  .refine(({ path_prefix: prefix }) => typeof prefix !== 'string' || prefix === '' || prefix.startsWith('/'), {
    error: 'Path prefix must start with "/"',
    ...always,
  })
  .refine(
    (service) => service.upstreams === undefined || service.upstream !== undefined || service.upstream_id !== undefined,
    {
      error: 'The default upstream must be set with "upstream" when multiple upstreams are set via "upstreams"',
      ...always,
    },
  )
  .refine((service) => service.upstream === undefined || service.upstream_id === undefined, {
    error: '"upstream" and "upstream_id" exclude each other; write one of them',
    ...always,
  });
