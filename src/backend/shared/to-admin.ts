import type { Json, JsonObject } from '../../model/json.js';
import { nameLabel, sharedLabel, upstreamServiceLabel } from '../../model/labels.js';
import { parentIdOf, type Resource } from '../../model/resource.js';
import { collectionOf, type AdminObject } from './collections.js';
import type { Features } from './features.js';
import { labelsToAdmin, nameToLabel } from './labels.js';
import { upstreamToAdmin } from './upstream.js';
import { asList, asObject, asText, isEmptyTable, type Draft } from './values.js';

/**
 * A resource as the Admin API stores it: one object, or two for a service with a default upstream (the upstream first).
 * Values are what a PUT takes: those of named and shared upstreams, stream routes, groups, plugin configs and global
 * rules carry no `id`, because the path says it. Fields that the format does not know pass, for the gateway to judge.
 *
 * @param upstreamInside whether a service holds its upstream inside, because another upstream has the service's id
 */
export function toAdmin(resource: Resource, features: Features, upstreamInside = false): readonly AdminObject[] {
  const { kind, id } = resource;
  const object = (value: JsonObject, parent?: string): AdminObject => ({
    collection: collectionOf[kind],
    id,
    ...(parent === undefined ? {} : { parent }),
    value,
  });
  switch (kind) {
    case 'service':
      return serviceToAdmin(resource, upstreamInside);
    case 'upstream':
      return [object(upstreamBesideService(resource))];
    case 'route':
      return [object(routeToAdmin(resource))];
    case 'stream_route':
      return [object(streamRouteToAdmin(resource, features))];
    case 'ssl':
      return [object(sslToAdmin(resource))];
    case 'consumer':
      return [object(common(resource.body, { username: id }))];
    case 'consumer_credential':
      return [object(credentialToAdmin(resource), parentIdOf(resource) ?? '')];
    case 'consumer_group':
      return [object(named(resource.body, features.has('consumer_group_name')))];
    case 'plugin_config':
      return [object(named(resource.body, features.has('plugin_config_name')))];
    case 'global_rule':
      return [object({ plugins: { [id]: resource.body } })];
    case 'plugin_metadata':
    default:
      return [object(resource.body)];
  }
}

/** Fields where an empty list means the same as no list, and where gateways refuse an empty one. */
const neverEmpty = new Set(['hosts', 'remote_addrs']);

/**
 * `description` and `labels` under the gateway's names and in its form; everything else as it is.
 *
 * @param value what the fields are added to
 * @param left fields that are left out
 */
function common(body: JsonObject, value: Draft = {}, left?: ReadonlySet<string>): Draft {
  for (const field of Object.keys(body)) {
    const content = body[field];
    if (content === undefined || left?.has(field) === true) continue;
    if (field === 'description') value['desc'] = content;
    else if (field === 'labels') value['labels'] = labelsToAdmin(asObject(content) ?? {});
    else if (!(neverEmpty.has(field) && isEmptyTable(content))) value[field] = content;
  }
  return value;
}

/** As {@link common}, with the name in a label where the kind has no `name`. */
function named(body: JsonObject, hasName: boolean): Draft {
  const value = common(body);
  if (hasName) return value;
  const { name, ...rest } = value;
  return withLabel(rest, nameLabel, nameToLabel(asText(name) ?? ''));
}

/** What a service's own object does not hold, or not as it stands in the file. */
const notOfService = new Set(['path_prefix', 'strip_path_prefix', 'upstream']);

function serviceToAdmin({ id, body }: Resource, upstreamInside: boolean): readonly AdminObject[] {
  const value = common(body, { id }, notOfService);
  const service: AdminObject = { collection: 'services', id, value };
  const content = asObject(body['upstream']);
  if (content === undefined) return [service];
  const upstream = upstreamToAdmin(content);
  if (upstreamInside) {
    value['upstream'] = upstream;
    return [service];
  }
  value['upstream_id'] = id;
  upstream['id'] = id;
  const name = asText(body['name']);
  if (name !== undefined) upstream['name'] = name;
  return [{ collection: 'upstreams', id, value: upstream }, service];
}

/** A named upstream says whose it is, a shared one that it is shared: the default upstream of a service says neither. */
function upstreamBesideService(resource: Resource): JsonObject {
  const value = upstreamToAdmin(resource.body);
  const owner = parentIdOf(resource);
  return owner === undefined ? withLabel(value, sharedLabel, 'true') : withLabel(value, upstreamServiceLabel, owner);
}

function withLabel(value: JsonObject, label: string, content: string): Draft {
  return { ...value, labels: { ...asObject(value['labels']), [label]: content } };
}

function routeToAdmin(resource: Resource): JsonObject {
  const service = parentIdOf(resource);
  const value = common(resource.body, { id: resource.id, status: 1 });
  if (service !== undefined) value['service_id'] = service;
  return value;
}

function streamRouteToAdmin(resource: Resource, features: Features): JsonObject {
  const service = parentIdOf(resource);
  const { name: _name, ...rest } = common(resource.body);
  // Between 3.7, where stream routes got services, and 3.8, where they got labels, a name cannot be kept at all.
  const value =
    features.has('stream_route_name') || features.has('stream_route_labels')
      ? named(resource.body, features.has('stream_route_name'))
      : rest;
  return { ...value, ...(service === undefined ? {} : { service_id: service }) };
}

function sslToAdmin({ id, body }: Resource): JsonObject {
  const { certificates, ...rest } = body;
  const pairs = (asList(certificates) ?? []).map((pair) => asObject(pair) ?? {});
  const [first, ...others] = pairs;
  const keys = others.flatMap((pair) => (pair['key'] === undefined ? [] : [pair['key']]));
  return {
    id,
    status: 1,
    ...common(rest),
    ...field('cert', first?.['certificate']),
    ...field('key', first?.['key']),
    ...(others.length === 0 ? {} : { certs: others.map((pair) => pair['certificate'] ?? '') }),
    ...(keys.length === 0 ? {} : { keys }),
  };
}

/** They become the plugin. */
const notOfCredential = new Set(['type', 'config']);

function credentialToAdmin({ id, body }: Resource): JsonObject {
  const value = common(body, { id }, notOfCredential);
  const plugin = asText(body['type']);
  if (plugin !== undefined) value['plugins'] = { [plugin]: body['config'] ?? {} };
  return value;
}

function field(name: string, content: Json | undefined): JsonObject {
  return content === undefined ? {} : { [name]: content };
}
