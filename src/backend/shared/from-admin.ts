import type { JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { nameLabel } from '../../model/labels.js';
import type { Notice } from '../../model/notice.js';
import { referenceKey, referencesIn, type Reference } from '../../model/references.js';
import { parentIdOf, resourceKey, type Resource, type ResourceKey, type State } from '../../model/resource.js';
import type { AdminObject, Collection } from './collections.js';
import type { Features } from './features.js';
import { withClientDefaults } from './format-defaults.js';
import { labelsFromAdmin, nameFromLabel } from './labels.js';
import { hasTarget, mayBeLeftover, ownerOf, ownsUpstream } from './upstream-roles.js';
import { hidesClientKey, upstreamFromAdmin } from './upstream.js';
import { asList, asObject, asText, isSame, type Draft } from './values.js';

/** What a gateway stores, by collection. */
export type AdminObjects = Readonly<Record<Collection, readonly AdminObject[]>>;

/** A gateway's objects as resources, and what among them is none. */
export interface Translation {
  readonly state: State;
  readonly notices: readonly Notice[];
}

/** The plugins whose credentials the format can hold. */
const credentialTypes: readonly string[] = ['key-auth', 'basic-auth', 'jwt-auth', 'hmac-auth'];

/**
 * Everything a gateway stores as a state. The order is that of kinds, then of ids, whatever order the gateway gave. What
 * the format cannot hold is said in notices: whole resources (routes outside services, credentials of other plugins) are
 * part of the state and {@link State.outside}, single fields (inline upstreams of routes) are left out.
 */
export function fromAdmin(objects: AdminObjects, features: Features): Translation {
  const notices: Notice[] = [];
  const resources = new Map<ResourceKey, Resource>();
  const outside = new Map<ResourceKey, string>();
  const references = new Map<ResourceKey, readonly ResourceKey[]>();
  const leftovers = new Map<ResourceKey, ResourceKey>();
  const add = (kind: Kind, id: string, name: string, body: JsonObject, parent?: ResourceKey): ResourceKey => {
    const parentId = kind === 'consumer_credential' && parent !== undefined ? parentIdOf({ parent }) : undefined;
    const key = resourceKey(kind, id, parentId);
    resources.set(key, parent === undefined ? { kind, key, id, name, body } : { kind, key, id, name, parent, body });
    return key;
  };
  const addOutside = (key: ResourceKey, what: string, why: string, omits: string): void => {
    outside.set(key, why);
    notices.push({ level: 'info', message: `${what} is not managed: ${why}`, key, omits });
  };
  const refer = (key: ResourceKey, found: readonly Reference[], parent?: ResourceKey): void => {
    if (found.length === 0) return;
    const targets = found.map(referenceKey).filter((target) => target !== parent);
    if (targets.length > 0) references.set(key, targets);
  };
  const each = (collection: Collection, visit: (id: string, value: JsonObject, parent?: string) => void): void => {
    const ordered = objects[collection].toSorted(byId);
    for (const { id, value, parent } of ordered) visit(id, value, parent);
  };
  const services = new Map(objects.services.map((service) => [service.id, service]));
  const upstreams = new Map(objects.upstreams.map(({ id, value }) => [id, value]));

  each('services', (id, value) => {
    const body = serviceBody(id, value, upstreams);
    const key = add('service', id, asText(body['name']) ?? id, body);
    reportUnmanagedFields(notices, 'service', id, value);
    const upstream = storedUpstream(id, value, upstreams);
    const others = upstream === undefined ? [] : referencesIn('upstream', upstream);
    refer(key, others.length === 0 ? referencesIn('service', value) : [...referencesIn('service', value), ...others]);
    if (upstream !== undefined && upstream === upstreams.get(id)) {
      const own = referencesIn('upstream', upstream).map(referenceKey);
      if (own.length > 0) references.set(resourceKey('upstream', id), own);
    }
    if (upstream !== undefined && hidesClientKey(upstream)) {
      notices.push(hiddenKey(`the upstream of service "${id}"`, resourceKey('service', id)));
    }
  });
  each('upstreams', (id, value) => {
    if (ownsUpstream(services.get(id), value)) return;
    if (hidesClientKey(value)) notices.push(hiddenKey(`upstream "${id}"`, resourceKey('upstream', id)));
    const owner = ownerOf(value);
    const name = asText(value['name']) ?? id;
    const service = owner === undefined ? undefined : services.get(owner);
    const isNested = service !== undefined && hasTarget(service, upstreams.has(service.id));
    const parent = isNested ? resourceKey('service', service.id) : undefined;
    const key = add('upstream', id, name, { name, ...upstreamFromAdmin(value) }, parent);
    refer(key, referencesIn('upstream', value), parent);
    if (parent !== undefined || !references.has(key)) return;
    const alike = services.get(id);
    const isNamedAlike = alike === undefined || asText(alike.value['name']) === asText(value['name']);
    const isOurs = owner !== undefined || (isNamedAlike && mayBeLeftover({ id, value }));
    if (isOurs) leftovers.set(key, resourceKey('service', owner ?? id));
  });
  const addRoute = (kind: 'route' | 'stream_route', id: string, value: JsonObject, body: JsonObject): void => {
    const service = kind === 'route' || features.has('stream_routes') ? asText(value['service_id']) : undefined;
    const parent = service === undefined ? undefined : resourceKey('service', service);
    const key = add(kind, id, asText(body['name']) ?? id, body, parent);
    refer(key, referencesIn(kind, value), parent);
    if (service !== undefined && services.has(service)) {
      reportUnmanagedFields(notices, kind, id, value);
      return;
    }
    const word = kind === 'route' ? 'route' : 'stream route';
    const why = service === undefined ? 'it belongs to no service' : `its service "${service}" does not exist`;
    addOutside(key, `${word} "${id}"`, why, `${word}s outside services`);
    reportKeptFields(notices, kind, id, value);
  };
  each('routes', (id, value) => addRoute('route', id, value, routeBody(id, value)));
  each('stream_routes', (id, value) => addRoute('stream_route', id, value, streamRouteBody(id, value)));
  each('ssls', (id, value) => {
    const body = sslBody(value);
    const snis = (asList(body['snis']) ?? []).map(String);
    add('ssl', id, snis.length === 0 ? id : snis.join(','), body);
    reportUnmanagedFields(notices, 'ssl', id, value);
  });
  each('consumers', (id, value) =>
    refer(add('consumer', id, id, consumerBody(id, value)), referencesIn('consumer', value)),
  );
  const consumers = new Set(objects.consumers.map(({ id }) => id));
  each('credentials', (id, value, consumer = '') => {
    const body = credentialBody(id, value);
    const parent = resourceKey('consumer', consumer);
    const key = add('consumer_credential', id, asText(body['name']) ?? id, body, parent);
    refer(key, referencesIn('consumer_credential', value), parent);
    const what = `credential "${id}" of consumer "${consumer}"`;
    if (!consumers.has(consumer)) {
      addOutside(key, what, `its consumer "${consumer}" does not exist`, 'credentials of missing consumers');
    } else if (!credentialTypes.includes(asText(body['type']) ?? '')) {
      addOutside(key, what, 'it is of no plugin a configuration can name', 'credentials of other plugins');
    }
  });
  each('consumer_groups', (id, value) => addNamed('consumer_group', id, value));
  each('plugin_configs', (id, value) => addNamed('plugin_config', id, value));
  for (const [plugin, config] of mergeGlobalRules(objects.global_rules, notices)) {
    refer(add('global_rule', plugin, plugin, config), referencesIn('global_rule', { plugins: { [plugin]: config } }));
  }
  each('plugin_metadata', (id, value) => {
    const { id: _id, create_time: _created, update_time: _updated, ...body } = value;
    add('plugin_metadata', id, id, body);
  });
  const state: State = {
    resources,
    ...(outside.size === 0 ? {} : { outside }),
    ...(references.size === 0 ? {} : { references }),
    ...(leftovers.size === 0 ? {} : { leftovers }),
  };
  return { state, notices };

  function addNamed(kind: 'consumer_group' | 'plugin_config', id: string, value: JsonObject): void {
    const body = describe(id, value);
    addPlugins(body, value);
    refer(add(kind, id, asText(body['name']) ?? id, body), referencesIn(kind, value));
  }
}

/**
 * The stored fields a configuration cannot mention, by kind. A change of the resource keeps them. A route's upstream, its
 * script and a disabled certificate are among them.
 */
export const unmanagedFields: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  service: ['script', 'enable_websocket'],
  route: ['upstream', 'script', 'script_id'],
  stream_route: ['upstream', 'protocol'],
  ssl: ['desc', 'ocsp_stapling'],
};

function reportUnmanagedFields(notices: Notice[], kind: Kind, id: string, value: JsonObject): void {
  const unmanaged = unmanagedFields[kind];
  const isDisabled = kind === 'ssl' && value['status'] === 0;
  if (!isDisabled && unmanaged?.some((field) => value[field] !== undefined) !== true) return;
  const found = (unmanaged ?? []).filter((field) => value[field] !== undefined);
  const fields = [...found.map((field) => `"${field}"`), ...(isDisabled ? ['"status": 0'] : [])];
  const message = `${kind} "${id}" has ${fields.join(', ')}, which a configuration cannot hold; left as it is`;
  notices.push({ level: 'info', message, key: resourceKey(kind, id), omits: `fields of ${kind}s` });
}

/** For whoever takes a route over: what it would keep. */
function reportKeptFields(notices: Notice[], kind: 'route' | 'stream_route', id: string, value: JsonObject): void {
  const found = (unmanagedFields[kind] ?? []).filter((field) => value[field] !== undefined);
  if (found.length === 0) return;
  const fields = found.map((field) => `"${field}"`).join(', ');
  const message = `${kind} "${id}" keeps ${fields}, which a configuration cannot hold`;
  notices.push({ level: 'warning', message, key: resourceKey(kind, id), onTakeOver: true });
}

function hiddenKey(what: string, key: ResourceKey): Notice {
  const message = `the client key of ${what} cannot be read from the gateway; fill it in where the upstream is configured`;
  return { level: 'info', message, key };
}

function byId(a: AdminObject, b: AdminObject): number {
  if (a.parent !== b.parent) return (a.parent ?? '') < (b.parent ?? '') ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Name (the id where there is none), description and labels. */
function describe(id: string, value: JsonObject): Draft {
  const name = asText(value['name']);
  if (name !== undefined) return describeUnnamed(value, { name });
  const label = asText(asObject(value['labels'])?.[nameLabel]);
  return describeUnnamed(value, { name: label === undefined ? id : nameFromLabel(label) });
}

/** Adds description and labels to a body. */
function describeUnnamed(value: JsonObject, body: Draft): Draft {
  if (value['desc'] !== undefined) body['description'] = value['desc'];
  const labels = labelsFromAdmin(value['labels'], [nameLabel]);
  if (labels !== undefined) body['labels'] = labels;
  return body;
}

function serviceBody(id: string, value: JsonObject, upstreams: ReadonlyMap<string, JsonObject>): JsonObject {
  const body = describe(id, value);
  addLists(body, value, serviceLists);
  addPlugins(body, value);
  const reference = asText(value['upstream_id']);
  const stored = storedUpstream(id, value, upstreams);
  const isDangling = reference === id && !upstreams.has(id);
  if (stored !== undefined) body['upstream'] = upstreamFromAdmin(stored);
  else if (reference !== undefined && !isDangling) body['upstream_id'] = reference;
  return body;
}

/**
 * What a service has as its own: the upstream of its id, or the one inside it. A gateway prefers `upstream_id` where both
 * stand; one that dangles on the service's own id is no upstream at all.
 */
function storedUpstream(
  id: string,
  value: JsonObject,
  upstreams: ReadonlyMap<string, JsonObject>,
): JsonObject | undefined {
  const own = upstreams.get(id);
  if (value['upstream_id'] !== undefined && !ownsUpstream({ id, value }, own)) return undefined;
  return (value['upstream_id'] === undefined ? undefined : own) ?? asObject(value['upstream']);
}

/** Lists by their plural names, with the singular that may stand in their place. */
type ListNames = readonly (readonly [plural: string, singular?: string])[];

const serviceLists: ListNames = [['hosts']];
const routeLists: ListNames = [['uris', 'uri'], ['hosts', 'host'], ['remote_addrs', 'remote_addr'], ['methods']];
const sslLists: ListNames = [['snis', 'sni'], ['ssl_protocols']];
const routeFields = ['vars', 'filter_func', 'enable_websocket', 'priority', 'timeout'];
const streamRouteFields = ['remote_addr', 'server_addr', 'server_port', 'sni'];

function routeBody(id: string, value: JsonObject): JsonObject {
  const body = describe(id, value);
  addLists(body, value, routeLists);
  addSame(body, value, routeFields);
  addPlugins(body, value);
  addReference(body, value, 'upstream_id');
  addReference(body, value, 'plugin_config_id');
  if (value['status'] === 0) body['status'] = 0;
  return body;
}

function streamRouteBody(id: string, value: JsonObject): JsonObject {
  const body = describe(id, value);
  addSame(body, value, streamRouteFields);
  addPlugins(body, value);
  addReference(body, value, 'upstream_id');
  return body;
}

function sslBody(value: JsonObject): JsonObject {
  const body = describeUnnamed({ labels: value['labels'] ?? {} }, {});
  body['type'] = value['type'] ?? 'server';
  addLists(body, value, sslLists);
  const certificates = [value['cert'], ...(asList(value['certs']) ?? [])]
    .filter((certificate) => certificate !== undefined)
    .map((certificate) => ({ certificate }));
  if (certificates.length > 0) body['certificates'] = certificates;
  const client = asObject(value['client']);
  if (client !== undefined) body['client'] = withClientDefaults(client);
  return body;
}

function consumerBody(id: string, value: JsonObject): JsonObject {
  const body = describeUnnamed(value, { username: id });
  addPlugins(body, value);
  addReference(body, value, 'group_id');
  return body;
}

function credentialBody(id: string, value: JsonObject): JsonObject {
  const [type, config] = Object.entries(asObject(value['plugins']) ?? {})[0] ?? [];
  if (type === undefined) return describe(id, value);
  // What of a plugin's settings is secret is not known of those that no configuration can name: they are shown to nobody.
  const known = credentialTypes.includes(type) ? { config: asObject(config) ?? {} } : {};
  return { ...describe(id, value), type, ...known };
}

/** Every plugin of every rule. Where several rules hold a plugin the last one wins, and it is said. */
function mergeGlobalRules(rules: readonly AdminObject[], notices: Notice[]): ReadonlyMap<string, JsonObject> {
  const merged = new Map<string, JsonObject>();
  for (const { id, value } of rules.toSorted(byId)) {
    for (const [plugin, content] of Object.entries(asObject(value['plugins']) ?? {})) {
      const config = asObject(content) ?? {};
      const other = merged.get(plugin);
      if (other !== undefined && !isSame(other, config)) {
        const message = `plugin "${plugin}" stands in several global rules with different settings; those of rule "${id}" are shown, and a change is made in all`;
        notices.push({ level: 'warning', message, key: resourceKey('global_rule', plugin) });
      }
      merged.set(plugin, config);
    }
  }
  return new Map([...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Adds the plugins. A configuration of which all is default may be stored as an empty list. */
function addPlugins(body: Draft, value: JsonObject): void {
  const stored = asObject(value['plugins']);
  if (stored === undefined) return;
  const isShaped = Object.values(stored).every((config) => !Array.isArray(config));
  body['plugins'] = isShaped
    ? stored
    : Object.fromEntries(Object.entries(stored).map(([name, config]) => [name, asObject(config) ?? config]));
}

/** Lists that a file must not have empty, where a gateway takes an empty one for none. */
const absentWhenEmpty: ReadonlySet<string> = new Set(['methods', 'ssl_protocols']);

/** Adds lists under their plural names; the singular form becomes a list of one, and wins where both are set. */
function addLists(body: Draft, value: JsonObject, names: ListNames): void {
  for (const [plural, singular] of names) {
    const one = singular === undefined ? undefined : value[singular];
    const list = one === undefined ? asList(value[plural]) : [one];
    if (list !== undefined && !(list.length === 0 && absentWhenEmpty.has(plural))) body[plural] = list;
  }
}

/** Adds fields as they are. */
function addSame(body: Draft, value: JsonObject, fields: readonly string[]): void {
  for (const field of fields) {
    const content = value[field];
    if (content !== undefined) body[field] = content;
  }
}

/** Adds a reference as a text: an id may be stored as an integer. */
function addReference(body: Draft, value: JsonObject, field: string): void {
  const id = asText(value[field]);
  if (id !== undefined) body[field] = id;
}
