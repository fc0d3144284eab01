import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdcError } from '../../model/errors.js';
import { reasonOf } from './files.js';
import type { Environment } from './interpolate.js';

/** One assignment: an optional `export`, a name, and a value in one of three quotes or bare up to a comment. */
const assignment =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:[ \t])[ \t]*(?:'((?:\\'|[^'])*)'|"((?:\\"|[^"])*)"|`((?:\\`|[^`])*)`|([^#\r\n]*))?[ \t]*(?:#.*)?$/gm;

/**
 * Reads the text of a `.env` file: `KEY=value`, `export KEY=value`, `#` comments, three kinds of quotes, values over
 * several lines inside quotes, `\n` expanded in double quotes only. Nothing is substituted.
 */
export function parseDotEnv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const [, name = '', single, double, backtick, bare = ''] of text.replace(/\r\n?/g, '\n').matchAll(assignment)) {
    if (double !== undefined) variables.set(name, double.replace(/\\n/g, '\n').replace(/\\r/g, '\r'));
    else variables.set(name, single ?? backtick ?? bare.trim());
  }
  return variables;
}

/**
 * Adds what `.env` in a directory sets to an environment. A variable that is set already, even to the empty string,
 * keeps its value.
 *
 * @returns the environment itself where there is no `.env`
 * @throws AdcError `file` where there is one that cannot be read
 */
export async function readDotEnv(cwd: string, env: Environment): Promise<Environment> {
  const path = join(cwd, '.env');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR')) return env;
    throw new AdcError('file', `${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const variables = parseDotEnv(text.startsWith('\uFEFF') ? text.slice(1) : text);
  return Object.assign(Object.create(null), Object.fromEntries(variables), definedOnly(env)) as Environment;
}

function definedOnly(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
