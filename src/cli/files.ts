import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AdcError } from '../model/errors.js';

/** How a file is written. */
export interface WriteOptions {
  /** A relative path is relative to it. */
  readonly directory: string;
  /** The text holds secrets: only the owner may read the file (mode 0600), also where it replaces a more open one. */
  readonly secret: boolean;
}

/**
 * Replaces a file by one with this text (or these pieces of one), all or nothing: a reader sees the old file or the new one, never a part. What
 * is no plain file (a pipe, `/dev/null`) is written to; a symbolic link stays, its target is replaced.
 *
 * @returns the absolute path
 * @throws AdcError `file` naming the path and what is wrong with it
 */
export async function replaceFile(
  path: string,
  text: string | Iterable<string>,
  options: WriteOptions,
): Promise<string> {
  const wanted = resolve(options.directory, path);
  try {
    const target = await followLink(wanted);
    const before = await stat(target).catch(ignoreMissing);
    if (before?.isDirectory()) throw new AdcError('file', `cannot write ${wanted}: it is a directory`);
    if (before && !before.isFile()) {
      await writeFile(target, text);
      return wanted;
    }
    const usual = before === undefined ? 0o666 & ~process.umask() : before.mode & 0o777;
    await replace(target, text, options.secret ? 0o600 : usual);
    return wanted;
  } catch (error) {
    if (error instanceof AdcError) throw error;
    throw new AdcError('file', whyNot(wanted, error), { cause: error });
  }
}

async function replace(target: string, text: string | Iterable<string>, mode: number): Promise<void> {
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  // Exclusive and not through links, so that nobody's file prepared under that name gets the text.
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
  const file = await open(temporary, flags, 0o600);
  try {
    try {
      await writeFile(file, text, 'utf8');
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** The file a link leads to, even where that does not exist yet. */
async function followLink(path: string): Promise<string> {
  const found = await lstat(path).catch(ignoreMissing);
  return found?.isSymbolicLink() ? realpath(path) : path;
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}

function whyNot(path: string, error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return `cannot write ${path}: the directory ${dirname(path)} does not exist`;
  if (code === 'ENOTDIR') return `cannot write ${path}: ${dirname(path)} is not a directory`;
  if (code === 'EACCES' || code === 'EPERM') return `cannot write ${path}: permission denied`;
  if (code === 'EROFS') return `cannot write ${path}: the file system is read-only`;
  if (code === 'ENOSPC') return `cannot write ${path}: no space left on the device`;
  return `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
