import { readFile } from 'node:fs/promises';
import { unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AdcError } from '../model/errors.js';
import type { ServerTls } from './options.js';

/** The contents of the files of {@link ServerTls}. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/** How often files are looked at, in milliseconds. Looking, not notifications: mounted secrets change by a swapped link above them. */
const watchInterval = 1_000;

/**
 * Reads the certificate files and checks that they can be served.
 *
 * @throws AdcError `file` for a file that cannot be read; `tls_material` for contents that do not fit
 */
export async function readTlsFiles(tls: ServerTls): Promise<TlsFiles> {
  const [cert, key, clientCa] = await Promise.all([
    readText('--tls-cert-file', tls.certFile),
    readText('--tls-key-file', tls.keyFile),
    tls.clientCaFile === undefined ? undefined : readText('--ca-cert-file', tls.clientCaFile),
  ]);
  checkPart(`--tls-cert-file ${tls.certFile}`, () => createSecureContext({ cert }));
  checkPart(`--tls-key-file ${tls.keyFile}`, () => createSecureContext({ key }));
  checkPart(`--tls-key-file ${tls.keyFile} does not belong to --tls-cert-file ${tls.certFile}`, () =>
    createSecureContext({ cert, key }),
  );
  if (clientCa === undefined) return { cert, key };
  checkPart(`--ca-cert-file ${tls.clientCaFile ?? ''}`, () => createSecureContext({ ca: clientCa }));
  if (!clientCa.includes('-----BEGIN CERTIFICATE-----')) {
    throw new AdcError('tls_material', `--ca-cert-file ${tls.clientCaFile ?? ''}: no certificate in it`);
  }
  return { cert, key, clientCa };
}

/**
 * Reads a file that holds one secret on one line.
 *
 * @throws AdcError `file` when it cannot be read or is empty
 */
export async function readTokenFile(path: string): Promise<string> {
  const token = (await readText('--auth-token-file', path)).trim();
  if (token === '') throw new AdcError('file', `--auth-token-file ${path}: it is empty`);
  return token;
}

/** Calls `changed` when one of the files was written or replaced. Gives the function that stops watching. */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  for (const path of paths) watchFile(path, { interval: watchInterval, persistent: false }, changed);
  return () => {
    for (const path of paths) unwatchFile(path, changed);
  };
}

async function readText(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AdcError('file', `${option} ${path}: ${(cause as NodeJS.ErrnoException).code ?? 'cannot be read'}`, {
      cause,
    });
  }
}

function checkPart(what: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new AdcError('tls_material', `${what}: ${cause instanceof Error ? cause.message : 'cannot be used'}`, {
      cause,
    });
  }
}
