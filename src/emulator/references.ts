import { idAt, isObject, objectAt, type JsonObject } from './json.js';
import type { Collection, Entry } from './store.js';

/** How an object names another: by a field of its own, or inside a plugin. */
export type How = 'field' | 'plugin';

/** One object using another. */
export interface Use {
  /** The collection of what is used. */
  readonly collection: Collection;
  /** The id of what is used. */
  readonly id: string;
  /** Who uses it. */
  readonly user: Entry;
  readonly how: How;
}

/** A key that a consumer is recognised by. */
export interface CredentialKey {
  readonly plugin: string;
  readonly key: string;
  readonly owner: Entry;
}

/** A reference in a request, and how a refusal names it. */
export interface Reference {
  readonly collection: Collection;
  readonly id: string;
  /** The word of the refusal: `failed to fetch {word} info by {word} id [x]`. */
  readonly word: string;
}

const referenceFields: readonly { readonly field: string; readonly collection: Collection; readonly word: string }[] = [
  { field: 'upstream_id', collection: 'upstreams', word: 'upstream' },
  { field: 'service_id', collection: 'services', word: 'service' },
  { field: 'plugin_config_id', collection: 'plugin_configs', word: 'plugin config' },
  { field: 'group_id', collection: 'consumer_groups', word: 'consumer group' },
];

/** The references of each collection that a write checks. Stream routes and routes name services; consumers their group. */
const checkedFields: Readonly<Partial<Record<Collection, readonly string[]>>> = {
  routes: ['upstream_id', 'service_id', 'plugin_config_id'],
  services: ['upstream_id'],
  stream_routes: ['upstream_id', 'service_id'],
  consumers: ['group_id'],
};

/** The references of an object that must exist when it is written, in the order in which they are checked. */
export function referencesOf(collection: Collection, value: JsonObject): readonly Reference[] {
  const fields = checkedFields[collection] ?? [];
  const direct = referenceFields.flatMap(({ field, collection: target, word }) => {
    const id = fields.includes(field) ? idAt(value, field) : undefined;
    return id === undefined ? [] : [{ collection: target, id, word }];
  });
  const upstream = collection === 'upstreams' ? value : objectAt(value, 'upstream');
  const cert = idAt(objectAt(upstream, 'tls'), 'client_cert_id');
  return cert === undefined ? direct : [...direct, { collection: 'ssls', id: cert, word: 'ssl' }];
}

/** What a stored object uses: the references that stand in the way of a delete. */
export function usesOf(entry: Entry): readonly Use[] {
  const fields = checkedFields[entry.collection] ?? [];
  const direct = referenceFields.flatMap(({ field, collection }): Use[] => {
    const id = fields.includes(field) ? idAt(entry.value, field) : undefined;
    return id === undefined ? [] : [{ collection, id, user: entry, how: 'field' }];
  });
  const plugins = entry.value['plugins'];
  return isObject(plugins) ? [...direct, ...usesOfPlugins(entry, plugins)] : direct;
}

function usesOfPlugins(user: Entry, plugins: JsonObject): readonly Use[] {
  const rules = objectAt(plugins, 'traffic-split')['rules'];
  const upstreams = (Array.isArray(rules) ? rules : []).flatMap((rule: unknown) => {
    const weighted = isObject(rule) ? rule['weighted_upstreams'] : undefined;
    return Array.isArray(weighted) ? weighted : [];
  });
  const ids = upstreams.flatMap((upstream: unknown) =>
    isObject(upstream) ? (idAt(upstream, 'upstream_id') ?? []) : [],
  );
  const proto = idAt(objectAt(plugins, 'grpc-transcode'), 'proto_id');
  return [
    ...[...new Set(ids)].map((id): Use => ({ collection: 'upstreams', id, user, how: 'plugin' })),
    ...(proto === undefined ? [] : [{ collection: 'protos', id: proto, user, how: 'plugin' } as const]),
  ];
}

/** The field of each authentication plugin that must be unique among consumers. */
const uniqueFields: Readonly<Record<string, string>> = {
  'key-auth': 'key',
  'basic-auth': 'username',
  'jwt-auth': 'key',
  'hmac-auth': 'key_id',
};

/** The unique keys that a consumer or a credential holds. */
export function credentialKeys(entry: Entry): readonly CredentialKey[] {
  if (entry.collection !== 'consumers' && entry.collection !== 'credentials') return [];
  const plugins = objectAt(entry.value, 'plugins');
  return Object.entries(uniqueFields).flatMap(([plugin, field]) => {
    const key = idAt(objectAt(plugins, plugin), field);
    return key === undefined ? [] : [{ plugin, key, owner: entry }];
  });
}

/** The plugins of a global rule, each of which may stand in one rule only. */
export function globalPlugins(entry: Entry): readonly string[] {
  return entry.collection === 'global_rules' ? Object.keys(objectAt(entry.value, 'plugins')) : [];
}
