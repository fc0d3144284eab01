import { isJsonObject } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import type { ObjectRef } from '../../model/operation.js';
import type { State } from '../../model/resource.js';
import { objectRef, type AdminObject, type Collection } from '../shared/collections.js';
import type { Feature, Features } from '../shared/features.js';
import { fromAdmin, type AdminObjects } from '../shared/from-admin.js';
import { idOf, isManaged, withoutIndex, type Document } from './document.js';

/** A document as the resources and objects it holds, under the names they have on a gateway with etcd. */
export interface Inventory {
  readonly document: Document;
  readonly state: State;
  readonly notices: readonly Notice[];
  readonly features: Features;
  /** Every object of the managed sections, as it stands in the document. */
  readonly objects: ReadonlyMap<ObjectRef, AdminObject>;
}

/** What every gateway with a standalone Admin API can do: the first, 3.13, is newer than these. */
const always: readonly Feature[] = [
  'credentials',
  'stream_route_labels',
  'stream_route_name',
  'consumer_group_name',
  'plugin_config_name',
];

/** The features that decide how objects are written and read. Stream routes came to the document with 3.14. */
function featuresOf(document: Document): Features {
  return new Set<Feature>(document.sections.has('stream_routes') ? [...always, 'stream_routes'] : always);
}

/** Reads a document as resources. */
export function takeInventory(document: Document): Inventory {
  const features = featuresOf(document);
  const listed = listObjects(document);
  const { state, notices } = fromAdmin(listed, features);
  const objects = new Map<ObjectRef, AdminObject>();
  for (const list of Object.values(listed)) {
    for (const object of list) objects.set(objectRef(object.collection, object.id, object.parent), object);
  }
  return { document, state, notices, features, objects };
}

/**
 * Where an object stands in a document: its section, and its id there (`ann/credentials/c1` among `consumers`), which is
 * not encoded as it is in its name.
 */
export function placeOf(ref: ObjectRef): { readonly section: string; readonly id: string } {
  const [section = '', ...id] = ref.split('/').map(decodeURIComponent);
  return { section, id: id.join('/') };
}

/** The name of the object that stands at such a place: the inverse of {@link placeOf}. */
export function refAt(section: string, id: string): ObjectRef {
  const [, parent, credential] = section === 'consumers' ? (credentialId.exec(id) ?? []) : [];
  return parent === undefined || credential === undefined
    ? `${section}/${encodeURIComponent(id)}`
    : objectRef('credentials', credential, parent);
}

const credentialId = /^([^/]+)\/credentials\/(.+)$/;

function listObjects(document: Document): AdminObjects {
  const objects: Record<Collection, AdminObject[]> = {
    services: [],
    upstreams: [],
    routes: [],
    stream_routes: [],
    ssls: [],
    consumers: [],
    credentials: [],
    consumer_groups: [],
    plugin_configs: [],
    global_rules: [],
    plugin_metadata: [],
  };
  for (const [section, { items }] of document.sections) {
    if (!isManaged(section)) continue;
    for (const item of items) {
      const id = idOf(item);
      if (id === undefined || !isJsonObject(item)) continue;
      const [, parent, credential] = section === 'consumers' ? (credentialId.exec(id) ?? []) : [];
      if (parent !== undefined && credential !== undefined) {
        objects.credentials.push({ collection: 'credentials', id: credential, parent, value: item });
        continue;
      }
      // Whatever plugin metadata holds is read as its body.
      const value = section === 'plugin_metadata' ? withoutIndex(item) : item;
      objects[section].push({ collection: section, id, value });
    }
  }
  return objects;
}
