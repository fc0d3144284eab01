/**
 * What a gateway can do, where gateways differ. Code asks for a feature and never compares versions: a gateway that hides
 * its version is probed for the same features.
 */
export type Feature =
  /** Consumers have credentials of their own (3.11). Before, their paths mean the consumer itself. */
  | 'credentials'
  /** A stream route may belong to a service (3.7). */
  | 'stream_routes'
  /** Stream routes have `labels` (3.8). */
  | 'stream_route_labels'
  /** Stream routes have a `name` (3.13). */
  | 'stream_route_name'
  /** Consumer groups have a `name` (3.11). */
  | 'consumer_group_name'
  /** Plugin configs have a `name` (after 3.2). */
  | 'plugin_config_name'
  /** `POST /schema/validate/{collection}` (3.5). */
  | 'schema_validate'
  /** `POST /configs/validate` (3.17 in etcd mode). */
  | 'configs_validate'
  /** A plugin may stand in one global rule only (3.15). */
  | 'unique_global_plugins'
  /** What a consumer authenticates with may exist only once (3.18). */
  | 'unique_credentials';

/** The features of one gateway. */
export type Features = ReadonlySet<Feature>;
