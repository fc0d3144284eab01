// Bundles the emulator from source, so that no build is needed first.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

export async function loadEmulator() {
  // Beside the packages it imports, which are found from where it stands.
  const directory = await mkdtemp(join(root, 'node_modules', '.bench-'));
  const outfile = join(directory, 'emulator.mjs');
  try {
    await build({
      entryPoints: [join(root, 'src/emulator/index.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      outfile,
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
