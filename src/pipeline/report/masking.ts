import type { FieldChange, Update } from '../../model/change.js';
import { equalJson } from '../../model/equal.js';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../model/json.js';
import { mask, redactFieldChanges, redactResource } from '../../model/redaction.js';
import type { Resource } from '../../model/resource.js';

/** The body of a resource as it may be shown. */
export function maskResource(resource: Resource, showSecrets: boolean): JsonObject {
  return showSecrets ? resource.body : redactResource(resource.kind, resource.body);
}

/** The fields of an update as they may be shown. */
export function maskFields(change: Update, showSecrets: boolean): readonly FieldChange[] {
  if (showSecrets || change.fields.length === 0) return change.fields;
  const old = maskerOf(change.current);
  const wanted = maskerOf(change.desired);
  return redactFieldChanges(change.kind, change.fields).map((masked, index) => {
    const field = change.fields[index] ?? masked;
    if (field.kind === 'N' && masked.kind === 'N') return { ...field, rhs: wanted(field.path, field.rhs, masked.rhs) };
    if (field.kind === 'D' && masked.kind === 'D') return { ...field, lhs: old(field.path, field.lhs, masked.lhs) };
    if (field.kind === 'E' && masked.kind === 'E') {
      const { path, lhs, rhs } = field;
      return { ...field, lhs: old(path, lhs, masked.lhs), rhs: wanted(path, rhs, masked.rhs) };
    }
    if (field.kind !== 'A' || masked.kind !== 'A') return masked;
    const path = [...field.path, field.index];
    if (field.item.kind === 'N' && masked.item.kind === 'N') {
      return { ...field, item: { kind: 'N', rhs: wanted(path, field.item.rhs, masked.item.rhs) } };
    }
    if (field.item.kind === 'D' && masked.item.kind === 'D') {
      return { ...field, item: { kind: 'D', lhs: old(path, field.item.lhs, masked.item.lhs) } };
    }
    return masked;
  });
}

/** Tells whether masking left nothing to see of an edit: it looks the same on both sides. */
export function isHiddenEdit(masked: FieldChange): boolean {
  return masked.kind === 'E' && equalJson(masked.lhs, masked.rhs);
}

/**
 * Masks values by where they stand in a whole body: whether `["http_apikey", "==", "…"]` or `{name, value}` holds a secret
 * is told by the values beside it, which the path of the field alone does not have. `otherwise`: what the path alone
 * masked, used where the body has nothing at that path (a default that was filled in).
 */
function maskerOf(resource: Resource): (path: JsonPath, value: Json, otherwise: Json) => Json {
  const shown = redactResource(resource.kind, resource.body);
  return (path, value, otherwise) => {
    const held = valueAt(resource.body, path);
    const masked = valueAt(shown, path);
    if (held === undefined || masked === undefined || equalJson(held, masked)) return otherwise;
    return equalJson(held, value) ? masked : mask;
  };
}

function valueAt(body: JsonObject, path: JsonPath): Json | undefined {
  let value: Json | undefined = body;
  for (const step of path) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(step)];
    else value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}
