import type { JsonObject } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import { resourceKey, type Resource, type ResourceKey, type State } from '../../model/resource.js';
import type { Projection } from '../backend.js';
import type { Features } from './features.js';
import { withHeaderName } from './upstream.js';
import { asObject, asText, isEmptyTable, omit } from './values.js';

/** What a stream route is refused with before gateways let it belong to a service. */
const noStreamRoutes =
  'The stream routes on versions below 3.7.0 are not supported as they are not supported configured on the service.';

/** What a credential is refused with before gateways have credentials. */
const noCredentials = 'The consumer credentials are only supported in Apache APISIX version 3.11 and above.';

/**
 * What of a desired state this gateway can store. Dropped with a warning: `path_prefix`, the name of a default upstream,
 * labels of stream routes where they have none. Refused: credentials and stream routes before their version. Written in
 * the form that reads back, without a word: an enabled status, empty host lists.
 *
 * @param current what the gateway holds; a service that refers to its own id as a shared upstream is resolved against it
 */
export function project(desired: State, current: State, features: Features): Projection {
  const notices: Notice[] = [];
  const unsupported = new Map<ResourceKey, string>();
  const stored = new Map<ResourceKey, Resource>();
  const context: Context = { desired, current, features, notices };
  for (const resource of desired.resources.values()) {
    const reason = refusal(resource, features);
    if (reason !== undefined) {
      unsupported.set(resource.key, reason);
      continue;
    }
    const body = projectBody(resource, context);
    if (body !== resource.body) stored.set(resource.key, { ...resource, body });
  }
  if (stored.size === 0 && unsupported.size === 0) return { state: desired, notices, unsupported };
  const resources = new Map<ResourceKey, Resource>();
  for (const [key, resource] of desired.resources) {
    if (!unsupported.has(key)) resources.set(key, stored.get(key) ?? resource);
  }
  return { state: { resources }, notices, unsupported };
}

function refusal({ kind }: Resource, features: Features): string | undefined {
  if (kind === 'stream_route' && !features.has('stream_routes')) return noStreamRoutes;
  if (kind === 'consumer_credential' && !features.has('credentials')) return noCredentials;
  return undefined;
}

interface Context {
  readonly desired: State;
  readonly current: State;
  readonly features: Features;
  readonly notices: Notice[];
}

function projectBody(resource: Resource, context: Context): JsonObject {
  const body = withoutEmptyLists(resource.body);
  switch (resource.kind) {
    case 'service':
      return projectService(resource, body, context);
    case 'upstream':
      return withKnownHeaders(body);
    case 'route':
      // Enabled is what an absent status means, and what is read back as such.
      return body['status'] === 1 ? omit(body, ['status']) : body;
    case 'stream_route':
      return projectStreamRoute(resource, body, context);
    default:
      return body;
  }
}

function withoutEmptyLists(body: JsonObject): JsonObject {
  return isEmptyTable(body['hosts']) || isEmptyTable(body['remote_addrs'])
    ? omit(
        body,
        ['hosts', 'remote_addrs'].filter((field) => isEmptyTable(body[field])),
      )
    : body;
}

function withKnownHeaders(upstream: JsonObject): JsonObject {
  const checks = upstream['checks'];
  const known = checks === undefined ? undefined : withHeaderName(checks);
  return known === undefined || known === checks ? upstream : { ...upstream, checks: known };
}

function projectService(resource: Resource, body: JsonObject, context: Context): JsonObject {
  const prefixes = ['path_prefix', 'strip_path_prefix'].filter((field) => body[field] !== undefined);
  for (const field of prefixes) warn(context, resource, `"${field}" does not exist on Apache APISIX and is left out`);
  const service = resolveOwnReference(resource, omit(body, prefixes), context);
  const upstream = asObject(service['upstream']);
  if (upstream === undefined) return service;
  if (upstream['name'] !== undefined && upstream['name'] !== body['name']) {
    warn(context, resource, 'the name of a default upstream is that of its service; "upstream.name" is left out');
  }
  const stored = withKnownHeaders(omit(upstream, ['name']));
  return stored === upstream ? service : { ...service, upstream: stored };
}

/**
 * A service that refers to its own id has that upstream as its own, unless the upstream says that it is shared, or the
 * file does.
 */
function resolveOwnReference(resource: Resource, service: JsonObject, { desired, current }: Context): JsonObject {
  if (asText(service['upstream_id']) !== resource.id) return service;
  const own = asObject(current.resources.get(resource.key)?.body['upstream']);
  if (own === undefined || desired.resources.has(resourceKey('upstream', resource.id))) return service;
  return { ...omit(service, ['upstream_id']), upstream: own };
}

function projectStreamRoute(resource: Resource, body: JsonObject, context: Context): JsonObject {
  if (context.features.has('stream_route_name') || context.features.has('stream_route_labels')) return body;
  if (body['labels'] !== undefined) warn(context, resource, 'stream routes have no labels on this version; left out');
  return { ...omit(body, ['labels']), name: resource.id };
}

function warn({ notices }: Context, resource: Resource, message: string): void {
  notices.push({ level: 'warning', message: `${resource.kind} "${resource.name}": ${message}`, key: resource.key });
}
