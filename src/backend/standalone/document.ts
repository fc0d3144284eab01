import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { isSame } from '../shared/values.js';

/** The lists of a document whose objects are resources of the tool, in the order in which they are written. */
export const managedSections = [
  'upstreams',
  'services',
  'routes',
  'stream_routes',
  'ssls',
  'consumers',
  'consumer_groups',
  'plugin_configs',
  'global_rules',
  'plugin_metadata',
] as const;

/** One list of a document, with the version it was last written under. */
export interface Section {
  readonly version: number;
  /** Admin API objects with `id` (a consumer: `username`) and perhaps `modifiedIndex`. */
  readonly items: readonly Json[];
}

/**
 * What one instance holds. The sections are whatever the instance says it has: those of {@link managedSections}, others
 * that the tool leaves alone (`protos`, `secrets`), and such as it has never heard of.
 */
export interface Document {
  readonly sections: ReadonlyMap<string, Section>;
}

const versionSuffix = '_conf_version';

/** A section whose objects are resources of the tool. */
export type ManagedSection = (typeof managedSections)[number];

/** Tells whether the objects of a section are resources of the tool. */
export function isManaged(section: string): section is ManagedSection {
  return (managedSections as readonly string[]).includes(section);
}

/**
 * Reads the JSON of an instance's answer. What is no list with a version of its own (`X-Digest`, `X-Last-Modified`) is no
 * part of the document.
 *
 * @returns what is wrong, in words, where it is no such document
 */
export function parseDocument(text: string): Document | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'the body is not JSON';
  }
  if (!isJsonObject(parsed)) return 'the body is no JSON object';
  const sections = new Map<string, Section>();
  for (const [key, version] of Object.entries(parsed)) {
    if (!key.endsWith(versionSuffix)) continue;
    if (typeof version !== 'number') return `"${key}" is no number`;
    const name = key.slice(0, -versionSuffix.length);
    const items = parsed[name];
    sections.set(name, { version, items: isList(items) ? items : [] });
  }
  return sections.size === 0 ? 'there is no *_conf_version in it' : { sections };
}

/** Writes a document as a PUT takes it. `lists` names the sections that are sent whole; of the others only the version goes, which keeps them. */
export function serialiseDocument(document: Document, lists: (section: string) => boolean): string {
  const body: Record<string, Json> = {};
  for (const [name, { version, items }] of document.sections) {
    if (lists(name)) body[name] = items;
    body[`${name}${versionSuffix}`] = version;
  }
  return JSON.stringify(body);
}

/** The id an object has within its section; a consumer's is its username. */
export function idOf(item: Json): string | undefined {
  if (!isJsonObject(item)) return undefined;
  const id = item['id'] ?? item['username'];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

/** Tells whether an instance was never written: as it is after a start. */
export function isBlank(document: Document): boolean {
  return [...document.sections.values()].every(({ version, items }) => version === 0 && items.length === 0);
}

/** The highest version of any section. */
export function highestVersion(document: Document): number {
  return [...document.sections.values()].reduce((highest, { version }) => Math.max(highest, version), 0);
}

/** Without what belongs to the document and not to the object. */
export function withoutIndex(item: JsonObject): JsonObject {
  if (item['modifiedIndex'] === undefined) return item;
  const { modifiedIndex: _, ...rest } = item;
  return rest;
}

/**
 * Gives a document that shares with another whatever the two have in common, so that sixteen instances with the same
 * content keep one copy of it; the other document itself where they are the same.
 */
export function shareWith(document: Document, other: Document): Document {
  let shared = document.sections.size === other.sections.size;
  const sections = new Map<string, Section>();
  for (const [name, section] of document.sections) {
    const theirs = other.sections.get(name);
    const items = theirs !== undefined && equalItems(section.items, theirs.items) ? theirs.items : section.items;
    shared &&= theirs !== undefined && theirs.version === section.version && theirs.items === items;
    sections.set(name, theirs?.items === items && theirs.version === section.version ? theirs : { ...section, items });
  }
  return shared ? other : { sections };
}

function equalItems(a: readonly Json[], b: readonly Json[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => isSame(item, b[index])));
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
