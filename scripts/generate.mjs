// Writes what is generated from the code: the JSON Schema for editors and the reference pages. With --check it writes
// nothing and fails where one is stale.
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const check = process.argv.includes('--check');
const version = JSON.parse(readFileSync('package.json', 'utf8')).version;

// Inside the project, so that the bundle finds the packages it leaves outside.
mkdirSync('.tmp', { recursive: true });
const folder = mkdtempSync('.tmp/generate-');
let stale = 0;
try {
  const outfile = join(folder, 'generators.mjs');
  await build({
    entryPoints: ['scripts/generators/index.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.18',
    packages: 'external',
    define: { __ADC_VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  });
  const { generators } = await import(pathToFileURL(outfile).href);
  for (const { file, render } of generators) {
    const wanted = await render();
    const present = readIfThere(file);
    if (wanted === present) continue;
    stale += 1;
    if (check) process.stderr.write(`${file} is stale: run npm run generate\n`);
    else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, wanted);
      process.stdout.write(`wrote ${file}\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (check && stale > 0) process.exit(1);

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
