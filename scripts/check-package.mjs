// What users install is what is checked: the packed tarball by publint and attw, and then that tarball in an empty folder,
// where the bin and the library have to work.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const version = JSON.parse(execFileSync('npm', ['pkg', 'get', 'version'], { encoding: 'utf8' }));
const folder = mkdtempSync(join(tmpdir(), 'adc-package-'));

function run(command, args, cwd = process.cwd()) {
  process.stdout.write(`$ ${command} ${args.join(' ')}\n`);
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function expect(condition, what) {
  if (!condition) throw new Error(what);
  process.stdout.write(`ok: ${what}\n`);
}

try {
  run('node', ['scripts/build.mjs', '--types']);
  const packed = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]));
  const tarball = join(folder, packed[0].filename);
  const files = packed[0].files.map(({ path }) => path);
  expect(
    files.includes('dist/main.js') && files.includes('dist/types/index.d.ts'),
    'the bin and the declarations are packed',
  );
  expect(
    files.includes('schema/adc.schema.json') && files.includes('LICENSE'),
    'the schema and the licence are packed',
  );
  expect(files.includes('dist/LICENSES.txt'), 'the licences of what is bundled are packed');
  const maps = files.filter((path) => path.endsWith('.map'));
  expect(maps.length === 0, `no source maps are packed ${maps.join(' ')}`.trim());
  const strangers = files.filter(
    (path) => /(^|\/)(src|test|bench|node_modules)\//.test(path) && !path.startsWith('dist/'),
  );
  expect(strangers.length === 0, `nothing else is packed ${strangers.join(' ')}`.trim());

  process.stdout.write(run('npx', ['publint', '--strict', tarball]));
  process.stdout.write(
    run('npx', ['attw', '--profile', 'esm-only', '--no-emoji', '--exclude-entrypoints', 'schema.json', '--', tarball]),
  );

  const empty = join(folder, 'empty');
  execFileSync('mkdir', [empty]);
  writeFileSync(join(empty, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', tarball], empty);
  expect(run('npx', ['adc', '--version'], empty).trim() === version, `adc --version prints ${version}`);

  writeFileSync(join(empty, 'adc.yaml'), 'services:\n  - name: shop\n    routes: [{ name: items, uris: [/items] }]\n');
  run('npx', ['adc', 'lint'], empty);
  writeFileSync(join(empty, 'wrong.yaml'), 'services:\n  - name: shop\n    port: 80\n');
  let refused = false;
  try {
    execFileSync('npx', ['adc', 'lint', '-f', 'wrong.yaml'], { cwd: empty, stdio: 'pipe' });
  } catch (error) {
    refused = error.status === 1 && String(error.stderr).includes('wrong.yaml:3:');
  }
  expect(refused, 'adc lint accepts a right file, and refuses a wrong one with file and line');

  writeFileSync(
    join(empty, 'library.mjs'),
    `import { readFileSync } from 'node:fs';
     import { createPoolManager, resolveConfiguration, version } from '@apisix/adc';
     import { startEmulator } from '@apisix/adc/emulator';
     const pools = createPoolManager();
     const { state } = resolveConfiguration({ services: [{ name: 'shop' }] }, { lint: true, managedBy: false });
     const emulator = await startEmulator();
     await emulator.close();
     await pools.close();
     const schema = JSON.parse(readFileSync(new URL(import.meta.resolve('@apisix/adc/schema.json')), 'utf8'));
     process.stdout.write(version + ' ' + state.resources.size + ' ' + typeof schema);`,
  );
  const said = run('node', ['library.mjs'], empty);
  expect(said === `${version} 1 object`, 'the library, the emulator and the schema can be imported');
} catch (error) {
  process.stderr.write(`package: ${error.message}\n`);
  for (const text of [error.stdout, error.stderr]) if (text) process.stderr.write(String(text));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
