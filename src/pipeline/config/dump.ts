import { dump } from 'js-yaml';
import { deriveId, deriveNestedId, deriveSslId } from '../../model/ids.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import type { Resource, ResourceKey, State } from '../../model/resource.js';

/** How a state is written down. */
export interface DumpOptions {
  /** Whether ids are written even where they follow from the names. */
  readonly withId: boolean;
}

/** Order by code points: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byName(a: Resource, b: Resource): number {
  return compare(a.name, b.name) || compare(a.id, b.id);
}

/** The resources of a state, as a document nests them. */
interface Nesting {
  readonly tops: ReadonlyMap<Kind, readonly Resource[]>;
  readonly children: ReadonlyMap<ResourceKey, ReadonlyMap<Kind, readonly Resource[]>>;
}

function nest(state: State): Nesting {
  const tops = new Map<Kind, Resource[]>();
  const children = new Map<ResourceKey, Map<Kind, Resource[]>>();
  const put = (lists: Map<Kind, Resource[]>, resource: Resource) => {
    const list = lists.get(resource.kind);
    if (list === undefined) lists.set(resource.kind, [resource]);
    else list.push(resource);
  };
  for (const resource of [...state.resources.values()].sort(byName)) {
    if (resource.parent === undefined) put(tops, resource);
    else {
      const lists = children.get(resource.parent) ?? new Map<Kind, Resource[]>();
      children.set(resource.parent, lists);
      put(lists, resource);
    }
  }
  return { tops, children };
}

/** The id that a resource would get from its name. */
function derivedId(resource: Resource, state: State): string {
  const { kind, name, parent, body } = resource;
  if (kind === 'ssl') return deriveSslId(isStringList(body['snis']) ? body['snis'] : [name]);
  if (parent === undefined) return deriveId(name);
  return deriveNestedId(state.resources.get(parent)?.name ?? '', name);
}

function isStringList(value: Json | undefined): value is readonly string[] {
  return Array.isArray(value) && (value as readonly Json[]).every((item) => typeof item === 'string');
}

/** Kinds whose id is written at all: the others are identified by their names alone. */
const identified: ReadonlySet<Kind> = new Set([
  'service',
  'upstream',
  'route',
  'stream_route',
  'ssl',
  'consumer_credential',
  'consumer_group',
  'plugin_config',
]);

/**
 * The resources whose id must be written: it does not follow from the name, or another resource has the same name (and
 * the same parent), so that the name alone would mean either.
 */
function idsToWrite(state: State, { withId }: DumpOptions): ReadonlySet<ResourceKey> {
  const written = new Set<ResourceKey>();
  const byDerivedId = new Map<string, ResourceKey>();
  for (const resource of state.resources.values()) {
    if (!identified.has(resource.kind)) continue;
    const derived = derivedId(resource, state);
    const scope = resource.kind === 'consumer_credential' ? resource.parent : '';
    const identity = `${resource.kind} ${scope} ${derived}`;
    const other = byDerivedId.get(identity);
    if (other !== undefined) {
      written.add(other);
      written.add(resource.key);
    } else byDerivedId.set(identity, resource.key);
    if (withId || resource.id !== derived) written.add(resource.key);
  }
  return written;
}

/** Which kind each referring field points at. */
const referenceFields: Readonly<Record<string, Kind>> = {
  upstream_id: 'upstream',
  plugin_config_id: 'plugin_config',
  group_id: 'consumer_group',
};

/**
 * Nests a state again into the document a person would write. Deterministic: resources by name, whatever order the
 * gateway had. Ids that follow from names are left out, unless asked for; references then name what they mean.
 */
export function dumpDocument(state: State, options: DumpOptions): JsonObject {
  const { tops, children } = nest(state);
  const written = idsToWrite(state, options);
  const names = referenceNames(state, written);

  const write = (resource: Resource): Record<string, Json> => {
    const object: Record<string, Json> = {};
    if (written.has(resource.key)) object['id'] = resource.id;
    for (const [field, value] of Object.entries(resource.body)) {
      const kind = referenceFields[field];
      object[field] =
        kind !== undefined && typeof value === 'string' ? (names.get(`${kind}/${value}`) ?? value) : value;
    }
    return object;
  };
  const list = (resources: readonly Resource[] | undefined, nested: Readonly<Record<string, Kind>> = {}): Json[] =>
    (resources ?? []).map((resource) => {
      const object = write(resource);
      for (const [key, kind] of Object.entries(nested)) {
        const inner = children.get(resource.key)?.get(kind);
        if (inner !== undefined) object[key] = list(inner);
      }
      return object;
    });
  const mapping = (resources: readonly Resource[] | undefined): JsonObject =>
    Object.fromEntries((resources ?? []).map(({ name, body }) => [name, body]));
  const optional = (key: string, kind: Kind): JsonObject => {
    const resources = tops.get(kind);
    return resources === undefined ? {} : { [key]: list(resources) };
  };

  return {
    services: list(tops.get('service'), { upstreams: 'upstream', routes: 'route', stream_routes: 'stream_route' }),
    ssls: list(tops.get('ssl')),
    consumers: list(tops.get('consumer'), { credentials: 'consumer_credential' }),
    global_rules: mapping(tops.get('global_rule')),
    plugin_metadata: mapping(tops.get('plugin_metadata')),
    // Present means managed: these appear only where there are any, so that a dump never takes over what it did not see.
    ...optional('consumer_groups', 'consumer_group'),
    ...optional('plugin_configs', 'plugin_config'),
    ...optional('upstreams', 'upstream'),
  };
}

/** The names that may stand for ids in references: of top-level resources without a written id, and never ambiguous. */
function referenceNames(state: State, written: ReadonlySet<ResourceKey>): ReadonlyMap<ResourceKey, string> {
  const names = new Map<ResourceKey, string>();
  for (const { kind, key, name, parent } of state.resources.values()) {
    const referred = Object.values(referenceFields).includes(kind) && parent === undefined;
    if (referred && !written.has(key) && !state.resources.has(`${kind}/${name}`)) names.set(key, name);
  }
  return names;
}

/** A field that no gateway gives back, and that a dump therefore lacks. */
export interface MissingSecret {
  readonly key: ResourceKey;
  /** For people: `ssl "a.test"`. */
  readonly resource: string;
  /** The field inside the resource, such as `certificates[0].key`. */
  readonly field: string;
}

function* missingIn(upstream: Json | undefined, prefix: string): Generator<string> {
  const tls = isJsonObject(upstream) ? upstream['tls'] : undefined;
  if (isJsonObject(tls) && tls['client_cert'] !== undefined && tls['client_key'] === undefined) {
    yield `${prefix}tls.client_key`;
  }
}

/** Lists the private keys that a state lacks: they have to be filled in before what it was dumped to can be synced. */
export function missingSecrets(state: State): readonly MissingSecret[] {
  const missing: MissingSecret[] = [];
  for (const { key, kind, name, body } of [...state.resources.values()].sort(byName)) {
    const fields: string[] = [];
    if (kind === 'ssl' && Array.isArray(body['certificates'])) {
      (body['certificates'] as readonly Json[]).forEach((pair, index) => {
        if (isJsonObject(pair) && pair['key'] === undefined) fields.push(`certificates[${index}].key`);
      });
    }
    if (kind === 'service') fields.push(...missingIn(body['upstream'], 'upstream.'));
    if (kind === 'upstream') fields.push(...missingIn(body, ''));
    for (const field of fields) missing.push({ key, resource: `${kind} "${name}"`, field });
  }
  return missing;
}

/** The comment at the head of a dump that lacks private keys; the empty string for one that lacks none. */
function missingSecretsComment(missing: readonly MissingSecret[]): string {
  if (missing.length === 0) return '';
  return [
    'A gateway does not give private keys back. Fill these in, or refer to them by $secret:// or $env://,',
    'before this file is used:',
    ...missing.map(({ resource, field }) => `  ${resource}: ${field}`),
  ].join('\n');
}

/**
 * Writes a value as YAML: keys sorted at every level, no anchors, long text folded at 80 columns, strings quoted that
 * any YAML reader would take for something else.
 *
 * @param comment lines that stand above it
 */
export function toYaml(value: Json, comment = ''): string {
  const head =
    comment === ''
      ? ''
      : `${comment
          .split(/\r?\n/)
          .map((line) => `# ${line}`.trimEnd())
          .join('\n')}\n`;
  return head + dump(value, { noRefs: true, lineWidth: 80, sortKeys: (a: string, b: string) => compare(a, b) });
}

/** Writes a state as the YAML file a person would write, with a comment for the private keys it lacks. */
export function dumpYaml(state: State, options: DumpOptions): string {
  return toYaml(dumpDocument(state, options), missingSecretsComment(missingSecrets(state)));
}
