import type { Collection } from '../store.js';

/** What a standalone gateway of some version does, where versions differ. */
export interface StandaloneRules {
  /** A PUT needs `X-Digest`; GET and HEAD answer it, and HEAD exists at all. */
  readonly digests: boolean;
  /** `POST /configs/validate` exists, and a PUT checks every list before any version. */
  readonly validates: boolean;
  /** A plugin that the gateway does not have is refused. */
  readonly refusesUnknownPlugins: boolean;
  /** The lists of a document, in the order in which they are checked. */
  readonly sections: readonly Section[];
}

/** One list of a document. */
export interface Section {
  readonly name: string;
  /** The key its version stands under: `routes_conf_version`. */
  readonly versionKey: string;
  /** Where its schema is to be found; absent for a list whose items the gateway does not check. */
  readonly collection?: Collection;
}

/** The lists in every version, then those that came later with the minor version that brought them. */
const known: readonly { readonly name: string; readonly collection?: Collection; readonly since?: number }[] = [
  { name: 'routes', collection: 'routes' },
  { name: 'services', collection: 'services' },
  { name: 'upstreams', collection: 'upstreams' },
  { name: 'consumers', collection: 'consumers' },
  { name: 'consumer_groups', collection: 'consumer_groups' },
  { name: 'global_rules', collection: 'global_rules' },
  { name: 'plugin_configs', collection: 'plugin_configs' },
  { name: 'plugin_metadata', collection: 'plugin_metadata' },
  { name: 'protos', collection: 'protos' },
  { name: 'secrets', collection: 'secrets' },
  { name: 'ssls', collection: 'ssls' },
  { name: 'stream_routes', collection: 'stream_routes', since: 14 },
  { name: 'plugins', since: 18 },
];

/**
 * Picks the behaviour of a standalone gateway.
 *
 * @throws RangeError for a version without a standalone Admin API (before 3.13).
 */
export function standaloneRulesFor(version: string): StandaloneRules {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  const major = Number(match?.[1] ?? 0);
  const minor = major > 3 ? Infinity : Number(match?.[2] ?? 0);
  if (major < 3 || minor < 13) {
    throw new RangeError(`gateway ${version} has no standalone mode with an Admin API: it came with 3.13`);
  }
  return {
    digests: minor >= 14,
    validates: minor >= 15,
    refusesUnknownPlugins: minor >= 16,
    sections: known
      .filter(({ since }) => minor >= (since ?? 0))
      .map(({ name, collection }) => ({
        name,
        versionKey: `${name}_conf_version`,
        ...(collection === undefined ? {} : { collection }),
      })),
  };
}
