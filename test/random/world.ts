import semver from 'semver';
import { abilitiesOf } from '../cases/bench.js';
import type { Abilities } from '../cases/gateway-case.js';

/** What configurations are drawn for. */
export interface World {
  readonly version: string;
  readonly backend: 'apisix' | 'apisix-standalone';
  readonly abilities: Abilities;
  /** Whether files name the collections that are only managed where they are named. */
  readonly mentions: boolean;
  /** Ids of upstreams that exist whatever a file says, and that it may refer to. */
  readonly standing: readonly string[];
  /** Ids of upstreams that `traffic-split` may name. */
  readonly splitTargets: readonly string[];
  /** Whether upstreams refer to certificates, which then have to stay as long as the upstreams do. */
  readonly refersToCertificates: boolean;
  /** Begins every name, id and key, so that two configurations can have nothing in common. */
  readonly prefix: string;
  since(version: string): boolean;
}

/** A world of a gateway of some version. */
export function worldOf(
  version: string,
  backend: World['backend'],
  more: Partial<Pick<World, 'mentions' | 'standing' | 'prefix' | 'refersToCertificates'>> = {},
): World {
  const standing = more.standing ?? [];
  return {
    version,
    backend,
    abilities: abilitiesOf(version, backend),
    mentions: more.mentions ?? true,
    standing,
    splitTargets: standing,
    refersToCertificates: more.refersToCertificates ?? true,
    prefix: more.prefix ?? '',
    since: (other) => semver.gte(version, other),
  };
}
