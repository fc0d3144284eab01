import type { Json, JsonObject } from '../../model/json.js';
import { labelsFromAdmin, labelsToAdmin } from './labels.js';
import { sharedLabel, upstreamServiceLabel } from '../../model/labels.js';
import { withUpstreamDefaults } from './format-defaults.js';
import { asList, asObject, asText, type Draft } from './values.js';

/** The fields of an upstream that mean the same on both sides and need no change. */
const sameFields = [
  'type',
  'hash_on',
  'key',
  'scheme',
  'retries',
  'retry_timeout',
  'timeout',
  'keepalive_pool',
  'pass_host',
  'upstream_host',
  'service_name',
  'discovery_type',
] as const;

/** An upstream of the ADC file as the Admin API takes it, a new object, without `id`. Fields that the format does not know pass. */
export function upstreamToAdmin(body: JsonObject): Draft {
  const value: Draft = {};
  for (const field of Object.keys(body)) {
    const content = body[field];
    if (content === undefined) continue;
    if (field === 'description') value['desc'] = content;
    else if (field === 'labels') value['labels'] = labelsToAdmin(asObject(content) ?? {});
    else if (field === 'checks') value['checks'] = withHeaderName(content);
    else value[field] = content;
  }
  return value;
}

/**
 * The active check's request headers under the name that gateways know: `http_request_headers` is accepted there without
 * an error, and ignored.
 */
export function withHeaderName(checks: Json): Json {
  const outer = asObject(checks);
  const active = asObject(outer?.['active']);
  if (outer === undefined || active?.['http_request_headers'] === undefined) return checks;
  const { http_request_headers: headers, ...rest } = active;
  return { ...outer, active: { req_headers: headers, ...rest } };
}

/**
 * A stored upstream in the shape of the ADC file, with the defaults that linting a file fills in, without `id`, `name`,
 * times and the client key, which gateways give as ciphertext on every read.
 */
export function upstreamFromAdmin(value: JsonObject): JsonObject {
  const body: Draft = {};
  for (const field of sameFields) {
    const content = value[field];
    if (content !== undefined) body[field] = content;
  }
  const description = value['desc'];
  if (description !== undefined) body['description'] = description;
  const labels = labelsFromAdmin(value['labels'], [upstreamServiceLabel, sharedLabel]);
  if (labels !== undefined) body['labels'] = labels;
  const checks = asObject(value['checks']);
  if (checks !== undefined) body['checks'] = checks;
  const discovery = asObject(value['discovery_args']);
  if (discovery !== undefined) body['discovery_args'] = discovery;
  if (value['nodes'] !== undefined) body['nodes'] = nodesFromAdmin(value['nodes'], asText(value['scheme']));
  const tls = asObject(value['tls']);
  if (tls !== undefined) {
    const { client_key: _hidden, client_cert_id: stored, ...shown } = tls;
    const certificateId = asText(stored);
    body['tls'] = certificateId === undefined ? shown : { ...shown, client_cert_id: certificateId };
  }
  return withUpstreamDefaults(body);
}

/** Tells whether a stored upstream has a client key, which cannot be read. */
export function hidesClientKey(value: JsonObject): boolean {
  return asObject(value['tls'])?.['client_key'] !== undefined;
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, grpc: 80, grpcs: 443 };

/** Nodes as a list with ports: a gateway also takes `"host:port": weight`, and nodes without a port. */
function nodesFromAdmin(nodes: Json, scheme: string | undefined): readonly Json[] {
  const port = defaultPorts[scheme ?? 'http'] ?? 80;
  const list = asList(nodes);
  if (list !== undefined) {
    return list.map((item) => {
      const node = asObject(item);
      return node === undefined || node['port'] !== undefined ? item : { ...node, port };
    });
  }
  return Object.entries(asObject(nodes) ?? {})
    .map(([address, weight]) => ({ ...splitAddress(address, port), weight }))
    .toSorted((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1));
}

/** Splits `host:port`; an IPv6 address with a port stands in brackets, which stay. */
function splitAddress(address: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const match = /^(\[[^\]]+\]|[^:]*):(\d+)$/.exec(address);
  if (match?.[1] === undefined) return { host: address, port: defaultPort };
  return { host: match[1], port: Number(match[2]) };
}
