/** The gateway versions whose answers the emulator was measured against, oldest first. */
export const emulatedVersions = ['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'] as const;

/** One of the measured versions: the name of a set of rules. */
export type EmulatedVersion = (typeof emulatedVersions)[number];

/** What a gateway of some version does, where versions differ. */
export interface Rules {
  /** The version the gateway says it is, in its `Server` header. */
  readonly version: string;
  /** The measured version whose behaviour is followed. */
  readonly base: EmulatedVersion;
  /** Tells whether the behaviour followed is that of this measured version or a later one. */
  readonly since: (first: EmulatedVersion) => boolean;
  /** A PUT stores and returns the defaults of core fields and plugins. */
  readonly storesDefaults: boolean;
  /** `create_time` and `update_time` in a request are refused. */
  readonly forbidsTimes: boolean;
  /** `?force=true` on a delete skips the in-use check. */
  readonly forces: boolean;
  /** Consumers have credentials of their own. */
  readonly hasCredentials: boolean;
  /** Plugin fields marked `encrypt_fields` are ciphertext in the answer to a write. */
  readonly encryptsPlugins: boolean;
  /** SSL keys stand, encrypted, in lists. */
  readonly listsSslKeys: boolean;
  /** Keys of consumers and credentials must be unique, as far as the worker knows. */
  readonly refusesDuplicateKeys: boolean;
  /** A plugin may stand in one global rule only. */
  readonly refusesDuplicateGlobalPlugins: boolean;
  /** A consumer with plugins needs an authentication plugin among them. */
  readonly requiresAuthPlugin: boolean;
  /** A plugin config that a route uses cannot be deleted. */
  readonly guardsPluginConfigs: boolean;
  /** Plugin metadata comes back with its `id`. */
  readonly metadataHasId: boolean;
  /** `POST /schema/validate/{kind}` exists. */
  readonly validatesSchemas: boolean;
  /** `POST /configs/validate` exists in etcd mode. */
  readonly validatesConfigs: boolean;
  /** Lists take `?filter=`. */
  readonly filtersLists: boolean;
  /** A refused key says why (`missing apikey`, `wrong apikey`), and an unknown kind is named. */
  readonly explainsRefusals: boolean;
  /** What a write to stream routes answers where stream mode is off. */
  readonly streamDisabledStatus: 400 | 403;
}

/**
 * Picks the behaviour of a gateway version: that of the nearest measured version that is not newer.
 *
 * @throws RangeError when the text is no version, or one older than 3.0.
 */
export function rulesFor(version: string): Rules {
  const numbers = parseVersion(version);
  if (numbers === undefined || numbers[0] < 3) {
    throw new RangeError(
      `no gateway version to emulate: '${version}' (${emulatedVersions.join(', ')}, or any version from 3.0)`,
    );
  }
  const base = emulatedVersions.findLast((known) => !isNewer(known, numbers)) ?? emulatedVersions[0];
  const since = (first: EmulatedVersion): boolean => emulatedVersions.indexOf(base) >= emulatedVersions.indexOf(first);
  return {
    version,
    base,
    since,
    storesDefaults: !since('3.15.0'),
    forbidsTimes: since('3.10.0'),
    forces: since('3.10.0'),
    hasCredentials: since('3.13.0'),
    encryptsPlugins: since('3.10.0'),
    listsSslKeys: !since('3.18.0'),
    refusesDuplicateKeys: since('3.18.0'),
    refusesDuplicateGlobalPlugins: since('3.15.0'),
    requiresAuthPlugin: !since('3.13.0'),
    guardsPluginConfigs: since('3.10.0'),
    metadataHasId: since('3.10.0'),
    validatesSchemas: since('3.10.0'),
    validatesConfigs: since('3.18.0'),
    filtersLists: since('3.13.0'),
    explainsRefusals: since('3.10.0'),
    streamDisabledStatus: since('3.10.0') ? 400 : 403,
  };
}

type Numbers = readonly [number, number, number];

function parseVersion(version: string): Numbers | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?$/.exec(version);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

function isNewer(known: EmulatedVersion, than: Numbers): boolean {
  const numbers = parseVersion(known) ?? [0, 0, 0];
  const at = numbers.findIndex((number, index) => number !== than[index]);
  return at >= 0 && (numbers[at] ?? 0) > (than[at] ?? 0);
}
