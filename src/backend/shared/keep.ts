import type { JsonObject } from '../../model/json.js';
import { kindOf, type AdminObject } from './collections.js';
import { unmanagedFields } from './from-admin.js';
import { asList, asObject, type Draft } from './values.js';

/**
 * The value to write over a stored object: what the configuration cannot mention stays as it was stored, and so do keys
 * that the file leaves out although their certificate is the stored one. A PUT replaces the whole object.
 */
export function keepStored(object: AdminObject, stored: AdminObject | undefined): AdminObject {
  if (stored === undefined) return object;
  const kept = keepKeys(object, stored.value);
  const fields = keptFields(object, stored.value);
  return kept === object.value && Object.keys(fields).length === 0
    ? object
    : { ...object, value: { ...kept, ...fields } };
}

function keptFields({ collection, value }: AdminObject, stored: JsonObject): JsonObject {
  const kept: Draft = {};
  for (const field of unmanagedFields[kindOf[collection]] ?? []) {
    const content = stored[field];
    if (content === undefined || value[field] !== undefined || replaces(value, field)) continue;
    kept[field] = content;
  }
  if (collection === 'ssls' && stored['status'] === 0) kept['status'] = 0;
  return kept;
}

/** Tells whether what the file says takes the place of a stored field: gateways do not take the two together. */
function replaces(value: JsonObject, field: string): boolean {
  if (field === 'upstream') return value['upstream_id'] !== undefined;
  if (field === 'script' || field === 'script_id') {
    return value['plugins'] !== undefined || value['plugin_config_id'] !== undefined;
  }
  return false;
}

/** Keys come back as ciphertext, if at all; a gateway takes its own ciphertext as the key it stands for. */
function keepKeys({ collection, value }: AdminObject, stored: JsonObject): JsonObject {
  if (collection === 'upstreams') return withClientKey(value, stored);
  if (collection !== 'ssls') return value;
  const sameCertificates =
    value['cert'] === stored['cert'] &&
    JSON.stringify(asList(value['certs']) ?? []) === JSON.stringify(asList(stored['certs']) ?? []);
  if (!sameCertificates) return value;
  const { key, keys } = stored;
  return {
    ...(key === undefined ? {} : { key }),
    ...(keys === undefined || value['certs'] === undefined ? {} : { keys }),
    ...value,
  };
}

/** An upstream with the stored client key where the file gives the same client certificate and no key. */
export function withClientKey(upstream: JsonObject, stored: JsonObject): JsonObject {
  const tls = asObject(upstream['tls']);
  const before = asObject(stored['tls']);
  if (tls === undefined || tls['client_key'] !== undefined || before?.['client_key'] === undefined) return upstream;
  if (tls['client_cert'] === undefined || tls['client_cert'] !== before['client_cert']) return upstream;
  return { ...upstream, tls: { ...tls, client_key: before['client_key'] } };
}
