import { AdcError } from '../../model/errors.js';
import { isJsonObject, type Json } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import { jsonOf, type AdminClient, type AdminRequest } from '../shared/client.js';
import { asList } from '../shared/values.js';

/** Collections of things that no configuration can hold. */
const collections = { protos: 'proto', secrets: 'secret' } as const;

/**
 * Names what a gateway stores of kinds that the tool does not manage. Nothing depends on it: a list that cannot be read
 * is one more notice.
 */
export async function readUnmanaged(client: AdminClient): Promise<readonly Notice[]> {
  const found = await Promise.all(
    Object.entries(collections).map(([collection, word]) => readCollection(client, collection, word)),
  );
  return found.flat();
}

async function readCollection(client: AdminClient, collection: string, word: string): Promise<readonly Notice[]> {
  const request: AdminRequest = { method: 'GET', path: `/apisix/admin/${collection}` };
  try {
    const json = jsonOf(client, request, await client.send(request));
    return (asList(json['list']) ?? []).map((item) => ({
      level: 'info',
      message: `${word} "${idOf(item, collection)}" is not managed: a configuration has no ${collection}`,
    }));
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return [{ level: 'info', message: `what there is of ${collection} is not known: ${error.message}` }];
  }
}

/** `/apisix/secrets/vault/1` is the secret `vault/1`. */
function idOf(item: Json, collection: string): string {
  const key = isJsonObject(item) && typeof item['key'] === 'string' ? item['key'] : '';
  const start = key.indexOf(`/${collection}/`);
  return start < 0 ? key : key.slice(start + collection.length + 2);
}
