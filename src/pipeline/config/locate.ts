import { readFile } from 'node:fs/promises';
import type { Json } from '../../model/json.js';
import { redactLine, redactText, secretsInDocument } from '../../model/redaction.js';
import type { Source } from '../../model/resource.js';
import { standardInput } from './files.js';
import type { Locate, Part, Position } from './findings.js';
import { indexLines, type Lines } from './lines.js';
import { formatOf, parseText, type Format } from './parse.js';
import { indexText, offsetOf, type PositionTree } from './positions.js';

/** The text of a part. */
export interface SourceText {
  readonly text: string;
  readonly format: Format;
}

/** A longer line is not shown: it is a document on one line, and nobody finds anything in it. */
const longestExcerpt = 300;

/**
 * Gives a line of a text as people may see it: secrets masked, those that are known and those that only look so.
 *
 * @returns undefined for an empty line and for one that is too long to help
 */
export function excerptOf(line: string, secrets: Iterable<string> = []): string | undefined {
  const text = line.trimEnd();
  if (text.trim() === '' || text.length > longestExcerpt) return undefined;
  return redactText(redactLine(text), secrets);
}

interface Index {
  readonly tree: PositionTree;
  readonly lines: Lines;
  readonly secrets: ReadonlySet<string>;
}

function indexSource({ text, format }: SourceText, document: unknown): Index {
  return { tree: indexText(text, format), lines: indexLines(text), secrets: secretsInDocument(document as Json) };
}

function positionIn({ tree, lines, secrets }: Index, path: Source['path'], at: 'key' | 'value'): Position {
  const position = lines.positionOf(offsetOf(tree, path, at));
  const excerpt = excerptOf(lines.textOf(position.line), secrets);
  return { ...position, ...(excerpt === undefined ? {} : { excerpt }) };
}

/**
 * Finds positions in the texts of parts. A text is read a second time, for its positions, when the first is asked for.
 *
 * @param parts the documents as they are written, before variables are filled in: their secrets are masked in excerpts
 */
export function locateIn(texts: readonly SourceText[], parts: readonly Part[]): Locate {
  const indexes = new Map<number, Index>();
  return ({ part, path, at }) => {
    const source = texts[part];
    if (source === undefined) return undefined;
    const index = indexes.get(part) ?? indexSource(source, parts[part]?.document);
    indexes.set(part, index);
    return positionIn(index, path, at ?? 'value');
  };
}

/**
 * Finds where resources are written, for what is said about them after loading: each file is read again, once.
 *
 * @returns by source; a source whose file is gone, or came through standard input, is left out
 */
export async function locateSources(sources: Iterable<Source>): Promise<ReadonlyMap<Source, Position>> {
  const positions = new Map<Source, Position>();
  const indexes = new Map<string, Index | undefined>();
  for (const source of sources) {
    if (source.file === standardInput) continue;
    if (!indexes.has(source.file)) indexes.set(source.file, await indexFile(source.file));
    const index = indexes.get(source.file);
    if (index !== undefined) positions.set(source, positionIn(index, source.path, 'value'));
  }
  return positions;
}

async function indexFile(file: string): Promise<Index | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
    const format = formatOf(file, text);
    const parsed = parseText(text, format);
    return indexSource({ text, format }, parsed.ok ? parsed.document : null);
  } catch {
    return undefined;
  }
}
