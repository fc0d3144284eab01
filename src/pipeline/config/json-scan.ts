/** Why a text is not JSON, and where. */
export interface JsonSyntaxError {
  readonly message: string;
  readonly offset: number;
}

/** What a scan tells of the text on its way, with the offsets at which things begin. */
export interface JsonVisitor {
  open(shape: 'list' | 'mapping', start: number): void;
  key(name: string, start: number): void;
  scalar(start: number): void;
  close(): void;
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const literal = /true|false|null/y;
const space = /[ \t\r\n]*/y;

/** Runs a sticky expression at an offset and gives the end of its match, or -1. */
function matchAt(expression: RegExp, text: string, offset: number): number {
  expression.lastIndex = offset;
  return expression.test(text) ? expression.lastIndex : -1;
}

/** The end of the string that begins at an offset, or -1. A loop, because an expression would run out of stack. */
function stringEnd(text: string, offset: number): number {
  if (text[offset] !== '"') return -1;
  for (let index = offset + 1; index < text.length;) {
    const code = text.charCodeAt(index);
    if (code === 0x22) return index + 1;
    if (code < 0x20) return -1;
    if (code === 0x5c) {
      index = matchAt(escape, text, index);
      if (index < 0) return -1;
    } else index++;
  }
  return -1;
}

/** One past the white space at an offset. */
function skipSpace(text: string, offset: number): number {
  return matchAt(space, text, offset);
}

interface Frame {
  /** Keys seen so far, with their offsets, of an object; undefined for a list. */
  readonly keys: Map<string, number> | undefined;
}

/**
 * Checks that a text is strict JSON, without duplicate keys and not nested too deep. Knows no recursion, so that no
 * text can exhaust the stack.
 *
 * @returns every duplicate key; or the one syntax error, after which nothing can be told
 */
export function scanJson(text: string, maxDepth: number, visitor?: JsonVisitor): JsonSyntaxError[] {
  const duplicates: JsonSyntaxError[] = [];
  const frames: Frame[] = [];
  let offset = skipSpace(text, text.charCodeAt(0) === 0xfeff ? 1 : 0);
  const fail = (what: string): JsonSyntaxError[] => [
    ...duplicates,
    offset >= text.length
      ? { message: `invalid JSON: the text ends where ${what} should follow`, offset: text.length }
      : { message: `invalid JSON: expected ${what}`, offset },
  ];

  /** Reads `"key":` of the innermost object; false where there is none. */
  const readKey = (keys: Map<string, number>): boolean => {
    const end = stringEnd(text, offset);
    if (end < 0) return false;
    const key = JSON.parse(text.slice(offset, end)) as string;
    if (keys.has(key)) duplicates.push({ message: `duplicate key ${JSON.stringify(key)} in an object`, offset });
    else keys.set(key, offset);
    visitor?.key(key, offset);
    const colon = skipSpace(text, end);
    if (text[colon] !== ':') {
      offset = colon;
      return false;
    }
    offset = skipSpace(text, colon + 1);
    return true;
  };

  for (;;) {
    // A value begins here.
    const first = text[offset];
    if (first === '{' || first === '[') {
      if (frames.length >= maxDepth) return [{ message: `nested deeper than ${maxDepth} levels`, offset }];
      const keys = first === '{' ? new Map<string, number>() : undefined;
      const inside = skipSpace(text, offset + 1);
      visitor?.open(keys === undefined ? 'list' : 'mapping', offset);
      if (text[inside] === (keys === undefined ? ']' : '}')) {
        offset = inside + 1;
        visitor?.close();
      } else {
        offset = inside;
        frames.push({ keys });
        if (keys !== undefined && !readKey(keys)) return fail('a key in double quotes and ":"');
        continue;
      }
    } else {
      const numeric = first === '-' || (first !== undefined && first >= '0' && first <= '9');
      const end = first === '"' ? stringEnd(text, offset) : matchAt(numeric ? number : literal, text, offset);
      if (end < 0)
        return fail(
          first === '"' ? 'a string without raw control characters or unknown escapes, closed by "' : 'a JSON value',
        );
      visitor?.scalar(offset);
      offset = end;
    }
    // A value ended here: close what ends with it, or go on to the next one.
    for (;;) {
      offset = skipSpace(text, offset);
      const frame = frames.at(-1);
      if (frame === undefined) return offset < text.length ? fail('nothing after the value') : duplicates;
      const next = text[offset];
      if (next === ',') {
        offset = skipSpace(text, offset + 1);
        if (frame.keys !== undefined && !readKey(frame.keys)) return fail('a key in double quotes and ":"');
        break;
      }
      if (next !== (frame.keys === undefined ? ']' : '}'))
        return fail(frame.keys === undefined ? '"," or "]"' : '"," or "}"');
      offset++;
      frames.pop();
      visitor?.close();
    }
  }
}
