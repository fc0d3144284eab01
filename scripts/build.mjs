// Builds dist/: the bin with every command in a chunk of its own, the library, the emulator; and, with --types, the declarations.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const version = JSON.parse(readFileSync('package.json', 'utf8')).version;
const define = { __ADC_VERSION__: JSON.stringify(version) };

// Made aside and swapped in whole: a build that fails leaves the last one standing.
const outdir = mkdtempSync('.build-');
process.on('exit', () => rmSync(outdir, { recursive: true, force: true }));

/** CommonJS dependencies bundled into an ES module still call require for Node's own modules. */
const requireShim =
  "import { createRequire as __adcCreateRequire } from 'node:module'; const require = __adcCreateRequire(import.meta.url);";

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.18',
  define,
  logLevel: 'warning',
  sourcemap: false,
};

const bin = await build({
  ...common,
  entryPoints: { main: 'src/main.ts', 'chunks/status-thread': 'src/server/status-thread.ts' },
  outdir,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: requireShim },
  legalComments: 'linked',
  metafile: true,
  minifySyntax: true,
});

await build({
  ...common,
  entryPoints: { index: 'src/index.ts', emulator: 'src/emulator/index.ts' },
  outdir,
  packages: 'external',
  splitting: true,
  chunkNames: 'lib/[name]-[hash]',
});

chmodSync(`${outdir}/main.js`, 0o755);

/** A heavy package in the entry chunk, or in one it imports at once, would make every command pay for it at start. */
const heavy = ['undici', 'zod', 'js-yaml', 'ajv', 'pino', 'prom-client', 'tinyglobby'];
const { outputs } = bin.metafile;
const atStart = new Set([`${outdir}/main.js`]);
for (const file of atStart) {
  for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') atStart.add(path);
}
const inputs = [...atStart].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
const leaked = heavy.filter((name) => inputs.some((input) => input.includes(`node_modules/${name}/`)));
if (leaked.length > 0) {
  process.stderr.write(`build: what is loaded at start contains ${leaked.join(', ')}; load it where it is used\n`);
  process.exit(1);
}

/** The bundle holds copies of these packages, and their licences ask to go with every copy. */
const bundled = new Set(
  Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []),
  ),
);
const notices = [...bundled].toSorted().map((folder) => {
  const { name, version: its, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (files.length === 0) throw new Error(`build: ${name} is bundled and has no licence file`);
  const texts = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8').trim());
  return [`${name} ${its} (${license})`, ...texts].join('\n\n');
});
writeFileSync(`${outdir}/LICENSES.txt`, `${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);

if (process.argv.includes('--types')) {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.types.json', '--outDir', `${outdir}/types`], { stdio: 'inherit' });
}

chmodSync(outdir, 0o755);
rmSync('dist', { recursive: true, force: true });
renameSync(outdir, 'dist');
