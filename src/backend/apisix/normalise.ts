import pLimit from 'p-limit';
import type { Normalise, Pair, Sides } from '../../model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { resourceKey, type Resource, type State } from '../../model/resource.js';
import { canonical, canonicalAgain, canonicalSides, isPluginConfig } from '../shared/canonical.js';
import { compileDefaults, type Fill } from '../shared/defaults.js';
import { asObject, asText, omit, setField, type Draft } from '../shared/values.js';
import type { PluginUse, Schemas } from './schemas.js';

/** What fills the defaults of the gateway's schemas; nothing where a schema has none. */
interface Fetched {
  /** By kind. Read as the Admin API's object, the body of a service has no upstream here: its schema repeats the upstream's. */
  readonly core: ReadonlyMap<Kind, Fill>;
  /** By use and plugin name. */
  readonly plugins: ReadonlyMap<string, Fill>;
  /** The kinds in whose core schema one field has others filled. */
  readonly entangled: ReadonlySet<Kind>;
  /** Of the upstream of a service. */
  readonly upstream: Fill | undefined;
}

/**
 * Builds the function that makes both sides of pairs comparable: one form for all shapes, and for what then still differs
 * the defaults of the gateway's own schemas, fetched for just those kinds and plugins.
 *
 * @param current where shared upstreams are looked up, for services whose file gives them an upstream of their own
 * @throws GatewayError when a schema cannot be read
 */
export async function createNormaliser(
  pairs: readonly Pair[],
  current: State,
  schemas: Schemas,
  concurrency: number,
): Promise<Normalise> {
  const open = new Map<Pair, Sides>();
  for (const pair of pairs) {
    const { kind, body } = pair.desired;
    const sides = canonicalSides(kind, storedBody(pair, current), body);
    if (!isEmpty(sides)) open.set(pair, sides);
  }
  const fetched = await fetchSchemas(neededBy(open), schemas, concurrency);
  return (pair) => {
    const sides = open.get(pair);
    if (sides === undefined) return alike;
    const { kind, id, body } = pair.desired;
    const own = hasOwnFields(sides.lhs) || hasOwnFields(sides.rhs);
    const lhs = fillSide({ kind, id, body: storedBody(pair, current) }, sides.lhs, fetched, own);
    const rhs = fillSide({ kind, id, body }, sides.rhs, fetched, own);
    return canonicalAgain(kind, { lhs, rhs });
  };
}

/** Of a pair in which nothing differs once shapes do not count. */
const alike: Sides = { lhs: {}, rhs: {} };

function isEmpty({ lhs, rhs }: Sides): boolean {
  return Object.keys(lhs).length === 0 && Object.keys(rhs).length === 0;
}

/** A stored body; where the other side has an upstream of its own, with the shared upstream in place of the reference to it. */
function storedBody({ current: { kind, body }, desired }: Pair, current: State): JsonObject {
  const shared = kind === 'service' ? asText(body['upstream_id']) : undefined;
  if (shared === undefined || desired.body['upstream'] === undefined) return body;
  const upstream = current.resources.get(resourceKey('upstream', shared));
  return upstream === undefined ? body : { ...omit(body, ['upstream_id']), upstream: omit(upstream.body, ['name']) };
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
function neededBy(open: ReadonlyMap<Pair, Sides>): Needs {
  const kinds = new Set<Kind>();
  const plugins = new Map<string, readonly [string, PluginUse]>();
  const need = (use: PluginUse, name: string): void => {
    const key = pluginKey(use, name);
    if (!plugins.has(key)) plugins.set(key, [name, use]);
  };
  for (const [{ desired }, { lhs, rhs }] of open) {
    const { kind, id, body } = desired;
    const use = useOf(kind);
    if (isPluginConfig(kind)) {
      need(use, id);
      continue;
    }
    if (hasOwnFields(lhs) || hasOwnFields(rhs)) kinds.add(kind);
    if (lhs['config'] !== undefined || rhs['config'] !== undefined) need(use, asText(body['type']) ?? '');
    const before = asObject(lhs['plugins']) ?? {};
    for (const name of Object.keys(asObject(rhs['plugins']) ?? {})) if (Object.hasOwn(before, name)) need(use, name);
  }
  if (kinds.has('service')) kinds.add('upstream');
  return { kinds, plugins };
}

/** Tells whether a side has fields that the schema of its kind is about, and not that of a plugin. */
function hasOwnFields(side: JsonObject): boolean {
  for (const field in side) if (field !== 'plugins' && field !== 'config') return true;
  return false;
}

function pluginKey(use: PluginUse, name: string): string {
  return `${use} ${name}`;
}

async function fetchSchemas(needs: Needs, schemas: Schemas, concurrency: number): Promise<Fetched> {
  const limit = pLimit(concurrency);
  const core = new Map<Kind, Fill>();
  const plugins = new Map<string, Fill>();
  const entangled = new Set<Kind>();
  let upstream: Fill | undefined;
  const keep = <K>(fills: Map<K, Fill>, key: K, fill: Fill | undefined): void => {
    if (fill !== undefined) fills.set(key, fill);
  };
  await Promise.all([
    ...[...needs.kinds].map((kind) =>
      limit(async () => {
        const word = schemaWords[kind];
        const schema = word === undefined ? undefined : await schemas.core(word);
        if (schema === undefined) return;
        keep(core, kind, compileDefaults(withoutOwnFields(schema)));
        if (schema['dependencies'] !== undefined) entangled.add(kind);
        if (kind === 'upstream') upstream = compileDefaults(schema);
      }),
    ),
    ...[...needs.plugins].map(([key, [name, use]]) =>
      limit(async () => {
        const schema = await schemas.plugin(name, use);
        if (schema !== undefined) keep(plugins, key, compileDefaults(schema));
      }),
    ),
  ]);
  return { core, plugins, entangled, upstream };
}

/**
 * What differs on one side of a pair, with the defaults that the gateway's schemas have for it.
 *
 * @param own whether fields of the kind's own differ, on either side
 */
function fillSide(
  { kind, id, body }: Pick<Resource, 'kind' | 'id' | 'body'>,
  side: JsonObject,
  fetched: Fetched,
  own: boolean,
): JsonObject {
  const use = useOf(kind);
  const configured = (name: string, config: Json): Json =>
    fetched.plugins.get(pluginKey(use, name))?.(config) ?? config;
  if (isPluginConfig(kind)) return objectOr(configured(id, side), side);
  const { config, plugins } = side;
  return {
    ...(own ? fillFields(kind, body, side, fetched) : {}),
    ...(config === undefined ? {} : { config: configured(asText(body['type']) ?? '', config) }),
    ...(plugins === undefined ? {} : { plugins: fillPlugins(asObject(plugins) ?? {}, configured) }),
  };
}

function fillFields(kind: Kind, body: JsonObject, side: JsonObject, fetched: Fetched): JsonObject {
  const others = ['plugins', 'config', 'upstream'];
  // No gateway is known whose fields are entangled; what is the same on both sides then counts as well.
  const given = omit(fetched.entangled.has(kind) ? canonical(kind, body) : side, others);
  const filled = objectOr(fetched.core.get(kind)?.(given) ?? given, given);
  const { upstream } = side;
  return upstream === undefined ? filled : { ...filled, upstream: fetched.upstream?.(upstream) ?? upstream };
}

/** A core schema without the parts that a body holds elsewhere or in another shape. */
function withoutOwnFields(schema: JsonObject): JsonObject {
  const properties = omit(asObject(schema['properties']) ?? {}, ['plugins', 'upstream', 'labels']);
  return { ...omit(schema, ['if', 'then', 'else', 'allOf', 'anyOf', 'oneOf', 'not']), properties };
}

function fillPlugins(plugins: JsonObject, configured: (name: string, config: Json) => Json): JsonObject {
  const filled: Draft = {};
  for (const [name, config] of Object.entries(plugins)) setField(filled, name, configured(name, config));
  return filled;
}

function objectOr(value: Json, otherwise: JsonObject): JsonObject {
  return isJsonObject(value) ? value : otherwise;
}
