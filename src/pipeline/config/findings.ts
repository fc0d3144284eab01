import type { Problem } from '../../model/errors.js';
import { formatPath, type JsonPath } from '../../model/json.js';

/** One of the documents that make up a configuration. */
export interface Part {
  /** Absolute path, `-` for standard input, absent for a document that came over the wire. */
  readonly file?: string;
  readonly document: unknown;
  /** Whether it is known already that nothing in the document is unusable (see findUnusable). Default: false. */
  readonly isUsable?: boolean;
}

/** A place in one of the parts. */
export interface Place {
  /** Index into the parts. */
  readonly part: number;
  readonly path: JsonPath;
  /** Whether the key or the value is meant. Default: value. */
  readonly at?: 'key' | 'value';
}

/** Something wrong with a configuration, before anybody looked up its line. */
export interface Finding {
  readonly message: string;
  readonly place: Place;
  /** The place it clashes with, where there is one. */
  readonly first?: Place;
  /** The path to report where it is not that of the place. */
  readonly path?: JsonPath;
}

/** Where a place is, for people. */
export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The line as it stands in the file, secrets masked. */
  readonly excerpt?: string;
}

/** Finds the position of a place; undefined where there is no text to look into. */
export type Locate = (place: Place) => Position | undefined;

function describePlace(place: Place, parts: readonly Part[], locate: Locate): string {
  const file = parts[place.part]?.file;
  const position = locate(place);
  if (file === undefined || position === undefined) return formatPath(place.path);
  return `${file}:${position.line}:${position.column}`;
}

/** Turns findings into problems: with file and position where there is a text, in the order of the text. */
export function toProblems(
  findings: readonly Finding[],
  parts: readonly Part[],
  locate: Locate = () => undefined,
): Problem[] {
  const seen = new Set<string>();
  const located: { readonly part: number; readonly problem: Problem }[] = [];
  for (const { message, place, first, path } of findings) {
    const position = locate(place);
    const file = parts[place.part]?.file;
    const problem: Problem = {
      message: first === undefined ? message : `${message} (first at ${describePlace(first, parts, locate)})`,
      path: path ?? place.path,
      ...(file === undefined ? {} : { file }),
      ...position,
    };
    // What an alias repeats stands in the file once, and is reported once.
    const identity =
      position === undefined
        ? `${place.part} ${formatPath(place.path)} ${message}`
        : `${place.part} ${position.line} ${position.column} ${message}`;
    if (!seen.has(identity)) {
      seen.add(identity);
      located.push({ part: place.part, problem });
    }
  }
  located.sort(
    (a, b) =>
      a.part - b.part ||
      (a.problem.line ?? 0) - (b.problem.line ?? 0) ||
      (a.problem.column ?? 0) - (b.problem.column ?? 0),
  );
  return located.map(({ problem }) => problem);
}
