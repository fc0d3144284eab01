import { expect } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { parentIdOf, type Resource, type State } from '../../src/model/resource.js';
import { pathOf, type RawObjects } from './stored.js';

/** How exact the stored objects are known. */
export interface Expected {
  /** Objects that stand beside what the file says, by path. */
  readonly beside: ReadonlySet<string>;
  /**
   * Tells whether a service may hold its upstream inside, or use a shared one that is equal: because it was made by
   * others, or because its place among the upstreams was taken. Default: none may.
   */
  readonly mayLackOwnUpstream?: (serviceId: string) => boolean;
  /** Tells whether stored values are compared; others may have left out what is the default. Default: yes. */
  readonly comparesValues?: boolean;
  /** Fields that no configuration can hold, and that objects of others keep. */
  readonly mayKeep?: readonly string[];
  /** Objects that refer to something that is not there. Default: none may. */
  readonly orphans?: ReadonlySet<string>;
  /**
   * Whether the upstream that a service left to those who use it may stand by itself: once a file has it, it is marked as
   * shared. Default: no.
   */
  readonly mayBeMarked?: boolean;
  /** Tells whether an object may be left over. Default: none may. */
  readonly mayRemain?: (path: string, value: JsonObject) => boolean;
}

/**
 * Holds what is stored against what is wanted, without the tool's own mapping: every object is there with every field
 * that the file gives, none too many, and no reference leads nowhere.
 */
export function expectStored(
  raw: RawObjects,
  state: State,
  {
    beside,
    mayLackOwnUpstream = () => false,
    mayRemain = () => false,
    mayKeep = [],
    comparesValues = true,
    orphans = new Set(),
  }: Expected,
): void {
  const wanted = new Set<string>(beside);
  const rules = new Map<string, JsonObject>();
  const problems: string[] = [];
  for (const resource of state.resources.values()) {
    if (resource.kind === 'global_rule') {
      rules.set(resource.id, resource.body);
      continue;
    }
    const path = pathOf(resource);
    wanted.add(path);
    const stored = raw.get(path);
    if (stored === undefined) {
      problems.push(`${path} is missing`);
      continue;
    }
    const parts = partsOf(resource);
    for (const [field, content] of Object.entries(parts)) {
      if (comparesValues && !holds(stored[field], content))
        problems.push(`${path} has ${field} ${JSON.stringify(stored[field])}, not ${JSON.stringify(content)}`);
    }
    const extra = Object.keys(stored).filter(
      (field) =>
        !(field in parts) && !filledIn.has(field) && !mayKeep.includes(field) && !isEmpty(stored[field] ?? null),
    );
    if (resource.kind !== 'plugin_metadata' && extra.length > 0)
      problems.push(`${path} has ${extra.join(', ')} besides`);
    if (resource.kind !== 'service' || resource.body['upstream'] === undefined) continue;
    const own = `upstreams/${resource.id}`;
    const inline = stored['upstream'];
    const lacksOwn = isJsonObject(inline ?? null) || stored['upstream_id'] !== resource.id;
    if (lacksOwn && mayLackOwnUpstream(resource.id)) continue;
    wanted.add(own);
    if (stored['upstream_id'] !== resource.id) problems.push(`${path} does not refer to its own upstream`);
    const { name: _name, ...upstream } = resource.body['upstream'] as Record<string, Json>;
    for (const [field, content] of Object.entries(upstreamParts(upstream))) {
      if (comparesValues && !holds(raw.get(own)?.[field], content))
        problems.push(`${own} has ${field} ${JSON.stringify(raw.get(own)?.[field])}, not ${JSON.stringify(content)}`);
    }
  }
  const plugins = new Map<string, Json>();
  for (const [path, value] of raw) {
    if (!path.startsWith('global_rules/')) {
      if (!wanted.has(path) && !mayRemain(path, value)) problems.push(`${path} is left over: ${JSON.stringify(value)}`);
    } else if (!beside.has(path))
      for (const [name, config] of Object.entries(value['plugins'] as JsonObject)) plugins.set(name, config);
  }
  for (const [name, config] of rules)
    if (comparesValues ? !holds(plugins.get(name), config) : !plugins.has(name))
      problems.push(`the rule of ${name} is ${JSON.stringify(plugins.get(name))}, not ${JSON.stringify(config)}`);
  for (const name of plugins.keys()) if (!rules.has(name)) problems.push(`the rule of ${name} is left over`);
  problems.push(...dangling(raw).filter((problem) => !orphans.has(problem.split(' ')[0] ?? '')));
  expect(problems).toEqual([]);
}

/** What gateways add, and what the tool adds for itself. */
const filledIn = new Set([
  'id',
  'create_time',
  'update_time',
  'modifiedIndex',
  'status',
  'priority',
  'type',
  'hash_on',
  'scheme',
  'pass_host',
  'upstream_id',
  'upstream',
  'labels',
  'name',
  'service_id',
  'validity_start',
  'validity_end',
  'key',
  'keys',
  'username',
  'nodes',
]);

/** The fields of an object that follow from a resource. */
function partsOf(resource: Resource): JsonObject {
  const { kind, body } = resource;
  const { upstream: _upstream, type, config, certificates, ...rest } = body as Record<string, Json>;
  const parent = parentIdOf(resource);
  const common = kind === 'upstream' ? upstreamParts(body) : withAdminNames(rest);
  switch (kind) {
    case 'route':
    case 'stream_route':
      return { ...common, service_id: parent ?? '' };
    case 'consumer_credential':
      return { ...common, plugins: { [type as string]: config ?? {} } };
    case 'ssl': {
      const [first, ...more] = (certificates as readonly JsonObject[]).map((pair) => pair['certificate'] ?? '');
      return { ...common, type: type ?? 'server', cert: first ?? '', ...(more.length > 0 ? { certs: more } : {}) };
    }
    case 'plugin_metadata':
      return body;
    default:
      return common;
  }
}

function upstreamParts(body: JsonObject): JsonObject {
  const { checks, tls, ...rest } = body as Record<string, Json>;
  const { client_key: _key, ...shown } = isJsonObject(tls ?? null) ? (tls as Record<string, Json>) : {};
  return {
    ...withAdminNames(rest),
    ...(checks === undefined ? {} : { checks }),
    ...(tls === undefined ? {} : { tls: shown }),
  };
}

function withAdminNames(body: Readonly<Record<string, Json>>): JsonObject {
  const { description, labels, name: _name, hosts, ...rest } = body;
  return {
    ...rest,
    ...(description === undefined ? {} : { desc: description }),
    ...(Array.isArray(hosts) && hosts.length > 0 ? { hosts } : {}),
    ...(labels === undefined
      ? {}
      : {
          labels: Object.fromEntries(
            Object.entries(labels as JsonObject).map(([key, value]) => [
              key,
              Array.isArray(value) ? JSON.stringify(value) : value,
            ]),
          ),
        }),
  };
}

/** Tells whether a stored value is the wanted one, perhaps with more fields inside. */
function holds(stored: Json | undefined, wanted: Json): boolean {
  if (isEmpty(wanted)) return stored === undefined || isEmpty(stored) || isJsonObject(stored);
  if (Array.isArray(wanted)) {
    const list = wanted as readonly Json[];
    if (!Array.isArray(stored) || stored.length !== list.length) return false;
    return list.every((item, index) => holds((stored as readonly Json[])[index], item));
  }
  if (!isJsonObject(wanted)) return stored === wanted;
  return (
    isJsonObject(stored ?? null) &&
    Object.entries(wanted).every(([key, item]) => holds((stored as JsonObject)[key], item))
  );
}

function isEmpty(value: Json): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}

const references: readonly (readonly [field: string, collection: string])[] = [
  ['service_id', 'services'],
  ['upstream_id', 'upstreams'],
  ['plugin_config_id', 'plugin_configs'],
  ['group_id', 'consumer_groups'],
];

/** References to what is not there. */
export function dangling(raw: RawObjects): readonly string[] {
  const found: string[] = [];
  for (const [path, value] of raw) {
    for (const [field, collection] of references) {
      const id = value[field] as string | number | undefined;
      if (id !== undefined && !raw.has(`${collection}/${id}`)) found.push(`${path} refers to ${collection}/${id}`);
    }
    const [collection, username] = path.split('/');
    if (path.includes('/credentials/') && !raw.has(`${collection}/${username}`)) found.push(`${path} has no consumer`);
    const split = (value['plugins'] as JsonObject | undefined)?.['traffic-split'] as JsonObject | undefined;
    for (const rule of (split?.['rules'] as readonly JsonObject[] | undefined) ?? []) {
      for (const weighted of (rule['weighted_upstreams'] as readonly JsonObject[] | undefined) ?? []) {
        const id = weighted['upstream_id'] as string | number | undefined;
        if (id !== undefined && !raw.has(`upstreams/${id}`)) found.push(`${path} splits to upstreams/${id}`);
      }
    }
  }
  return found;
}

/** Every pair of a certificate and its key that documents hold, to fill in where a gateway hides the key. */
export class Keys {
  readonly #keys = new Map<string, string>();

  collect(value: Json): void {
    if (Array.isArray(value)) for (const item of value as readonly Json[]) this.collect(item);
    if (!isJsonObject(value)) return;
    for (const [certificate, key] of pairs) {
      const [text, secret] = [value[certificate], value[key]];
      if (typeof text === 'string' && typeof secret === 'string') this.#keys.set(text, secret);
    }
    for (const item of Object.values(value)) this.collect(item);
  }

  fill(value: Json): Json {
    if (Array.isArray(value)) return (value as readonly Json[]).map((item) => this.fill(item));
    if (!isJsonObject(value)) return value;
    const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item)]));
    for (const [certificate, key] of pairs) {
      const text = value[certificate];
      const secret = typeof text === 'string' ? this.#keys.get(text) : undefined;
      if (secret !== undefined) filled[key] = secret;
    }
    return filled;
  }
}

const pairs = [
  ['certificate', 'key'],
  ['client_cert', 'client_key'],
] as const;
