import { isJsonObject, type JsonObject } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import type { Resource } from '../../model/resource.js';

/** What the gateways' own schemas allow at most; the format allows more. */
const longest = { id: 64, name: 256, description: 256, label: 256 } as const;

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Length in code points: what a gateway counts. */
function lengthOf(value: string, atMost: number): number {
  return value.length <= atMost ? value.length : Array.from(value).length;
}

function labelWarnings(labels: JsonObject): string[] {
  const warnings: string[] = [];
  for (const [key, value] of Object.entries(labels)) {
    const written = typeof value === 'string' ? value : JSON.stringify(value);
    if (written === '' || /\s/.test(written)) {
      warnings.push(`label "${key}": gateways take label values without white space and not empty`);
    } else if (lengthOf(written, longest.label) > longest.label) {
      warnings.push(`label "${key}": gateways take at most ${longest.label} characters`);
    }
  }
  return warnings;
}

/** Warns of what the format allows and gateways refuse, so that nobody learns it half way through a sync. */
export function limitNotices(resource: Resource): Notice[] {
  const { kind, id, name, body } = resource;
  const warnings: string[] = [];
  const tooLong = (what: string, value: string, most: number) => {
    const length = lengthOf(value, most);
    if (length > most) warnings.push(`the ${what} has ${length} characters; gateways take at most ${most}`);
  };
  if (kind === 'global_rule' || kind === 'plugin_metadata') return [];
  if (kind === 'consumer') {
    tooLong('username', id, longest.name);
    if (!/^[a-zA-Z0-9_-]+$/.test(id)) {
      warnings.push('gateways take usernames of letters, digits, "_" and (newer ones) "-" only');
    }
  } else {
    tooLong('id', id, longest.id);
    tooLong('name', text(body['name']), longest.name);
  }
  const upstream = kind === 'service' ? body['upstream'] : kind === 'upstream' ? body : undefined;
  const tls = isJsonObject(upstream) ? upstream['tls'] : undefined;
  if (isJsonObject(tls) && tls['client_cert'] !== undefined && tls['client_key'] === undefined) {
    warnings.push('"tls" has a client_cert and no client_key; gateways take neither without the other');
  }
  tooLong('description', text(body['description']), longest.description);
  if (typeof body['labels'] === 'object' && body['labels'] !== null) {
    warnings.push(...labelWarnings(body['labels'] as JsonObject));
  }
  const shown = name.length > 80 ? `${name.slice(0, 77)}...` : name;
  return warnings.map((warning) => ({
    level: 'warning',
    message: `${kind} "${shown}": ${warning}`,
    key: resource.key,
  }));
}
