import { isAscii } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { glob } from 'tinyglobby';
import type { Problem } from '../../model/errors.js';

/** The name of standard input among files. */
export const standardInput = '-';

/** The file that is read where none is named. */
const defaultFile = 'adc.yaml';

/** Bytes of one file (or of standard input) that are read at most: 64 MiB. A bigger one is a mistake. */
export const maxFileBytes = 64 * 1024 * 1024;

/** Where standard input comes from: its text, or its bytes. */
export type StandardInput = () => Promise<string> | AsyncIterable<Uint8Array | string>;

/** Paths, and the arguments that gave none. */
export interface Expanded {
  /** Absolute, each once, in the order of the arguments; `-` for standard input. */
  readonly paths: readonly string[];
  readonly problems: readonly Problem[];
}

/** Turns arguments (paths, globs, `-`) into paths. An argument that gives no file is a problem. */
export async function expandFiles(patterns: readonly string[], cwd: string): Promise<Expanded> {
  const paths = new Set<string>();
  const problems: Problem[] = [];
  for (const pattern of patterns.length === 0 ? [defaultFile] : patterns) {
    if (pattern === standardInput) {
      paths.add(pattern);
      continue;
    }
    const path = resolve(cwd, pattern);
    const kind = await kindOfPath(path);
    if (kind === 'file') {
      paths.add(path);
      continue;
    }
    const found = kind === 'directory' ? [] : await expandGlob(pattern, cwd);
    for (const match of found) paths.add(resolve(cwd, match));
    if (found.length > 0) continue;
    const message =
      kind === 'directory'
        ? `"${pattern}" is a directory; name its files, such as "${pattern.replace(/\/+$/, '')}/*.yaml"`
        : `No file matches "${pattern}" in ${cwd}`;
    problems.push({ message, file: path });
  }
  return { paths: [...paths], problems };
}

async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  const found = await glob(pattern, { cwd, absolute: true, onlyFiles: true, expandDirectories: false });
  return found.sort();
}

async function kindOfPath(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch {
    return undefined;
  }
}

/** The text of a file, or why there is none. */
export type FileText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: Problem };

/** Reads a file, or standard input, as UTF-8. Stops at {@link maxFileBytes}. */
export async function readText(path: string, stdin: StandardInput): Promise<FileText> {
  try {
    const bytes = path === standardInput ? await readInput(stdin()) : await readPath(path);
    if (bytes === undefined || bytes.length > maxFileBytes) {
      const limit = `at most ${maxFileBytes / 1024 / 1024} MiB are read; split the configuration into several files`;
      return { ok: false, problem: { message: `the file is too large: ${limit}`, file: path } };
    }
    // A text in ASCII is its bytes.
    const text = isAscii(bytes) ? bytes.toString('latin1') : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, text };
  } catch (error) {
    if (error instanceof TypeError) {
      return { ok: false, problem: { message: 'this is not a text in UTF-8', file: path } };
    }
    return { ok: false, problem: { message: `cannot be read: ${reasonOf(error)}`, file: path } };
  }
}

async function readInput(input: ReturnType<StandardInput>): Promise<Buffer | undefined> {
  return input instanceof Promise ? Buffer.from(await input) : await readBytes(input);
}

/** The bytes of a file; undefined where there are too many. What has no size, such as a pipe, is read as it comes. */
async function readPath(path: string): Promise<Buffer | undefined> {
  const { size } = await stat(path);
  if (size > maxFileBytes) return undefined;
  return size > 0 ? await readFile(path) : await readBytes(createReadStream(path) as AsyncIterable<Uint8Array>);
}

async function readBytes(chunks: AsyncIterable<Uint8Array | string>): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > maxFileBytes) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** The operating system's reason in words. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'it is a directory';
  return error instanceof Error ? error.message : String(error);
}
