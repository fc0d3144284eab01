import type { Sides } from '../../model/change.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { withoutHidden } from './hidden.js';
import { labelsToAdmin } from './labels.js';
import { withHeaderName } from './upstream.js';
import { asList, asObject, asText, isEmptyTable, isSame, setField, type Draft } from './values.js';

/**
 * A body in the one form that all bodies with the same meaning have, as far as that needs no schema: no hidden keys, no
 * empty collections where absence means the same, label lists as their stored text, nodes in a fixed order, every empty
 * table as `{}`. For comparing only, never for sending.
 */
export function canonical(kind: Kind, body: JsonObject): JsonObject {
  const shown = withoutHidden(kind, body);
  if (isPluginConfig(kind)) return tables(shown);
  const value: Draft = {};
  for (const [field, content] of Object.entries(shown)) {
    const form = canonicalField(kind, field, content);
    if (form !== undefined) value[field] = form;
  }
  return value;
}

/**
 * What differs between the canonical forms of two bodies: the fields, and of `plugins` the plugins that both have. The
 * body of a kind that is a plugin's configuration is one whole. What is the same as it is has the same canonical form,
 * so that it is neither worked out nor held.
 */
export function canonicalSides(kind: Kind, current: JsonObject, desired: JsonObject): Sides {
  const [stored, wanted] = [withoutHidden(kind, current), withoutHidden(kind, desired)];
  if (isPluginConfig(kind)) {
    const [lhs, rhs] = [tables(stored), tables(wanted)];
    return isSame(lhs, rhs) ? noSides : { lhs, rhs };
  }
  return differing(stored, wanted, (field, content) => canonicalField(kind, field, content));
}

/** As {@link canonicalSides}, of sides that it gave and that were filled with defaults since. */
export function canonicalAgain(kind: Kind, { lhs, rhs }: Sides): Sides {
  if (isPluginConfig(kind)) return canonicalSides(kind, lhs, rhs);
  // Plugins that are the same were left out: that none is there any more does not say that there are none.
  return differing(lhs, rhs, (field, content) =>
    field === 'plugins' ? tables(content) : canonicalField(kind, field, content),
  );
}

function differing(stored: JsonObject, wanted: JsonObject, form: Form): Sides {
  const sides = differingFields(stored, wanted, form);
  const [before, after] = [sides.lhs['plugins'], sides.rhs['plugins']];
  if (!isJsonObject(before) || !isJsonObject(after)) return sides;
  const plugins = differingFields(before, after, (_, config) => config);
  return { lhs: { ...sides.lhs, plugins: plugins.lhs }, rhs: { ...sides.rhs, plugins: plugins.rhs } };
}

/** The canonical form of a field; undefined where it says what its absence says. */
type Form = (field: string, content: Json) => Json | undefined;

/** Of two bodies that mean the same. */
const noSides: Sides = { lhs: {}, rhs: {} };

/** The kinds whose body is the configuration of the plugin they are named after. */
export function isPluginConfig(kind: Kind): boolean {
  return kind === 'global_rule' || kind === 'plugin_metadata';
}

function differingFields(left: JsonObject, right: JsonObject, form: Form): Sides {
  const lhs: Draft = {};
  const rhs: Draft = {};
  for (const field of Object.keys(left)) {
    const before = left[field] as Json;
    const after = Object.hasOwn(right, field) ? right[field] : undefined;
    if (isSame(before, after)) continue;
    const one = form(field, before);
    const other = after === undefined ? undefined : form(field, after);
    if (isSame(one, other)) continue;
    if (one !== undefined) setField(lhs, field, one);
    if (other !== undefined) setField(rhs, field, other);
  }
  for (const field of Object.keys(right)) {
    const other = Object.hasOwn(left, field) ? undefined : form(field, right[field] as Json);
    if (other !== undefined) setField(rhs, field, other);
  }
  return { lhs, rhs };
}

const droppedWhenEmpty = new Set(['labels', 'plugins', 'hosts', 'remote_addrs', 'methods', 'vars', 'ssl_protocols']);

function canonicalField(kind: Kind, field: string, content: Json): Json | undefined {
  if (kind === 'upstream') return canonicalUpstreamField(field, content);
  if (droppedWhenEmpty.has(field) && isEmptyTable(content)) return undefined;
  switch (field) {
    case 'status':
      // Enabled is what an absent status means.
      return content === 1 ? undefined : content;
    case 'labels':
      return labelsToAdmin(asObject(content) ?? {});
    case 'upstream':
      return canonicalUpstream(asObject(content) ?? {});
    case 'plugins':
    case 'config':
      return tables(content);
    default:
      return content;
  }
}

function canonicalUpstream(upstream: JsonObject): JsonObject {
  const value: Draft = {};
  for (const [field, content] of Object.entries(upstream)) {
    const form = canonicalUpstreamField(field, content);
    if (form !== undefined) value[field] = form;
  }
  return value;
}

function canonicalUpstreamField(field: string, content: Json): Json | undefined {
  switch (field) {
    case 'labels':
      return isEmptyTable(content) ? undefined : labelsToAdmin(asObject(content) ?? {});
    case 'nodes':
      return (asList(content) ?? []).map(tables).toSorted(byAddress);
    case 'checks':
      return tables(withHeaderName(content));
    case 'discovery_args':
      return tables(content);
    default:
      return content;
  }
}

function byAddress(a: Json, b: Json): number {
  const left = addressOf(a);
  const right = addressOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function addressOf(node: Json): string {
  const { host, port, weight } = asObject(node) ?? {};
  return `${asText(host) ?? ''}:${asText(port) ?? ''}:${asText(weight) ?? ''}`;
}

/** Every empty list as an empty object: a gateway gives either for the same empty table. The same value where there is none. */
function tables(value: JsonObject): JsonObject;
function tables(value: Json): Json;
function tables(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.length === 0 ? {} : tablesInList(value as readonly Json[]);
  const object = value as JsonObject;
  for (const key in object) {
    if (tables(object[key] as Json) === object[key]) continue;
    return Object.fromEntries(Object.entries(object).map(([name, content]) => [name, tables(content)]));
  }
  return object;
}

function tablesInList(list: readonly Json[]): readonly Json[] {
  return list.every((item) => tables(item) === item) ? list : list.map((item) => tables(item));
}
