import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
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

function addLabelWarnings(labels: JsonObject, warnings: string[]): void {
  // What comes from a program may hold undefined, which the schema reports.
  const entries: [string, Json | undefined][] = Object.entries(labels);
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    const written = typeof value === 'string' ? value : JSON.stringify(value);
    if (written === '' || /\s/.test(written)) {
      warnings.push(`label "${key}": gateways take label values without white space and not empty`);
    } else if (lengthOf(written, longest.label) > longest.label) {
      warnings.push(`label "${key}": gateways take at most ${longest.label} characters`);
    }
  }
}

/** Adds warnings of what the format allows and gateways refuse, so that nobody learns it half way through a sync. */
export function addLimitNotices(resource: Resource, notices: Notice[]): void {
  const { kind, id, name, body } = resource;
  if (kind === 'global_rule' || kind === 'plugin_metadata') return;
  const warnings: string[] = [];
  const tooLong = (what: string, value: string, most: number) => {
    const length = lengthOf(value, most);
    if (length > most) warnings.push(`the ${what} has ${length} characters; gateways take at most ${most}`);
  };
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
    addLabelWarnings(body['labels'] as JsonObject, warnings);
  }
  const shown = name.length > 80 ? `${name.slice(0, 77)}...` : name;
  for (const warning of warnings) {
    notices.push({ level: 'warning', message: `${kind} "${shown}": ${warning}`, key: resource.key });
  }
}
