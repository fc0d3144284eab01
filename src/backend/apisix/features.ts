import semver from 'semver';
import type { Memory } from '../../memory/memory.js';
import type { PoolResponse } from '../../pool/pool.js';
import { jsonOf, refusal, type AdminClient, type AdminRequest } from '../shared/client.js';
import type { Feature, Features } from '../shared/features.js';
import { asObject } from '../shared/values.js';

/** The version each feature came with. Looked at here only: everything else asks for features. */
const since: Readonly<Record<Feature, string>> = {
  plugin_config_name: '3.3.0',
  schema_validate: '3.5.0',
  stream_routes: '3.7.0',
  stream_route_labels: '3.8.0',
  consumer_group_name: '3.11.0',
  credentials: '3.11.0',
  stream_route_name: '3.13.0',
  unique_global_plugins: '3.15.0',
  configs_validate: '3.17.0',
  unique_credentials: '3.18.0',
};

/** Versions between those that were measured, where only the gateway's own schema can tell. */
const unsure: readonly { readonly feature: Feature; readonly range: string; readonly schema: string }[] = [
  { feature: 'plugin_config_name', range: '>=3.3.0 <3.10.0', schema: 'plugin_config' },
  { feature: 'consumer_group_name', range: '>=3.11.0 <3.13.0', schema: 'consumer_group' },
];

/** The version in a `Server` header; undefined where it is hidden, by the gateway or by a proxy in front of it. */
export function versionOf(response: PoolResponse): string | undefined {
  const match = /^APISIX\/(\d+\.\d+\.\d+\S*)/.exec(response.header('server') ?? '');
  return match?.[1];
}

interface Remembered {
  readonly features: Features;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** How long a probed set is trusted: a gateway that hides its version may be replaced by a newer one. */
const trusted = 300_000;

/**
 * The features of a gateway: from its version where it shows one, else, and for versions that say too little, by asking
 * for schemas. What was asked is remembered for five minutes.
 *
 * @throws GatewayError when a probe is not answered as an Admin API answers
 */
export async function detectFeatures(
  client: AdminClient,
  version: string | undefined,
  memory: Memory,
  forget = false,
): Promise<Features> {
  const space = memory.space<Remembered>('apisix/features');
  const settled = version === undefined ? undefined : space.get(version);
  if (settled !== undefined) return settled.features;
  const known = version === undefined ? null : semver.coerce(version);
  const open = known === null ? [] : unsure.filter(({ range }) => semver.satisfies(known, range));
  if (version !== undefined && known !== null && open.length === 0) {
    const features = featuresOf(known.version);
    // What a version settles holds for every gateway of that version.
    space.set(version, { features, at: Date.now() }, 512);
    return features;
  }

  const key = `${client.address.key} ${version ?? 'hidden'}`;
  const remembered = forget ? undefined : space.get(key);
  if (remembered !== undefined && Date.now() - remembered.at < trusted) return remembered.features;
  const features =
    known === null ? await probe(client) : await completeFeatures(client, featuresOf(known.version), open);
  space.set(key, { features, at: Date.now() }, 512);
  return features;
}

function featuresOf(version: string): Features {
  const entries = Object.entries(since) as readonly [Feature, string][];
  return new Set(entries.filter(([, first]) => semver.gte(version, first)).map(([feature]) => feature));
}

async function completeFeatures(client: AdminClient, features: Features, open: typeof unsure): Promise<Features> {
  const answers = await Promise.all(
    open.map(async ({ feature, schema }) => ({ feature, fields: await schemaFields(client, schema) })),
  );
  const without = new Set(answers.filter(({ fields }) => fields?.has('name') !== true).map(({ feature }) => feature));
  return new Set([...features].filter((feature) => !without.has(feature)));
}

/** Asks a gateway that hides its version for everything a feature depends on. Writes nothing. */
async function probe(client: AdminClient): Promise<Features> {
  const [credential, streamRoute, group, pluginConfig, validatesSchemas, validatesConfigs] = await Promise.all([
    schemaFields(client, 'credential'),
    schemaFields(client, 'stream_route'),
    schemaFields(client, 'consumer_group'),
    schemaFields(client, 'plugin_config'),
    exists(client, '/apisix/admin/schema/validate/routes'),
    exists(client, '/apisix/admin/configs/validate'),
  ]);
  const found: Readonly<Record<Feature, boolean>> = {
    credentials: credential !== undefined,
    stream_routes: streamRoute?.has('service_id') === true,
    stream_route_labels: streamRoute?.has('labels') === true,
    stream_route_name: streamRoute?.has('name') === true,
    consumer_group_name: group?.has('name') === true,
    plugin_config_name: pluginConfig?.has('name') === true,
    schema_validate: validatesSchemas,
    configs_validate: validatesConfigs,
    // No answer shows these two without a write. Taking them for given only keeps writes in a stricter order, but for
    // consumers that swap their keys: one is written without, which gateways older than credentials refuse.
    unique_global_plugins: true,
    unique_credentials: credential !== undefined,
  };
  return new Set((Object.keys(found) as Feature[]).filter((feature) => found[feature]));
}

/** The fields of a core schema; undefined where the gateway has no such schema. */
async function schemaFields(client: AdminClient, kind: string): Promise<ReadonlySet<string> | undefined> {
  const request: AdminRequest = { method: 'GET', path: `/apisix/admin/schema/${kind}` };
  const response = await client.send(request);
  if (response.status === 400 || response.status === 404) return undefined;
  return new Set(Object.keys(asObject(jsonOf(client, request, response)['properties']) ?? {}));
}

/** Tells whether a path that checks a document is there; what it says of an empty document does not matter. */
async function exists(client: AdminClient, path: string): Promise<boolean> {
  const request: AdminRequest = { method: 'POST', path, body: '{}' };
  const response = await client.send(request);
  if (response.status === 404) return false;
  if (response.status < 300 || response.status === 400) return true;
  throw refusal(client, request, response);
}
