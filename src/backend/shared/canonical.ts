import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { withoutHidden } from './hidden.js';
import { labelsToAdmin } from './labels.js';
import { withHeaderName } from './upstream.js';
import { asList, asObject, asText, isEmptyTable, type Draft } from './values.js';

/**
 * A body in the one form that all bodies with the same meaning have, as far as that needs no schema: no hidden keys, no
 * empty collections where absence means the same, label lists as their stored text, nodes in a fixed order, every empty
 * table as `{}`. For comparing only, never for sending.
 */
export function canonical(kind: Kind, body: JsonObject): JsonObject {
  const shown = withoutHidden(kind, body);
  switch (kind) {
    case 'global_rule':
    case 'plugin_metadata':
      return tables(shown);
    case 'upstream':
      return canonicalUpstream(shown);
    default: {
      const value: Draft = {};
      for (const [field, content] of Object.entries(shown)) {
        if (droppedWhenEmpty.has(field) && isEmptyTable(content)) continue;
        // Enabled is what an absent status means.
        if (field === 'status' && content === 1) continue;
        value[field] = canonicalField(field, content);
      }
      return value;
    }
  }
}

const droppedWhenEmpty = new Set(['labels', 'plugins', 'hosts', 'remote_addrs', 'methods', 'vars', 'ssl_protocols']);

function canonicalField(field: string, content: Json): Json {
  switch (field) {
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
    if (field === 'labels' && isEmptyTable(content)) continue;
    if (field === 'labels') value['labels'] = labelsToAdmin(asObject(content) ?? {});
    else if (field === 'nodes') value['nodes'] = (asList(content) ?? []).map(tables).toSorted(byAddress);
    else if (field === 'checks') value['checks'] = tables(withHeaderName(content));
    else value[field] = field === 'discovery_args' ? tables(content) : content;
  }
  return value;
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

/** Every empty list as an empty object: a gateway gives either for the same empty table. */
function tables(value: JsonObject): JsonObject;
function tables(value: Json): Json;
function tables(value: Json): Json {
  if (Array.isArray(value)) return value.length === 0 ? {} : value.map((item: Json) => tables(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, content]) => [key, tables(content)]));
}
