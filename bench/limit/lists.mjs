// What has to be read to know all that a gateway holds: every list, and that of the credentials of each consumer.

const collections = [
  'routes',
  'services',
  'upstreams',
  'ssls',
  'consumers',
  'consumer_groups',
  'plugin_configs',
  'global_rules',
  'plugin_metadata',
  'stream_routes',
];

/** The paths of all lists of a gateway that holds the configuration. */
export function listPaths({ consumers = [] }) {
  return [
    ...collections.map((collection) => `/apisix/admin/${collection}`),
    ...consumers.map(({ username }) => `/apisix/admin/consumers/${username}/credentials`),
  ];
}
