import { indexLines, type Lines } from './lines.js';
import type { Locate, Part } from './findings.js';
import type { Format } from './parse.js';
import { indexText, offsetOf, type PositionTree } from './positions.js';

/** The text of a part. */
export interface SourceText {
  readonly text: string;
  readonly format: Format;
}

/**
 * Finds positions in the texts of parts. A text is read a second time, for its positions, when the first is asked for.
 */
export function locateIn(texts: readonly SourceText[], _parts: readonly Part[]): Locate {
  const indexes = new Map<number, { readonly tree: PositionTree; readonly lines: Lines }>();
  return ({ part, path, at }) => {
    const source = texts[part];
    if (source === undefined) return undefined;
    const index = indexes.get(part) ?? { tree: indexText(source.text, source.format), lines: indexLines(source.text) };
    indexes.set(part, index);
    return index.lines.positionOf(offsetOf(index.tree, path, at ?? 'value'));
  };
}
