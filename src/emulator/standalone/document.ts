import { idAt, isObject, type Json, type JsonObject } from '../json.js';
import { refuse } from '../admin/refusal.js';
import type { Section, StandaloneRules } from './sections.js';

/** Checks one item of a list; gives what is wrong with it, in the gateway's words. */
export type CheckItem = (section: Section, item: JsonObject) => string | undefined;

/** One thing that is wrong in a document, as `configs/validate` tells it. */
export interface DocumentError {
  readonly resource_type: string;
  readonly index: number;
  readonly resource_id?: string;
  readonly error: string;
}

/** What one list of an instance holds. */
interface Held {
  readonly version: number;
  /** Absent where the list is empty, as in the gateway. */
  readonly items?: readonly Json[];
}

/** What an instance says of its document beside the document itself. */
export interface Stamp {
  readonly digest: string;
  /** Seconds since the epoch. */
  readonly lastModified: number;
}

/** The one document of a data plane instance: what it holds, and its rules for taking another. */
export class InstanceDocument {
  readonly #rules: StandaloneRules;
  readonly #check: CheckItem;
  readonly #now: () => number;
  #held = new Map<string, Held>();
  #stamp: Stamp | undefined;
  #text: string | undefined;

  /** @param now milliseconds since the epoch */
  constructor(rules: StandaloneRules, check: CheckItem, now: () => number) {
    this.#rules = rules;
    this.#check = check;
    this.#now = now;
  }

  /** The digest and time of the latest PUT; absent before the first, and on versions without digests. */
  get stamp(): Stamp | undefined {
    return this.#rules.digests ? this.#stamp : undefined;
  }

  /** The document as a GET answers it. Written once for any number of GETs. */
  get text(): string {
    this.#text ??= JSON.stringify(this.#toJson());
    return this.#text;
  }

  /** Forgets everything, as a process that starts again does. */
  clear(): void {
    this.#held = new Map();
    this.#stamp = undefined;
    this.#text = undefined;
  }

  /**
   * Takes a document. A list whose version is the one held is ignored; a list without version counts as one above, and
   * a list that is missing as empty.
   *
   * @throws Refusal (400) at the first thing that is wrong; nothing is applied then.
   */
  replace(body: JsonObject, digest: string): void {
    if (this.#rules.validates) {
      const [first] = this.#errors(body, true);
      if (first !== undefined) throw refuse(400, first.error);
    }
    const next = new Map(this.#rules.sections.map((section) => [section.name, this.#take(section, body)]));
    this.#held = next;
    this.#stamp = { digest, lastModified: Math.floor(this.#now() / 1000) };
    this.#text = undefined;
  }

  /** Everything that is wrong with the lists of a document: schemas and ids used twice. Versions do not count. */
  validate(body: JsonObject): readonly DocumentError[] {
    return this.#errors(body, false);
  }

  #take(section: Section, body: JsonObject): Held {
    const held = this.#held.get(section.name) ?? { version: 0 };
    const sent = body[section.versionKey];
    if (sent !== undefined && typeof sent !== 'number') throw refuse(400, `${section.versionKey} must be a number`);
    if (sent !== undefined && sent < held.version) {
      throw refuse(400, `${section.versionKey} must be greater than or equal to (${held.version})`);
    }
    const version = sent ?? held.version + 1;
    if (version === held.version) return held;
    const items = itemsOf(body, section);
    if (!this.#rules.validates) {
      const [first] = this.#errorsOf(section, items, true);
      if (first !== undefined) {
        throw refuse(400, first.isDuplicate ? first.error : worded(section, first));
      }
    }
    return items.length === 0 ? { version } : { version, items };
  }

  #errors(body: JsonObject, onlyFirst: boolean): readonly DocumentError[] {
    const found: DocumentError[] = [];
    for (const section of this.#rules.sections) {
      for (const { isDuplicate: _, ...error } of this.#errorsOf(section, itemsOf(body, section), onlyFirst)) {
        found.push(error);
      }
      if (onlyFirst && found.length > 0) break;
    }
    return found;
  }

  #errorsOf(section: Section, items: readonly Json[], onlyFirst: boolean): readonly Found[] {
    const found: Found[] = [];
    const seen = new Set<string>();
    for (const [index, item] of items.entries()) {
      if (onlyFirst && found.length > 0) break;
      const id = isObject(item) ? (idAt(item, 'id') ?? idAt(item, 'username')) : undefined;
      const at = { resource_type: section.name, index, ...(id === undefined ? {} : { resource_id: id }) };
      if (!isObject(item)) {
        if (section.collection !== undefined) found.push({ ...at, error: notAnObject(item), isDuplicate: false });
        continue;
      }
      const error = section.collection === undefined ? undefined : this.#check(section, withoutIndex(item));
      if (error !== undefined) found.push({ ...at, error, isDuplicate: false });
      if (id !== undefined && seen.has(id)) {
        found.push({ ...at, error: `found duplicate id ${id} in ${section.name}`, isDuplicate: true });
      }
      if (id !== undefined) seen.add(id);
    }
    return found;
  }

  #toJson(): JsonObject {
    const stamp = this.stamp;
    const entries = this.#rules.sections.flatMap((section): (readonly [string, Json])[] => {
      const held = this.#held.get(section.name);
      const version = [section.versionKey, held?.version ?? 0] as const;
      return held?.items === undefined ? [version] : [[section.name, held.items], version];
    });
    return Object.fromEntries([
      ...entries,
      ...(stamp === undefined
        ? []
        : ([
            ['X-Digest', stamp.digest],
            ['X-Last-Modified', stamp.lastModified],
          ] as const)),
    ]);
  }
}

interface Found extends DocumentError {
  readonly isDuplicate: boolean;
}

/** The wording of 3.13 and 3.14, which tell the place and not that it is the configuration that is invalid. */
function worded(section: Section, { index, error }: DocumentError): string {
  return `invalid ${section.name} at index ${index}, err: ${error.replace(/^invalid configuration: /, '')}`;
}

function itemsOf(body: JsonObject, section: Section): readonly Json[] {
  const items = body[section.name];
  return Array.isArray(items) ? (items as readonly Json[]) : [];
}

/** `modifiedIndex` belongs to the document and not to the object. */
function withoutIndex(item: JsonObject): JsonObject {
  if (item['modifiedIndex'] === undefined) return item;
  const { modifiedIndex: _, ...rest } = item;
  return rest;
}

function notAnObject(item: Json): string {
  const type = item === null ? 'userdata' : Array.isArray(item) ? 'table' : typeof item;
  return `invalid configuration: wrong type: expected object, got ${type}`;
}
