import { AdcError } from '../../model/errors.js';
import type { Ping } from '../backend.js';
import { jsonOf, notAdminApi, type AdminClient, type AdminRequest } from '../shared/client.js';
import { asList } from '../shared/values.js';
import { versionOf } from './features.js';

/** A page of the smallest size a gateway takes: it looks at the key, which `HEAD /apisix/admin` does not. */
const firstPage = '/apisix/admin/routes?page=1&page_size=10';

/** Asks a gateway whether it is there, takes the key and is an Admin API. Never throws for one that is not. */
export async function ping(client: AdminClient): Promise<Ping> {
  const request: AdminRequest = { method: 'GET', path: firstPage };
  const { server } = client.endpoint;
  const started = performance.now();
  try {
    const response = await client.send(request);
    const latency = performance.now() - started;
    const json = jsonOf(client, request, response);
    if (json['list'] === undefined || asList(json['list']) === undefined) {
      throw notAdminApi(client, request, response, 'there is no "list" in it');
    }
    const version = versionOf(response);
    return { server, latency, ...(version === undefined ? {} : { version }) };
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return { server, latency: performance.now() - started, error };
  }
}
