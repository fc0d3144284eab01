import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../model/json.js';
import { collections, misplaced } from './collections.js';
import type { Finding, Part, Place } from './findings.js';

/** One document made of several parts, and the way back from it. */
export interface Merged {
  readonly document: JsonObject;
  /** Where a path of the merged document stands in its part. */
  placeOf(path: JsonPath): Place;
  readonly findings: readonly Finding[];
}

/** Consecutive entries of a merged list that come from one part. */
interface Segment {
  readonly part: number;
  readonly start: number;
}

/** Says what is wrong with a value that should be a list or a mapping; undefined where nothing is. */
function shapeError(value: unknown, shape: 'list' | 'mapping'): string | undefined {
  const empty = shape === 'list' ? '[]' : '{}';
  if (value === null) return `null is not allowed; write ${empty} if nothing is meant to be there`;
  if (shape === 'list' ? Array.isArray(value) : isJsonObject(value)) return undefined;
  return `Invalid input: expected a ${shape}, received ${kindOf(value)}`;
}

/** The word for a JSON value's type that people know. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return `a ${typeof value}`;
}

function unknownKey(key: string, file: string | undefined): string {
  const what =
    file === undefined
      ? `The configuration contains an unknown key "${key}"`
      : `Configuration file "${file}" contains an unknown key "${key}"`;
  const hint = misplaced.get(key);
  return hint === undefined ? what : `${what}: ${hint}`;
}

/**
 * Joins the parts: lists one after the other, mappings key by key. What has the wrong shape is reported and left out.
 * Names are not looked at here: what two parts both define is found where the resources are laid out.
 */
export function mergeParts(parts: readonly Part[]): Merged {
  const findings: Finding[] = [];
  const segments = new Map<string, Segment[]>();
  const owners = new Map<string, Map<string, number>>();
  const document: Record<string, Json> = {};

  parts.forEach((part, index) => {
    const root = part.document;
    if (!isJsonObject(root)) {
      const message =
        root === null
          ? 'null is not a configuration; write {} if nothing is meant to be there'
          : `A configuration must be a mapping with keys such as "services", not ${kindOf(root)}`;
      findings.push({ message, place: { part: index, path: [] } });
      return;
    }
    for (const key of Object.keys(root)) {
      if (!collections.some((collection) => collection.key === key)) {
        findings.push({ message: unknownKey(key, part.file), place: { part: index, path: [key], at: 'key' } });
      }
    }
    for (const { key, kind, shape } of collections) {
      if (!Object.hasOwn(root, key)) continue;
      const value = root[key];
      const error = shapeError(value, shape);
      if (error !== undefined) {
        findings.push({ message: error, place: { part: index, path: [key] } });
      } else if (Array.isArray(value)) {
        const before = (document[key] ?? []) as readonly Json[];
        segments.set(key, [...(segments.get(key) ?? []), { part: index, start: before.length }]);
        document[key] = before.length === 0 ? value : before.concat(value as Json[]);
      } else if (isJsonObject(value)) {
        const owned = owners.get(key) ?? new Map<string, number>();
        owners.set(key, owned);
        for (const plugin of Object.keys(value)) {
          const first = owned.get(plugin);
          if (first === undefined) owned.set(plugin, index);
          else {
            findings.push({
              message: duplicate(kind, plugin, part.file),
              place: { part: index, path: [key, plugin], at: 'key' },
              first: { part: first, path: [key, plugin], at: 'key' },
            });
          }
        }
        const before = document[key];
        document[key] = before === undefined ? value : { ...(before as JsonObject), ...value };
      }
    }
  });

  const placeOf = (path: JsonPath): Place => {
    const [key, entry] = path;
    if (typeof key === 'string' && typeof entry === 'number') {
      const segment = segments.get(key)?.findLast(({ start }) => start <= entry);
      if (segment !== undefined) {
        const { part, start } = segment;
        return { part, path: start === 0 ? path : [key, entry - start, ...path.slice(2)] };
      }
    }
    if (typeof key === 'string' && typeof entry === 'string') {
      const part = owners.get(key)?.get(entry);
      if (part !== undefined) return { part, path };
    }
    return { part: 0, path };
  };
  return { document, placeOf, findings };
}

/** What is said of a resource that is there twice; callers search for these words. */
export function duplicate(kind: string, identity: string, file: string | undefined): string {
  return `Duplicate ${kind} "${identity}" was found${file === undefined ? '' : ` in ${file}`}`;
}
