import { constructFromEvents, CORE_SCHEMA, EVENT_ID, mergeTag, parseEvents, YAMLException, type Event } from 'js-yaml';
import { findExpansion } from './expansion.js';
import { scanJson, type JsonSyntaxError } from './json-scan.js';
import { indexYaml, nodeOffset } from './positions.js';
import { indexLines, lineColumn } from './lines.js';
import { readPlainYaml } from './plain-yaml.js';
import { maxDepth } from './values.js';

/** The two formats a configuration is written in. */
export type Format = 'yaml' | 'json';

/** Something wrong with a text, and where. */
interface SyntaxProblem {
  readonly message: string;
  /** 1-based; absent where the text as a whole is meant. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

/** A document, and what its reader knows of it already. */
export interface Document {
  readonly document: unknown;
  /** Whether it is known that nothing in it is unusable (see findUnusable). */
  readonly isUsable: boolean;
  /** Whether a string in it may hold `${`. */
  readonly hasVariables: boolean;
}

/** What a text holds, or why it cannot be read. */
export type Parsed =
  | ({ readonly ok: true } & Document)
  | { readonly ok: false; readonly problems: readonly SyntaxProblem[] };

/** Of a document that its reader knows nothing of. */
const unexamined = { isUsable: false, hasVariables: true } as const;

/** YAML 1.2 core, and `<<`, which the format has always been shared with. */
const yamlSchema = CORE_SCHEMA.withTags(mergeTag);

/** How often a file may use an anchor: each use is cheap, but a file with more was not written by people. */
const maxAliases = 100_000;
/** Keys that `<<` may copy in all. */
const maxMergeKeys = 1_000_000;
/** How many values a file with anchors may stand for once they are written out. */
const maxExpandedValues = 5_000_000;

/** The format of a file: JSON by its extension; standard input (`-`) by its looks, because it has no extension. */
export function formatOf(path: string, text: string): Format {
  if (path !== '-') return /\.json$/i.test(path) ? 'json' : 'yaml';
  return /^\s*[{[]/.test(text) && scanJson(text, maxDepth).length === 0 ? 'json' : 'yaml';
}

/** Reads a text. All that is wrong with it is said, as far as it can be told after the first error. */
export function parseText(text: string, format: Format): Parsed {
  // A zero byte is in every binary file and in no text.
  const zero = text.indexOf('\0');
  if (zero !== -1) {
    return {
      ok: false,
      problems: [{ message: 'this is not a text: it holds a zero byte', ...lineColumn(text, zero) }],
    };
  }
  return format === 'json' ? parseJson(text) : parseYaml(text);
}

function parseJson(text: string): Parsed {
  if (text.trim() === '')
    return { ok: false, problems: [{ message: 'the file is empty; write {} for an empty configuration' }] };
  const problems: JsonSyntaxError[] = scanJson(text, maxDepth);
  if (problems.length > 0) {
    return { ok: false, problems: problems.map(({ message, offset }) => ({ message, ...lineColumn(text, offset) })) };
  }
  const document: unknown = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  return { ok: true, document, ...unexamined };
}

function parseYaml(text: string): Parsed {
  const plain = readPlainYaml(text);
  if (plain !== undefined) return { ok: true, isUsable: true, ...plain };
  let events: Event[];
  try {
    events = parseEvents(text, { maxDepth });
  } catch (error) {
    return failed(error, text);
  }
  const second = secondDocument(events, text);
  if (second !== undefined) return { ok: false, problems: [second] };
  if (events.length === 0) {
    return { ok: false, problems: [{ message: 'the input is empty; write {} for an empty configuration' }] };
  }
  let document: unknown;
  try {
    [document] = constructFromEvents(events, {
      source: text,
      schema: yamlSchema,
      maxAliases,
      maxTotalMergeKeys: maxMergeKeys,
    });
  } catch (error) {
    if (error instanceof YAMLException && error.reason === 'duplicated mapping key') {
      const { duplicates } = indexYaml(events, text);
      const lines = indexLines(text);
      const problems = duplicates.map(({ key, offset, firstOffset }) => ({
        message: `duplicate key "${key}" in a mapping (first in line ${lines.positionOf(firstOffset).line})`,
        ...lines.positionOf(offset),
      }));
      if (problems.length > 0) return { ok: false, problems };
    }
    return failed(error, text);
  }
  if (events.some((event) => event.type === EVENT_ID.ALIAS)) {
    const message = findExpansion(document, maxExpandedValues);
    if (message !== undefined) return { ok: false, problems: [{ message }] };
  }
  return { ok: true, document, ...unexamined };
}

/** Words of the parser that say too little. */
const clearer: ReadonlyMap<string, string> = new Map([
  ['duplicated mapping key', 'duplicate key in a mapping'],
  [
    'deficient indentation',
    'deficient indentation: what a "[", a "{" or a quote has opened goes on here, and must be indented',
  ],
]);

function failed(error: unknown, text: string): Parsed {
  if (!(error instanceof YAMLException)) throw error;
  const { mark, reason } = error;
  const message = clearer.get(reason) ?? reason;
  if (mark === undefined) return { ok: false, problems: [{ message }] };
  // `{ port: ${PORT} }` is no YAML: the braces of the variable are taken for those of a mapping.
  const lineStart = mark.position - mark.column;
  const before = text.slice(lineStart, mark.position + 2);
  const hint = /[[{].*(?<!["'])\$\{/.test(before) ? '; inside { } and [ ], put what holds ${...} in quotes' : '';
  return { ok: false, problems: [{ message: message + hint, line: mark.line + 1, column: mark.column + 1 }] };
}

/** A file is one document: what a second one holds would be lost without a word. */
function secondDocument(events: readonly Event[], text: string): SyntaxProblem | undefined {
  let documents = 0;
  for (const [index, event] of events.entries()) {
    if (event.type !== EVENT_ID.DOCUMENT || ++documents < 2) continue;
    const offset = nodeOffset(events[index + 1]);
    return {
      message: 'a second document ("---") begins here; a file must hold exactly one',
      ...(offset === undefined ? {} : lineColumn(text, offset)),
    };
  }
  return undefined;
}
