import type { Memory } from '../../memory/memory.js';
import { printOf } from '../../memory/print.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { PoolResponse } from '../../pool/pool.js';
import { jsonOf, notAdminApi, type AdminClient, type AdminRequest } from '../shared/client.js';
import type { AdminObject, Collection } from '../shared/collections.js';
import { asList, asText, isSame } from '../shared/values.js';

/** One list answer, decoded. The same object for the same content, as long as the memory holds it. */
export interface ParsedList {
  readonly objects: readonly AdminObject[];
  /** Size of the answer it came from. */
  readonly bytes: number;
}

/** A list with nothing in it. */
export const emptyList: ParsedList = { objects: [], bytes: 0 };

/** One list in the forms it arrived in, the last one last. */
type Variants = readonly { readonly print: string; readonly list: ParsedList }[];

/** The lists of one gateway, by path. */
interface KnownLists {
  readonly lists: ReadonlyMap<string, Variants>;
}

/** Every worker of a gateway orders keys its own way, so one content arrives in about as many forms as there are workers. */
const keptVariants = 8;

/** What parsed objects keep alive, compared with the bytes they came from. */
const overhead = 4;

/** Decodes list answers, and gives the same objects for bytes that were decoded before. */
export interface ListDecoder {
  /**
   * @param parent the username, for credentials
   * @throws GatewayError `unauthorized`, `refused`, or `not_admin_api` for anything that is no list
   */
  decode(request: AdminRequest, response: PoolResponse, collection: Collection, parent?: string): ParsedList;
  /** Remembers what was decoded. @param isAll every list was: what is remembered of others is of no more use */
  remember(isAll: boolean): void;
}

/** Builds the decoder of one reading of a gateway, as one caller sees it. */
export function createListDecoder(client: AdminClient, memory: Memory, key: string): ListDecoder {
  const space = memory.space<KnownLists>('apisix/lists');
  const before = space.get(key)?.lists ?? new Map<string, Variants>();
  const now: (readonly [path: string, variants: Variants])[] = [];
  return {
    decode(request, response, collection, parent) {
      if (response.status !== 200) {
        jsonOf(client, request, response);
        throw notAdminApi(client, request, response, 'a list is answered with 200');
      }
      if (!memory.keeps) return parseList(client, request, response, collection, parent);
      const print = printOf(response.body);
      const known = before.get(request.path) ?? [];
      const variant = known.find((one) => one.print === print);
      if (variant !== undefined) {
        now.push([request.path, known]);
        return variant.list;
      }

      const parsed = parseList(client, request, response, collection, parent);
      const equal = known.find((one) => isSameList(one.list, parsed));
      const list = equal?.list ?? parsed;
      // Other contents are gone from the gateway: keeping them would only cost memory.
      const others = equal === undefined ? [] : known.filter((one) => one.list === list);
      now.push([request.path, [...others.slice(1 - keptVariants), { print, list }]]);
      return list;
    },
    remember(isAll) {
      const isKnown = now.every(([path, variants]) => before.get(path) === variants);
      if (isKnown && (!isAll || now.length === before.size)) return;
      const lists = new Map(isAll ? now : [...before, ...now]);
      const bytes = [...lists.values()].reduce(
        (sum, variants) =>
          variants.reduce((prints, { print }) => prints + print.length, sum) +
          (variants[0]?.list.bytes ?? 0) * overhead +
          256,
        0,
      );
      space.set(key, { lists }, bytes);
    },
  };
}

function isSameList(one: ParsedList, other: ParsedList): boolean {
  if (one.objects.length !== other.objects.length) return false;
  return one.objects.every((object, index) => {
    const match = other.objects[index];
    return match !== undefined && object.id === match.id && isSame(object.value, match.value);
  });
}

function parseList(
  client: AdminClient,
  request: AdminRequest,
  response: PoolResponse,
  collection: Collection,
  parent: string | undefined,
): ParsedList {
  const json = jsonOf(client, request, response);
  const items = json['list'] === undefined ? undefined : asList(json['list']);
  if (items === undefined) throw notAdminApi(client, request, response, 'there is no "list" in it');
  const objects = items.map((item, index) => {
    const object = objectOf(item, collection, parent);
    if (object === undefined) throw notAdminApi(client, request, response, `"list[${index}]" is no stored object`);
    return object;
  });
  return { objects, bytes: response.body.byteLength };
}

function objectOf(item: Json, collection: Collection, parent: string | undefined): AdminObject | undefined {
  if (!isJsonObject(item) || !isJsonObject(item['value'])) return undefined;
  const id = idOf(collection, item['key'], item['value']);
  if (id === undefined) return undefined;
  return { collection, id, ...(parent === undefined ? {} : { parent }), value: item['value'] };
}

/** The last step of the key is the id whatever the kind; the value has none on some versions. */
function idOf(collection: Collection, key: Json | undefined, value: JsonObject): string | undefined {
  const last = typeof key === 'string' ? key.slice(key.lastIndexOf('/') + 1) : '';
  return last === '' ? asText(value[collection === 'consumers' ? 'username' : 'id']) : last;
}
