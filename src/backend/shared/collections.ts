import type { JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import type { ObjectRef } from '../../model/operation.js';

/** The Admin API's words for what it stores. Credentials stand below their consumer's path. */
export type Collection =
  | 'services'
  | 'upstreams'
  | 'routes'
  | 'stream_routes'
  | 'ssls'
  | 'consumers'
  | 'credentials'
  | 'consumer_groups'
  | 'plugin_configs'
  | 'global_rules'
  | 'plugin_metadata';

/** Where the resources of a kind are stored. A service's default upstream stands in `upstreams` beside it. */
export const collectionOf: Readonly<Record<Kind, Collection>> = {
  service: 'services',
  upstream: 'upstreams',
  route: 'routes',
  stream_route: 'stream_routes',
  ssl: 'ssls',
  consumer: 'consumers',
  consumer_credential: 'credentials',
  consumer_group: 'consumer_groups',
  plugin_config: 'plugin_configs',
  global_rule: 'global_rules',
  plugin_metadata: 'plugin_metadata',
};

/** The kind whose resources a collection holds. */
export const kindOf: Readonly<Record<Collection, Kind>> = {
  services: 'service',
  upstreams: 'upstream',
  routes: 'route',
  stream_routes: 'stream_route',
  ssls: 'ssl',
  consumers: 'consumer',
  credentials: 'consumer_credential',
  consumer_groups: 'consumer_group',
  plugin_configs: 'plugin_config',
  global_rules: 'global_rule',
  plugin_metadata: 'plugin_metadata',
};

/** One object as the Admin API stores it. */
export interface AdminObject {
  readonly collection: Collection;
  readonly id: string;
  /** The username, for credentials. */
  readonly parent?: string;
  readonly value: JsonObject;
}

/**
 * Names an object: `services/abc`, `consumers/ann/credentials/c1`. Ids and usernames are encoded, so that one with a
 * slash names no other object and leads to no other path.
 */
export function objectRef(collection: Collection, id: string, parent?: string): ObjectRef {
  const last = encode(id);
  if (collection !== 'credentials') return `${collection}/${last}`;
  return `consumers/${encode(parent ?? '')}/credentials/${last}`;
}

/** Nearly every id needs no encoding, and to see that is several times faster than to encode it. */
function encode(id: string): string {
  return /^[\w.-]*$/.test(id) ? id : encodeURIComponent(id);
}

/** The path of an object below the endpoint's base URL. */
export function objectPath(ref: ObjectRef): string {
  return `/apisix/admin/${ref}`;
}

/** The id in the name of an object, as it was before it was encoded. */
export function idOf(ref: ObjectRef): string {
  return decodeURIComponent(ref.slice(ref.lastIndexOf('/') + 1));
}
