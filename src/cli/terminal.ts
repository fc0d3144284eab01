import type { Writable } from 'node:stream';
import picocolors from 'picocolors';
import { AdcError } from '../model/errors.js';

/** Colour functions of one stream: identity functions where it takes no colour. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** A stream people or programs read. Only its terminal-ness is asked about beside writing. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What {@link createTerminal} is built from. */
export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Environment;
  readonly level: 0 | 1 | 2;
}

/** The two ways out of a command: data to standard output, everything else to standard error. */
export interface Terminal {
  /** How much is said: 0 errors only, 1 what is done, 2 also details. */
  readonly level: 0 | 1 | 2;
  /** Colours for standard output. */
  readonly colors: Colors;
  /** Colours for standard error. */
  readonly errorColors: Colors;
  /** True where the lines on standard error are read by a person as they come. */
  readonly interactive: boolean;
  /** Columns of standard error. */
  readonly width: number;
  /** True once data was written, so that a failure does not add a second document. */
  readonly printed: () => boolean;
  /**
   * Writes data. Waits for slow readers. A reader that left (`adc dump -o - | head`) is no failure: the rest is dropped.
   *
   * @throws AdcError `file` where standard output cannot be written (a full disk)
   */
  print(text: string): Promise<void>;
  /** Writes lines of data as {@link print} does, many at a time. */
  printLines(lines: Iterable<string>): Promise<void>;
  /** Says a line on standard error from a level of verbosity on; default 1. */
  say(line: string, level?: 0 | 1 | 2): void;
  /** Says lines as {@link say} does, many at a time. Below the level none is asked for. */
  sayLines(lines: Iterable<string>, level?: 0 | 1 | 2): void;
  /** Shows a line, shorter than `width`, that the next one replaces; only on a terminal. An empty one removes it. */
  live(line: string): void;
}

/** Characters that are written at once. */
const batchSize = 65_536;

/** Builds a terminal on two streams. Errors of the streams must be handled by their owner. */
export function createTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, env, level } = options;
  const interactive = stderr.isTTY === true && env['TERM'] !== 'dumb';
  let shown = false;
  let printed = false;
  const clear = () => {
    if (!shown) return;
    shown = false;
    stderr.write('\r\u001B[2K');
  };
  const print = (text: string) =>
    new Promise<void>((resolve, reject) => {
      clear();
      printed = true;
      stdout.write(text, (error) => {
        if (error && !isBrokenPipe(error)) {
          reject(new AdcError('file', `cannot write to standard output: ${error.message}`, { cause: error }));
        } else resolve();
      });
    });
  return {
    level,
    colors: colorsOf(stdout, env),
    errorColors: colorsOf(stderr, env),
    interactive,
    // A terminal that does not know its width says 0.
    width: stderr.columns || 80,
    printed: () => printed,
    print,
    printLines: async (lines) => {
      for (const text of batchesOf(lines)) await print(text);
    },
    say: (line, from = 1) => {
      if (level < from) return;
      clear();
      stderr.write(`${line}\n`);
    },
    sayLines: (lines, from = 1) => {
      if (level < from) return;
      for (const text of batchesOf(lines)) {
        clear();
        stderr.write(text);
      }
    },
    live: (line) => {
      if (!interactive) return;
      clear();
      if (line === '') return;
      stderr.write(line);
      shown = true;
    },
  };
}

/** Lines in pieces worth a write. */
function* batchesOf(lines: Iterable<string>): Generator<string> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < batchSize) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** A document as it is printed: indented, one line feed at the end. */
export function jsonText(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Tells whether a write failed because the reader is gone. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}

/** https://no-color.org, and FORCE_COLOR as Node's own tools read it; otherwise colours go to terminals only. */
function colorsOf(stream: OutputStream, env: Environment): Colors {
  const forced = env['FORCE_COLOR'];
  if (env['NO_COLOR']) return picocolors.createColors(false);
  if (forced !== undefined && forced !== '') return picocolors.createColors(forced !== '0' && forced !== 'false');
  return picocolors.createColors(stream.isTTY === true && env['TERM'] !== 'dumb');
}
