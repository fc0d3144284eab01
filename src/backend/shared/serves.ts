import type { Json, JsonObject } from '../../model/json.js';
import type { AdminObject } from './collections.js';
import { asList, asText } from './values.js';

/** Beyond this many words an object is described by its paths only. */
const mostWords = 256;

/**
 * The traffic an object answers, in words that two objects share where one can stand in for the other: `http host/path`,
 * `tls sni`, `tcp address:port sni`. Empty for what answers nothing itself.
 *
 * @param serviceHosts the hosts of a route's service, which hold where the route has none
 */
export function servedBy({ collection, value }: AdminObject, serviceHosts?: readonly Json[]): readonly string[] {
  switch (collection) {
    case 'routes': {
      const own = plural(value, 'hosts', 'host');
      const hosts = own.length > 0 ? own : (serviceHosts ?? []).map(word);
      const paths = plural(value, 'uris', 'uri');
      if (hosts.length * paths.length > mostWords || hosts.length === 0) return paths.map((path) => `http *${path}`);
      return hosts.flatMap((host) => paths.map((path) => `http ${host}${path}`));
    }
    case 'ssls':
      return plural(value, 'snis', 'sni').map((sni) => `tls ${sni}`);
    case 'stream_routes': {
      const { server_addr: address, server_port: port, sni } = value;
      return [`tcp ${word(address ?? '*')}:${word(port ?? '*')} ${word(sni ?? '*')}`];
    }
    default:
      return [];
  }
}

function plural(value: JsonObject, many: string, one: string): readonly string[] {
  const single = asText(value[one]);
  return single === undefined ? (asList(value[many]) ?? []).map(word) : [single];
}

function word(value: Json): string {
  return asText(value) ?? '';
}
