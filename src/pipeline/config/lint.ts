import type { JsonObject, JsonPath } from '../../model/json.js';
import { configurationSchema } from '../../model/schema.js';
import { compileAcceptor } from '../../model/schema/acceptor.js';
import { nullMessage } from '../../model/schema/scalars.js';
import { kindOf } from './merge.js';

/** What a configuration looks like after its schema: defaults filled in, numbers coerced; or what is wrong with it. */
export type Linted =
  | { readonly ok: true; readonly document: JsonObject }
  | { readonly ok: false; readonly errors: readonly LintError[] };

/** One violation of the schema. */
interface LintError {
  readonly message: string;
  readonly path: JsonPath;
  /** The key below `path` that is meant, where one is. */
  readonly key?: string;
}

/** What zod tells of a violation when it asks for words. */
interface RawIssue {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly expected?: unknown;
}

const names: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** Words of our own where people need advice; undefined leaves zod's. */
function wordsFor(issue: RawIssue): string | undefined {
  if (issue.input === null) return nullMessage;
  if (issue.code !== 'invalid_type') return undefined;
  const expected = typeof issue.expected === 'string' ? issue.expected : 'a value';
  if (issue.input === undefined) return `Required field is missing: expected ${names[expected] ?? expected}`;
  if (expected === 'string' && (typeof issue.input === 'number' || typeof issue.input === 'boolean')) {
    return `Invalid input: expected string, received ${typeof issue.input}; put it in quotes`;
  }
  if (expected === 'array' || expected === 'object' || expected === 'record') {
    return `Invalid input: expected ${names[expected]}, received ${kindOf(issue.input)}`;
  }
  return undefined;
}

/** What the Admin API calls what the file has in the plural or in full: by word, where the file's word belongs. */
const fileWords: ReadonlyMap<string, { readonly word: string; readonly in: readonly string[] }> = new Map([
  ['uri', { word: 'uris', in: ['routes'] }],
  ['host', { word: 'hosts', in: ['routes', 'services'] }],
  ['remote_addr', { word: 'remote_addrs', in: ['routes'] }],
  ['sni', { word: 'snis', in: ['ssls'] }],
  ['desc', { word: 'description', in: ['services', 'upstream', 'upstreams', 'routes', 'stream_routes', 'consumers'] }],
]);

/** Advice for those who know the Admin API. */
function hintFor(key: string, path: JsonPath): string {
  const known = fileWords.get(key);
  const holder = path.findLast((step) => typeof step === 'string') ?? '';
  return known?.in.includes(holder) === true ? `; the field is "${known.word}" here` : '';
}

const accept = compileAcceptor(configurationSchema);

/** Checks a configuration against the schema. Every violation is reported, not only the first. */
export function lintDocument(document: JsonObject): Linted {
  const accepted = accept(document);
  if (accepted !== undefined) return { ok: true, document: accepted as JsonObject };
  const result = configurationSchema.safeParse(document, { error: wordsFor });
  if (result.success) return { ok: true, document: result.data as JsonObject };
  const errors: LintError[] = [];
  for (const issue of result.error.issues) {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        errors.push({ message: `Unrecognized key: "${key}"${hintFor(key, path)}`, path, key });
      }
    } else {
      errors.push({ message: issue.message, path });
    }
  }
  return { ok: false, errors };
}
