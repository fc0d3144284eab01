// Proves that tests guard what they claim to guard: applies each named break of every test/**/mutants.json to a copy of
// the tree, runs the test that must notice it, and fails where that test stays green.
//   npm run test:mutants [-- <part of a name>]
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { globSync } from 'tinyglobby';

const root = resolve(import.meta.dirname, '..');
const wanted = process.argv[2] ?? '';

/**
 * One break: in `file`, `find` (which must stand there exactly once) becomes `replace`; then in `test.file` the test whose
 * name begins with `test.name` must fail. `timeout` (ms) is for breaks that make a test hang.
 */
const mutants = globSync('test/**/mutants.json', { cwd: root })
  .sort()
  .flatMap((file) => JSON.parse(readFileSync(join(root, file), 'utf8')))
  .filter((mutant) => mutant.name.includes(wanted));

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A copy of what tests need; dependencies are linked. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'adc-mutants-'));
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  // Processes of tests run the last build, which no break reaches; what runs in the test itself is broken.
  if (existsSync(join(root, 'dist'))) symlinkSync(join(root, 'dist'), join(copy, 'dist'));
  mkdirSync(join(copy, 'node_modules'));
  for (const name of globSync(['*', '@*/*'], { cwd: join(root, 'node_modules'), onlyDirectories: true, deep: 2 })) {
    const path = name.replace(/\/$/, '');
    if (/^@[^/]+$/.test(path) || path.startsWith('.')) continue;
    mkdirSync(join(copy, 'node_modules', path, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', path), join(copy, 'node_modules', path));
  }
  return copy;
}

/** Runs one test; gives the states of the tests that matched. */
function runTest(copy, { file, name }, timeout) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = ['run', file, '-t', `^${escape(name)}`, '--reporter=json', `--outputFile=${report}`];
  args.push(`--testTimeout=${timeout}`, `--hookTimeout=${timeout}`);
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/vitest/vitest.mjs'), ...args],
      { cwd: copy },
      (_error, out, err) => {
        if (!existsSync(report)) return done({ states: [], output: out + err });
        const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
        const tests = testResults.flatMap((result) => result.assertionResults);
        const states = tests
          .map((test) => test.status)
          .filter((status) => status !== 'skipped' && status !== 'pending');
        const broken = testResults.map((result) => result.message).join('\n');
        return done({ states, output: broken + out + err });
      },
    );
  });
}

const failures = [];

async function tryMutant(copy, mutant) {
  const file = join(copy, mutant.file);
  const original = readFileSync(file, 'utf8');
  const times = original.split(mutant.find).length - 1;
  let said;
  if (times !== 1) {
    said = `"${mutant.find}" stands ${times} times in ${mutant.file}`;
  } else {
    writeFileSync(
      file,
      original.replace(mutant.find, () => mutant.replace),
    );
    const { states, output } = await runTest(copy, mutant.test, mutant.timeout ?? 15_000);
    writeFileSync(file, original);
    if (states.length === 0) said = `no test ran: ${mutant.test.file} "${mutant.test.name}"\n${output.slice(0, 2000)}`;
    else if (!states.includes('failed')) said = 'the test stayed green';
  }
  if (said !== undefined) failures.push(mutant.name);
  console.log(`${said === undefined ? 'red  ' : 'FAIL '} ${mutant.name}${said === undefined ? '' : `: ${said}`}`);
}

const queue = [...mutants];
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 4, queue.length) }, async () => {
    const copy = copyTree();
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await tryMutant(copy, next);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }),
);
console.log(`${mutants.length - failures.length} of ${mutants.length} breaks are noticed`);
if (failures.length > 0 || mutants.length === 0) process.exitCode = 1;
