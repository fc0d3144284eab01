import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AdcError } from '../../src/model/errors.js';
import { loadConfiguration, type LoadOptions } from '../../src/pipeline/config/load.js';
import type { Configuration } from '../../src/pipeline/config/resolve.js';

/** A folder with these files, gone when the test is. */
export async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'adc-config-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Loads files of a folder, strictly and without labels unless told otherwise. */
export function loadFrom(folder: string, options: Partial<LoadOptions> = {}): Promise<Configuration> {
  return loadConfiguration({
    files: ['adc.yaml'],
    cwd: folder,
    env: {},
    lint: true,
    managedBy: false,
    allowUnsetEnv: false,
    ...options,
  });
}

/** Loads one text as `adc.yaml`. */
export async function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<Configuration> {
  return loadFrom(await folderWith({ 'adc.yaml': text }), options);
}

/** What something was refused with. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<AdcError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof AdcError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** The problems of a refusal, as `line:column message`; without a position only the message. */
export function said(error: AdcError): string[] {
  return error.problems.map(({ line, column, message }) =>
    line === undefined ? message : `${line}:${column} ${message}`,
  );
}
