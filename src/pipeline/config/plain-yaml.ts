import { CHOMPING_MODE, SCALAR_STYLE } from 'js-yaml';
import { isCommon, isCommonInFlow, ScalarReader, unprintable, Unsure } from './plain-scalars.js';

/** What a plain text holds. */
export interface PlainDocument {
  /** Made of finite numbers, strings, booleans, nulls, lists and mappings without a key `__proto__`. */
  readonly document: unknown;
  /** Whether any of its strings holds `${`. */
  readonly hasVariables: boolean;
}

const LF = 0x0a;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const COMMA = 0x2c;
const DASH = 0x2d;
const COLON = 0x3a;
const GREATER = 0x3e;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const BAR = 0x7c;
const CLOSE_BRACE = 0x7d;

/** How deep collections may nest here: what goes deeper is left to js-yaml, which knows how deep is too deep. */
const maxNesting = 50;

/**
 * Reads the YAML that programs and most people write: block collections, collections on one line, scalars on one line,
 * block texts, comments. It gives up at the first thing that it does not surely know (anchors, tags, several
 * documents, tabs, whatever looks wrong), and nothing is lost then: the text is js-yaml's, as are all errors.
 *
 * @returns exactly what js-yaml makes of the text; undefined where that is js-yaml's to say
 */
export function readPlainYaml(text: string): PlainDocument | undefined {
  // To YAML both are the end of a line, wherever they stand.
  const lines = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
  if (lines.includes('\r')) return undefined;
  try {
    return new Reader(lines).read();
  } catch (error) {
    if (error instanceof Unsure) return undefined;
    throw error;
  }
}

/** Reads the collections. Between two values, the position is at the first character of the next line that holds anything. */
class Reader extends ScalarReader {
  /** Between two values, how far that line is indented; -1 at the end of the text. */
  #indent = -1;
  #nesting = 0;
  /** The items of the lists that are being read. */
  readonly #items: unknown[] = [];
  #top = 0;

  read(): PlainDocument {
    const document = this.#root();
    if (this.#indent !== -1) throw new Unsure();
    return { document, hasVariables: this.hasVariables };
  }

  #root(): unknown {
    this.#nextLine(this.text.startsWith('---\n') ? 4 : 0);
    if (this.#indent !== 0) throw new Unsure();
    return this.#block(0);
  }

  /** Goes to the next line that holds anything, from the beginning of a line. */
  #nextLine(start: number): void {
    const text = this.text;
    for (let at = start; ;) {
      const lineStart = at;
      while (text.charCodeAt(at) === SPACE) at++;
      if (at >= this.end) {
        this.#indent = -1;
        return;
      }
      const code = text.charCodeAt(at);
      if (code === LF) at++;
      else if (code === HASH) at = this.#lineEnd(at) + 1;
      else {
        this.#indent = at - lineStart;
        this.at = at;
        return;
      }
    }
  }

  #lineEnd(at: number): number {
    const end = this.text.indexOf('\n', at);
    return end === -1 ? this.end : end;
  }

  /** Goes from behind a value to the next line: nothing but a comment may stand between. */
  #endLine(): void {
    const text = this.text;
    let at = this.at;
    if (at < this.end && text.charCodeAt(at) !== LF) {
      if (text.charCodeAt(at) !== SPACE) throw new Unsure();
      at = this.skipSpaces(at);
      if (at < this.end && text.charCodeAt(at) !== LF) {
        if (text.charCodeAt(at) !== HASH) throw new Unsure();
        at = this.#lineEnd(at);
      }
    }
    this.#nextLine(at + 1);
  }

  /** Whether a position is followed by a space, or by the end of its line. */
  #endsWord(at: number): boolean {
    const next = at + 1;
    return next >= this.end || this.text.charCodeAt(next) === SPACE || this.text.charCodeAt(next) === LF;
  }

  #isDash(at: number): boolean {
    return this.text.charCodeAt(at) === DASH && this.#endsWord(at);
  }

  /** Whether the line ends at a position, but for a comment. */
  #isLineEnd(at: number): boolean {
    if (at >= this.end) return true;
    const code = this.text.charCodeAt(at);
    return code === LF || (code === HASH && this.text.charCodeAt(at - 1) === SPACE);
  }

  /** A collection that begins in a line of its own. */
  #block(column: number): unknown {
    if (this.#isDash(this.at)) return this.#sequence(column);
    return this.#mapping(column, this.#blockKey());
  }

  #enter(): void {
    if (++this.#nesting > maxNesting) throw new Unsure();
  }

  /** A mapping whose first key was read already: the position is behind its colon. */
  #mapping(column: number, firstKey: string): unknown {
    this.#enter();
    const mapping: Record<string, unknown> = {};
    let count = 0;
    for (let key = firstKey; ; key = this.#blockKey()) {
      mapping[key] = this.#entry(column);
      count++;
      if (this.#indent !== column) break;
    }
    // js-yaml says where a key is that stands there twice, and what is wrong with a line that is indented too far.
    if (this.#indent > column || Object.keys(mapping).length !== count) throw new Unsure();
    this.#nesting--;
    return mapping;
  }

  /** The value behind a key. */
  #entry(column: number): unknown {
    this.at = this.skipSpaces(this.at);
    if (!this.#isLineEnd(this.at)) return this.#inline(column);
    this.#nextLine(this.#lineEnd(this.at) + 1);
    if (this.#indent > column) return this.#block(this.#indent);
    return this.#indent === column && this.#isDash(this.at) ? this.#sequence(column) : null;
  }

  #sequence(column: number): unknown {
    this.#enter();
    const from = this.#top;
    do {
      const item = this.#item(column);
      this.#items[this.#top++] = item;
    } while (this.#indent === column && this.#isDash(this.at));
    if (this.#indent > column) throw new Unsure();
    this.#nesting--;
    return this.#takeItems(from);
  }

  /** The list of what was put on the stack of items since: an array that was pushed to would hold room for many more. */
  #takeItems(from: number): unknown[] {
    const items = this.#items.slice(from, this.#top);
    this.#top = from;
    return items;
  }

  /** What stands behind a dash. */
  #item(column: number): unknown {
    const text = this.text;
    const start = this.skipSpaces(this.at + 1);
    const inner = column + start - this.at;
    this.at = start;
    if (this.#isLineEnd(start)) {
      this.#nextLine(this.#lineEnd(start) + 1);
      return this.#indent > column ? this.#block(this.#indent) : null;
    }
    const code = text.charCodeAt(start);
    if (code === DASH && this.#endsWord(start)) return this.#sequence(inner);
    if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE) {
      const value = this.quoted(code);
      if (text.charCodeAt(this.at) !== COLON) return this.#scalarInLine(value, column);
      if (value === '__proto__' || !this.#endsWord(this.at)) throw new Unsure();
      this.at++;
      return this.#mapping(inner, value);
    }
    if (code === OPEN_BRACKET || code === OPEN_BRACE || code === BAR || code === GREATER) return this.#inline(column);
    const end = this.scanPlain(isCommon);
    if (text.charCodeAt(this.at) !== COLON) return this.#scalarInLine(this.plain(start, end), column);
    const key = this.key(start, end);
    this.at++;
    return this.#mapping(inner, key);
  }

  /** What stands in the line of its key or dash. */
  #inline(column: number): unknown {
    const code = this.text.charCodeAt(this.at);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.#scalarInLine(this.quoted(code), column);
    if (code === OPEN_BRACKET || code === OPEN_BRACE) return this.#scalarInLine(this.#flow(code), column);
    if (code === BAR || code === GREATER) return this.#blockText(column, code);
    const start = this.at;
    const end = this.scanPlain(isCommon);
    if (this.text.charCodeAt(this.at) === COLON) throw new Unsure();
    return this.#scalarInLine(this.plain(start, end), column);
  }

  /** Ends the line of a value. A line below it that is indented further would be a part of it, or wrong. */
  #scalarInLine(value: unknown, column: number): unknown {
    this.#endLine();
    if (this.#indent > column) throw new Unsure();
    return value;
  }

  /** A key in a line of its own, and its colon. */
  #blockKey(): string {
    const text = this.text;
    const start = this.at;
    const code = text.charCodeAt(start);
    let key: string;
    if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE) {
      key = this.quoted(code);
      if (key === '__proto__' || text.charCodeAt(this.at) !== COLON || !this.#endsWord(this.at)) throw new Unsure();
    } else {
      // What begins like this in the first column may end the document.
      if (code === DASH || code === 0x2e) throw new Unsure();
      const end = this.scanPlain(isCommon);
      if (text.charCodeAt(this.at) !== COLON) throw new Unsure();
      key = this.key(start, end);
    }
    this.at++;
    return key;
  }

  /** A text behind `|` or `>`. */
  #blockText(column: number, code: number): string {
    const text = this.text;
    let at = this.at + 1;
    let chomping: (typeof CHOMPING_MODE)[keyof typeof CHOMPING_MODE] = CHOMPING_MODE.CLIP;
    if (text[at] === '-') chomping = CHOMPING_MODE.STRIP;
    else if (text[at] === '+') chomping = CHOMPING_MODE.KEEP;
    if (chomping !== CHOMPING_MODE.CLIP) at++;
    if (text.charCodeAt(at) !== LF) throw new Unsure();
    const start = at + 1;
    let indent = -1;
    let lineStart = start;
    while (lineStart < this.end) {
      const first = this.skipSpaces(lineStart);
      // What a last line without end or an indented empty line mean is subtle.
      if (first >= this.end) throw new Unsure();
      if (text.charCodeAt(first) !== LF) {
        if (indent === -1) indent = first - lineStart;
        if (indent <= column) throw new Unsure();
        if (first - lineStart < indent) break;
      } else if (indent === -1 && first > lineStart) throw new Unsure();
      lineStart = this.#lineEnd(first) + 1;
    }
    const end = Math.min(lineStart, this.end);
    if (indent === -1 || unprintable.test(text.slice(start, end))) throw new Unsure();
    const style = code === BAR ? SCALAR_STYLE.LITERAL_BLOCK : SCALAR_STYLE.FOLDED_BLOCK;
    const value = this.decode(start, end, style, chomping, indent);
    this.#nextLine(lineStart);
    if (this.#indent > column) throw new Unsure();
    return value;
  }

  /** A collection between brackets that ends in its line. */
  #flow(open: number): unknown {
    this.#enter();
    const isMapping = open === OPEN_BRACE;
    const close = isMapping ? CLOSE_BRACE : CLOSE_BRACKET;
    const from = this.#top;
    const mapping: Record<string, unknown> = {};
    let count = 0;
    this.at = this.skipSpaces(this.at + 1);
    if (this.text.charCodeAt(this.at) !== close) {
      for (;;) {
        if (isMapping) {
          const key = this.#flowKey();
          mapping[key] = this.#flowValue();
          count++;
        } else {
          const item = this.#flowValue();
          this.#items[this.#top++] = item;
        }
        this.at = this.skipSpaces(this.at);
        const code = this.text.charCodeAt(this.at);
        if (code === close) break;
        if (code !== COMMA) throw new Unsure();
        this.at = this.skipSpaces(this.at + 1);
      }
    }
    this.at++;
    this.#nesting--;
    if (!isMapping) return this.#takeItems(from);
    if (Object.keys(mapping).length !== count) throw new Unsure();
    return mapping;
  }

  #flowKey(): string {
    const start = this.at;
    const code = this.text.charCodeAt(start);
    let key: string;
    if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE) key = this.quoted(code);
    else {
      const end = this.scanPlain(isCommonInFlow);
      key = this.key(start, end);
    }
    if (key === '__proto__' || this.text.charCodeAt(this.at) !== COLON) throw new Unsure();
    this.at = this.skipSpaces(this.at + 1);
    return key;
  }

  #flowValue(): unknown {
    const start = this.at;
    const code = this.text.charCodeAt(start);
    if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE) return this.quoted(code);
    if (code === OPEN_BRACKET || code === OPEN_BRACE) return this.#flow(code);
    const end = this.scanPlain(isCommonInFlow);
    return this.plain(start, end);
  }
}
