import type { ApiRequest } from '../http/answer.js';
import type { Json } from '../json.js';
import { Refusal, refuse } from './refusal.js';

/** The longest body in bytes that the Admin API takes: 1.5 MiB. */
export const maxBodySize = 1_572_864;

/**
 * Reads the JSON body of a request; `undefined` when there is none.
 *
 * @throws Refusal (400) when it is too long or no JSON.
 */
export function readJson(request: ApiRequest): Json | undefined {
  if (request.body === undefined) {
    throw refuse(
      400,
      `invalid request body: request size ${request.bodySize} is greater than the maximum size ${maxBodySize} allowed`,
    );
  }
  if (request.body.length === 0) return undefined;
  const text = request.body.toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Refusal(400, { error_msg: `invalid request body: ${describeJsonError(text)}`, req_body: text });
  }
}

/** How deep the gateway's JSON library reads. */
const maxDepth = 1000;

const tokens: Readonly<Record<string, string>> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ',': 'T_COMMA',
  ':': 'T_COLON',
};

interface Token {
  readonly type: string;
  /** Where it starts, counted from 1. */
  readonly at: number;
  readonly end: number;
}

/** Words what is wrong with a text that is no JSON, as the gateway's JSON library does. */
export function describeJsonError(text: string): string {
  const found = readValue(text, nextToken(text, 0), 0);
  if (typeof found === 'string') return found;
  const after = nextToken(text, found.end);
  return after.type === 'T_END' ? 'invalid JSON' : unexpected('the end', after);
}

function readValue(text: string, token: Token, depth: number): Token | string {
  if (depth > maxDepth) return `Found too many nested data structures (${depth})`;
  if (['T_STRING', 'T_NUMBER', 'T_BOOLEAN', 'T_NULL'].includes(token.type)) return token;
  if (token.type === 'T_OBJ_BEGIN') return readObject(text, token, depth + 1);
  if (token.type === 'T_ARR_BEGIN') return readArray(text, token, depth + 1);
  return unexpected('value', token);
}

function readObject(text: string, start: Token, depth: number): Token | string {
  let token = nextToken(text, start.end);
  if (token.type === 'T_OBJ_END') return token;
  for (;;) {
    if (token.type !== 'T_STRING') return unexpected('object key string', token);
    token = nextToken(text, token.end);
    if (token.type !== 'T_COLON') return unexpected('colon', token);
    const value = readValue(text, nextToken(text, token.end), depth);
    if (typeof value === 'string') return value;
    token = nextToken(text, value.end);
    if (token.type === 'T_OBJ_END') return token;
    if (token.type !== 'T_COMMA') return unexpected('comma or object end', token);
    token = nextToken(text, token.end);
  }
}

function readArray(text: string, start: Token, depth: number): Token | string {
  let token = nextToken(text, start.end);
  if (token.type === 'T_ARR_END') return token;
  for (;;) {
    const value = readValue(text, token, depth);
    if (typeof value === 'string') return value;
    token = nextToken(text, value.end);
    if (token.type === 'T_ARR_END') return token;
    if (token.type !== 'T_COMMA') return unexpected('comma or array end', token);
    token = nextToken(text, token.end);
  }
}

function unexpected(expected: string, token: Token): string {
  const found = token.type === 'T_ERROR' ? 'invalid token' : token.type;
  return `Expected ${expected} but found ${found} at character ${token.at}`;
}

const literals: readonly (readonly [RegExp, string])[] = [
  [/"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, 'T_STRING'],
  [/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y, 'T_NUMBER'],
  [/true|false/y, 'T_BOOLEAN'],
  [/null/y, 'T_NULL'],
];

function nextToken(text: string, from: number): Token {
  let at = from;
  while (/\s/.test(text[at] ?? '')) at += 1;
  const character = text[at];
  if (character === undefined) return { type: 'T_END', at: at + 1, end: at };
  const mark = tokens[character];
  if (mark !== undefined) return { type: mark, at: at + 1, end: at + 1 };
  for (const [pattern, type] of literals) {
    const sticky = new RegExp(pattern);
    sticky.lastIndex = at;
    if (sticky.test(text)) return { type, at: at + 1, end: sticky.lastIndex };
  }
  return { type: 'T_ERROR', at: at + 1, end: at + 1 };
}
