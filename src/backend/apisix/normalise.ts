import pLimit from 'p-limit';
import type { Change, Normalise, Update } from '../../model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { resourceKey, type State } from '../../model/resource.js';
import { canonical } from '../shared/canonical.js';
import { fillDefaults, matchesSchema } from '../shared/defaults.js';
import { asObject, asText, isSame, omit } from '../shared/values.js';
import type { PluginUse, Schemas } from './schemas.js';

/** What a body is, beyond its kind; known by the identity of the body. */
interface Context {
  /** The plugin whose global configuration or metadata it is. */
  readonly plugin?: string;
  /** Put in place of a reference to a shared upstream, because the other side has an upstream of its own. */
  readonly upstream?: JsonObject;
}

interface Fetched {
  /** By kind. */
  readonly core: ReadonlyMap<Kind, JsonObject>;
  /** By use and plugin name. */
  readonly plugins: ReadonlyMap<string, JsonObject>;
  readonly upstream: JsonObject | undefined;
}

/**
 * Builds the function that makes both sides of raw changes comparable: one form for all shapes, and for what then still
 * differs the defaults of the gateway's own schemas, fetched for just those kinds and plugins.
 *
 * @param current where shared upstreams are looked up, for services whose file gives them an upstream of their own
 * @throws GatewayError when a schema cannot be read
 */
export async function createNormaliser(
  changes: readonly Change[],
  current: State,
  schemas: Schemas,
  concurrency: number,
): Promise<Normalise> {
  const updates = changes.filter((change) => change.type === 'update');
  const contexts = new Map(updates.flatMap((update) => contextsOf(update, current)));
  const shape = (kind: Kind, body: JsonObject): JsonObject => {
    const upstream = contexts.get(body)?.upstream;
    return canonical(kind, upstream === undefined ? body : { ...omit(body, ['upstream_id']), upstream });
  };
  const open = updates.filter(
    ({ kind, desired, current: stored }) => !isSame(shape(kind, desired.body), shape(kind, stored.body)),
  );
  const fetched = await fetchSchemas(neededBy(open, shape), schemas, concurrency);
  return (kind, body) => canonical(kind, fillBody(kind, shape(kind, body), contexts.get(body)?.plugin, fetched));
}

function contextsOf(update: Update, current: State): readonly (readonly [JsonObject, Context])[] {
  const { kind, desired, current: stored } = update;
  if (kind === 'global_rule' || kind === 'plugin_metadata') {
    return [
      [desired.body, { plugin: update.id }],
      [stored.body, { plugin: update.id }],
    ];
  }
  const shared = asText(stored.body['upstream_id']);
  if (kind !== 'service' || shared === undefined || desired.body['upstream'] === undefined) return [];
  const upstream = current.resources.get(resourceKey('upstream', shared));
  return upstream === undefined ? [] : [[stored.body, { upstream: omit(upstream.body, ['name']) }]];
}

/** The words of the gateway for the schemas of kinds. Plugins' configurations have none here: see {@link pluginUses}. */
const schemaWords: Readonly<Partial<Record<Kind, string>>> = {
  service: 'service',
  upstream: 'upstream',
  route: 'route',
  stream_route: 'stream_route',
  ssl: 'ssl',
  consumer: 'consumer',
  consumer_credential: 'credential',
  consumer_group: 'consumer_group',
  plugin_config: 'plugin_config',
};

const pluginUses: Readonly<Partial<Record<Kind, PluginUse>>> = {
  stream_route: 'stream',
  consumer: 'consumer',
  consumer_credential: 'consumer',
  plugin_metadata: 'metadata',
};

function useOf(kind: Kind): PluginUse {
  return pluginUses[kind] ?? 'plugin';
}

interface Needs {
  readonly kinds: ReadonlySet<Kind>;
  readonly plugins: ReadonlyMap<string, readonly [name: string, use: PluginUse]>;
}

/** The schemas that could explain the differences that are left. */
function neededBy(updates: readonly Update[], shape: Normalise): Needs {
  const kinds = new Set<Kind>();
  const plugins = new Map<string, readonly [string, PluginUse]>();
  for (const { kind, id, desired, current } of updates) {
    const use = useOf(kind);
    const wanted = shape(kind, desired.body);
    const stored = shape(kind, current.body);
    const need = (name: string): void => void plugins.set(`${use} ${name}`, [name, use]);
    if (kind === 'global_rule' || kind === 'plugin_metadata') need(id);
    else {
      if (!isSame(omit(wanted, ['plugins', 'config']), omit(stored, ['plugins', 'config']))) kinds.add(kind);
      if (!isSame(wanted['config'], stored['config'])) need(asText(wanted['type']) ?? '');
      const before = asObject(stored['plugins']) ?? {};
      for (const [name, config] of Object.entries(asObject(wanted['plugins']) ?? {})) {
        if (before[name] !== undefined && !isSame(config, before[name])) need(name);
      }
    }
  }
  if (kinds.has('service')) kinds.add('upstream');
  return { kinds, plugins };
}

async function fetchSchemas(needs: Needs, schemas: Schemas, concurrency: number): Promise<Fetched> {
  const limit = pLimit(concurrency);
  const core = new Map<Kind, JsonObject>();
  const plugins = new Map<string, JsonObject>();
  await Promise.all([
    ...[...needs.kinds].map((kind) =>
      limit(async () => {
        const word = schemaWords[kind];
        const schema = word === undefined ? undefined : await schemas.core(word);
        if (schema !== undefined) core.set(kind, schema);
      }),
    ),
    ...[...needs.plugins].map(([key, [name, use]]) =>
      limit(async () => {
        const schema = await schemas.plugin(name, use);
        if (schema !== undefined) plugins.set(key, schema);
      }),
    ),
  ]);
  return { core, plugins, upstream: core.get('upstream') };
}

function fillBody(kind: Kind, body: JsonObject, plugin: string | undefined, fetched: Fetched): JsonObject {
  const use = useOf(kind);
  const configured = (name: string, config: Json): Json => fill(fetched.plugins.get(`${use} ${name}`), config);
  if (kind === 'global_rule' || kind === 'plugin_metadata') {
    return plugin === undefined ? body : objectOr(configured(plugin, body), body);
  }
  const { plugins, config, upstream, ...rest } = body;
  // Read as the Admin API's object, the body of a service has no upstream here: its schema repeats the upstream's.
  const schema = fetched.core.get(kind);
  const filled = objectOr(fill(schema === undefined ? undefined : withoutOwnFields(schema), rest), rest);
  const type = asText(rest['type']) ?? '';
  return {
    ...filled,
    ...(upstream === undefined ? {} : { upstream: fill(fetched.upstream, upstream) }),
    ...(config === undefined ? {} : { config: configured(type, config) }),
    ...(plugins === undefined ? {} : { plugins: fillPlugins(asObject(plugins) ?? {}, configured) }),
  };
}

/** A core schema without the parts that a body holds elsewhere or in another shape. */
function withoutOwnFields(schema: JsonObject): JsonObject {
  const properties = omit(asObject(schema['properties']) ?? {}, ['plugins', 'upstream', 'labels']);
  return { ...omit(schema, ['if', 'then', 'else', 'allOf', 'anyOf', 'oneOf', 'not']), properties };
}

function fillPlugins(plugins: JsonObject, configured: (name: string, config: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(plugins).map(([name, config]) => [name, configured(name, config)]));
}

function fill(schema: JsonObject | undefined, value: Json): Json {
  return schema === undefined ? value : fillDefaults(schema, value, matchesSchema);
}

function objectOr(value: Json, otherwise: JsonObject): JsonObject {
  return isJsonObject(value) ? value : otherwise;
}
