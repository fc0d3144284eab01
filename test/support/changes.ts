import type { Change, FieldChange, Update } from '../../src/model/change.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Resource, State } from '../../src/model/resource.js';
import { fieldChanges } from '../../src/pipeline/diff/fields.js';

/** A resource named as its body says, else as its id. */
export function resource(kind: Resource['kind'], id: string, body: JsonObject, parent?: string): Resource {
  const name = typeof body['name'] === 'string' ? body['name'] : id;
  const own = { kind, id, key: kind === 'consumer_credential' ? `${kind}/ann/${id}` : `${kind}/${id}`, name, body };
  return parent === undefined ? own : { ...own, parent };
}

/** A state of these resources. */
export function stateOf(...resources: readonly Resource[]): State {
  return { resources: new Map(resources.map((one) => [one.key, one])) };
}

/** The update of one into the other, with the fields that differ unless others are given. */
export function update(current: Resource, desired: Resource, fields?: readonly FieldChange[]): Update {
  const { key, kind, id, name } = desired;
  const parentId = desired.parent?.slice(desired.parent.indexOf('/') + 1);
  const change = { type: 'update', key, kind, id, name, current, desired } as const;
  const whole: Update = { ...change, fields: fields ?? fieldChanges(current.body, desired.body) };
  return parentId === undefined ? whole : { ...whole, parentId };
}

/** The creation of a resource. */
export function creation(desired: Resource): Change {
  const { key, kind, id, name } = desired;
  const parentId = desired.parent?.slice(desired.parent.indexOf('/') + 1);
  return { type: 'create', key, kind, id, name, desired, ...(parentId === undefined ? {} : { parentId }) };
}

/** The deletion of a resource. */
export function deletion(current: Resource): Change {
  const { key, kind, id, name } = current;
  return { type: 'delete', key, kind, id, name, current };
}
