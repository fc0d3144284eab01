import { AdcError } from '../model/errors.js';
import { scanJson } from '../pipeline/config/json-scan.js';

/** Deeper than any configuration, and far from what the stack holds. */
const deepest = 200;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * Decodes a JSON text in UTF-8. Messages say where, never what: the text holds keys, and the messages of JSON.parse quote it.
 *
 * @throws AdcError `syntax`
 */
export function decodeJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new AdcError('syntax', 'the body is empty; it must be JSON');
  checkDepth(bytes);
  const text = decodeText(bytes);
  try {
    return JSON.parse(text);
  } catch {
    const error = scanJson(text, deepest).at(-1);
    throw new AdcError(
      'syntax',
      `the body is not JSON: ${error?.message ?? 'invalid'}${error ? placeOf(text, error.offset) : ''}`,
    );
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AdcError('syntax', 'the body is not valid UTF-8');
  }
}

/** Text that nests without end would overflow the stack of whoever walks it. */
function checkDepth(bytes: Uint8Array): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (inString) {
      if (byte === backslash) index += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      if (depth > deepest) throw new AdcError('syntax', `the body nests deeper than ${deepest} levels`);
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
  }
}

function placeOf(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return ` at line ${line}, column ${offset - start + 1}`;
}
