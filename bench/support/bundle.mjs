// Bundles parts of src, so that a measurement of them needs no build first.
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** The root of this tree. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A folder that goes when the process does. It stands beside the packages, so that what is bundled into it finds them. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(root, 'node_modules', `.bench-${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // A process that a signal ends would leave it behind.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  return folder;
}

const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };

/**
 * Bundles what `contents` exports; its imports are relative to the root of a tree.
 *
 * @param tree the root of the tree whose sources are meant; default: this one
 * @returns the bundle as a URL that can be imported
 */
export async function bundle(contents, outfile, tree = root) {
  await build({ ...options, stdin: { contents, resolveDir: tree, loader: 'ts' }, outfile });
  return pathToFileURL(outfile).href;
}

/** Bundles entry points, each to a file of its own, and what they share to others. */
export async function bundleEntries(entryPoints, outdir, more = {}) {
  await build({ ...options, entryPoints, outdir, outExtension: { '.js': '.mjs' }, ...more });
}

/** Imports what `contents` exports, out of a bundle that is gone again afterwards. */
export async function importBundle(contents) {
  const folder = temporaryFolder('import');
  try {
    return await import(await bundle(contents, join(folder, 'bundle.mjs')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bundles the server as bench/server and bench/standalone run it; its second entry lies beside it. */
export async function bundleServer(folder) {
  const outfile = join(folder, 'server.mjs');
  await build({
    ...options,
    entryPoints: [join(root, 'src/server/status-thread.ts')],
    outfile: join(dirname(outfile), 'status-thread.js'),
  });
  return await bundle(
    `export { startServer } from './src/server/server.js';
     export { createPoolManager } from './src/pool/manager.js';
     export { createMemory } from './src/memory/store.js';`,
    outfile,
  );
}
