import type { JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { asList, asObject, omit } from './values.js';

/**
 * A body without what no gateway gives back: private keys of certificates and of upstreams. A certificate determines its
 * key, so comparing without them loses nothing that could be seen. The same object where it has none.
 */
export function withoutHidden(kind: Kind, body: JsonObject): JsonObject {
  switch (kind) {
    case 'ssl':
      return withoutCertificateKeys(body);
    case 'upstream':
      return withoutClientKey(body);
    case 'service': {
      const upstream = asObject(body['upstream']);
      if (upstream === undefined) return body;
      const shown = withoutClientKey(upstream);
      return shown === upstream ? body : { ...body, upstream: shown };
    }
    default:
      return body;
  }
}

function withoutCertificateKeys(body: JsonObject): JsonObject {
  const pairs = asList(body['certificates']);
  if (pairs === undefined || !pairs.some((pair) => asObject(pair)?.['key'] !== undefined)) return body;
  return { ...body, certificates: pairs.map((pair) => omit(asObject(pair) ?? {}, ['key'])) };
}

function withoutClientKey(upstream: JsonObject): JsonObject {
  const tls = asObject(upstream['tls']);
  return tls?.['client_key'] === undefined ? upstream : { ...upstream, tls: omit(tls, ['client_key']) };
}
