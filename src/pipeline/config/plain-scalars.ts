import {
  boolCoreTag,
  CHOMPING_MODE,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
} from 'js-yaml';

/** Thrown at the first thing that is not surely understood. */
export class Unsure extends Error {}

const LF = 0x0a;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const DASH = 0x2d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** What a scalar without quotes may begin with: 0 what only js-yaml knows, 1 a string, 2 a string or something else. */
const beginnings = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[-+.0-9~nNtTfF<]/.test(char)) return 2;
  return /[A-Za-z_/$^();=\\]/.test(char) ? 1 : 0;
});

/** Characters that end a loop over those of a scalar without quotes: controls, space, `#`, `:` and all beyond ASCII. */
export const isCommon = Uint8Array.from({ length: 128 }, (_, code) =>
  code > SPACE && code < 0x7f && code !== HASH && code !== COLON ? 1 : 0,
);
/** The same between brackets, where those and commas end a scalar as well. */
export const isCommonInFlow = isCommon.map((common, code) => (/[[\]{},]/.test(String.fromCharCode(code)) ? 0 : common));

/** What js-yaml refuses in a scalar without quotes, and what it has rules of its own for. */
export const unprintable = /(?![\t\n])\p{Cc}|[\ufeff\ufffe\uffff]|\p{Cs}/u;

/** The escapes that are read here. */
const escape = /\\(?:["\\/abefnrtv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})/y;

const resolvers = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

/** A number of known texts: of one hash, the last one. */
const knownTexts = 4096;
/** Longer texts are rarely repeated. */
const longestKnown = 40;

/** Reads the scalars of a plain text, at a position that goes on as it reads. */
export class ScalarReader {
  protected readonly text: string;
  protected readonly end: number;
  /** The position of what is being looked at. */
  protected at = 0;
  /** Whether a string may hold `${`. */
  protected hasVariables: boolean;
  /** The hash of the scalar that was scanned last. */
  #hash = 0;
  readonly #keys: (string | undefined)[] = Array.from({ length: knownTexts });
  readonly #strings: (string | undefined)[] = Array.from({ length: knownTexts });

  constructor(text: string) {
    this.text = text;
    this.end = text.length;
    this.hasVariables = text.includes('${');
  }

  /**
   * Goes to the end of a scalar without quotes, or to the colon behind it if it is a key. What ends it is the end of the line, a
   * comment, a colon before a space, and between brackets a comma or a bracket.
   *
   * @returns its end, without the spaces behind it
   */
  protected scanPlain(common: Uint8Array): number {
    const text = this.text;
    let at = this.at;
    const start = at;
    const first = text.charCodeAt(at);
    if (first < 128) {
      if (beginnings[first] === 0) throw new Unsure();
      if (first === DASH && (common[text.charCodeAt(at + 1)] ?? 0) === 0) throw new Unsure();
    }
    let hash = 0;
    let end = at;
    let isAscii = true;
    for (;;) {
      const code = text.charCodeAt(at);
      if (common[code] === 1) {
        hash = (Math.imul(hash, 31) + code) | 0;
        end = ++at;
      } else if (code === SPACE) {
        hash = (Math.imul(hash, 31) + code) | 0;
        at++;
      } else if (code === COLON) {
        const next = text.charCodeAt(at + 1);
        if (at + 1 >= this.end || next === SPACE || next === LF) break;
        // Between brackets, "a:]" and the like have rules of their own.
        if (next < 128 && common[next] === 0 && next !== COLON && next !== HASH) throw new Unsure();
        hash = (Math.imul(hash, 31) + code) | 0;
        end = ++at;
      } else if (code === HASH) {
        if (text.charCodeAt(at - 1) === SPACE) break;
        hash = (Math.imul(hash, 31) + code) | 0;
        end = ++at;
      } else if (code >= 128) {
        isAscii = false;
        hash = (Math.imul(hash, 31) + code) | 0;
        end = ++at;
      } else if (code === LF || at >= this.end || code > SPACE) break;
      else throw new Unsure();
    }
    if (end === start || text.charCodeAt(at) === 0x7f) throw new Unsure();
    if (!isAscii && unprintable.test(text.slice(start, end))) throw new Unsure();
    this.#hash = hash;
    this.at = text.charCodeAt(at) === COLON ? at : end;
    return end;
  }

  /** The value of a scalar without quotes. */
  protected plain(start: number, end: number): unknown {
    const first = this.text.charCodeAt(start);
    if (first >= 128 || beginnings[first] === 1) return this.#string(start, end);
    if (first >= 0x30 && first <= 0x39 && end - start <= 15) {
      let value = 0;
      let at = start;
      for (; at < end; at++) {
        const digit = this.text.charCodeAt(at) - 0x30;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (at === end) return value;
    }
    return this.#resolve(this.text.slice(start, end));
  }

  /** What a text without quotes stands for. */
  #resolve(source: string): unknown {
    if (source === '<<') throw new Unsure();
    for (const { resolve, tagName } of resolvers) {
      const value = resolve(source, false, tagName);
      if (value === NOT_RESOLVED) continue;
      if (typeof value === 'number' && !Number.isFinite(value)) throw new Unsure();
      return value;
    }
    return source;
  }

  /** The text between two positions, which {@link scanPlain} has just been over. Texts that repeat are one string. */
  #string(start: number, end: number): string {
    const length = end - start;
    if (length > longestKnown) return this.text.slice(start, end);
    const slot = (this.#hash ^ (this.#hash >>> 12)) & (knownTexts - 1);
    const known = this.#strings[slot];
    if (known !== undefined && known.length === length && this.text.startsWith(known, start)) return known;
    return (this.#strings[slot] = this.text.slice(start, end));
  }

  protected key(start: number, end: number): string {
    const slot = (this.#hash ^ (this.#hash >>> 12)) & (knownTexts - 1);
    const known = this.#keys[slot];
    if (known !== undefined && known.length === end - start && this.text.startsWith(known, start)) return known;
    const source = this.text.slice(start, end);
    // A space before the colon, and what a number is called as a key, are rare.
    const key = String(this.#resolve(source));
    if (key === '__proto__') throw new Unsure();
    if (key === source) this.#keys[slot] = key;
    return key;
  }

  /** A scalar in quotes that ends in its line. */
  protected quoted(quote: number): string {
    const text = this.text;
    const start = this.at + 1;
    let special = false;
    let at = start;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        if (quote === DOUBLE_QUOTE || text.charCodeAt(at + 1) !== SINGLE_QUOTE) break;
        special = true;
        at++;
      } else if (code === BACKSLASH && quote === DOUBLE_QUOTE) {
        special = true;
        escape.lastIndex = at;
        if (!escape.test(text)) throw new Unsure();
        at = escape.lastIndex - 1;
      } else if (!(code >= SPACE)) throw new Unsure();
    }
    this.at = at + 1;
    if (!special) return text.slice(start, at);
    const value = this.decode(
      start,
      at,
      quote === DOUBLE_QUOTE ? SCALAR_STYLE.DOUBLE_QUOTED : SCALAR_STYLE.SINGLE_QUOTED,
    );
    this.hasVariables ||= value.includes('${');
    return value;
  }

  /** Has js-yaml decode a scalar. */
  protected decode(
    valueStart: number,
    valueEnd: number,
    style: (typeof SCALAR_STYLE)[keyof typeof SCALAR_STYLE],
    chomping: (typeof CHOMPING_MODE)[keyof typeof CHOMPING_MODE] = CHOMPING_MODE.CLIP,
    indent = -1,
  ): string {
    const none = { anchorStart: -1, anchorEnd: -1, tagStart: -1, tagEnd: -1, fast: false };
    return getScalarValue(this.text, {
      type: EVENT_ID.SCALAR,
      ...none,
      valueStart,
      valueEnd,
      style,
      chomping,
      indent,
    });
  }

  protected skipSpaces(start: number): number {
    let at = start;
    while (this.text.charCodeAt(at) === SPACE) at++;
    return at;
  }
}
