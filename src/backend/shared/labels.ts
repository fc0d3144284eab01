import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';

/** Labels as a gateway takes them: a list becomes its JSON text, without spaces. The same object where there is no list. */
export function labelsToAdmin(labels: JsonObject): JsonObject {
  if (!Object.values(labels).some(Array.isArray)) return labels;
  const values: Record<string, Json> = {};
  for (const [key, value] of Object.entries(labels)) {
    values[key] = Array.isArray(value) ? JSON.stringify(value) : value;
  }
  return values;
}

/**
 * Labels as the ADC file has them: the JSON text of a list of strings becomes that list again. A text that is such a
 * list but was meant as a string reads as the list too; both are stored as the same text, so comparing them in the
 * stored form sees no difference.
 */
export function labelsFromAdmin(labels: Json | undefined, without: readonly string[] = []): JsonObject | undefined {
  if (!isJsonObject(labels)) return undefined;
  const values: Record<string, Json> = {};
  let count = 0;
  for (const [key, value] of Object.entries(labels)) {
    if (without.includes(key)) continue;
    values[key] = typeof value === 'string' ? (listOf(value) ?? value) : value;
    count += 1;
  }
  return count === 0 ? undefined : values;
}

function listOf(text: string): readonly string[] | undefined {
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    const strings = Array.isArray(list) && list.every((item) => typeof item === 'string');
    return strings && JSON.stringify(list) === text ? list : undefined;
  } catch {
    return undefined;
  }
}

const escape = /%[0-9A-Fa-f]{2}/;

/**
 * A name as a label value, for kinds that have no `name`. Label values hold no white space (`^\S+$`), so such a name is
 * percent-encoded; so is one that would otherwise be taken for an encoded one.
 */
export function nameToLabel(name: string): string {
  return /\s/u.test(name) || escape.test(name) ? encodeURIComponent(name) : name;
}

/** The name that {@link nameToLabel} wrote. */
export function nameFromLabel(value: string): string {
  if (!escape.test(value)) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
