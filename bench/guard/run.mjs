// Says whether this tree got slower than another revision: `npm run bench:guard -- <base revision> [<part> …]`.
// Both are built and measured in turns, in one run. Exits with 1 and names what got more than 15 % worse.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, openProgram } from '../context.mjs';
import { takeSamples } from '../measure.mjs';
import { parts } from '../rows/index.mjs';
import { root, temporaryFolder } from '../support/bundle.mjs';
import { figure } from '../support/report.mjs';
import { median } from '../support/statistics.mjs';
import { bound, compareRevisions } from './compare.mjs';

const [revision, ...wanted] = process.argv.slice(2);
const unknown = wanted.filter((name) => parts[name] === undefined);
if (revision === undefined || unknown.length > 0) {
  process.stderr.write(
    `usage: npm run bench:guard -- <base revision> [part …]; the parts are ${Object.keys(parts).join(', ')}\n`,
  );
  process.exit(2);
}
const names = wanted.length > 0 ? wanted : Object.keys(parts);

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const commit = git('rev-parse', '--verify', `${revision}^{commit}`);
const folder = temporaryFolder('guard');
// Not beside the packages: a tree that lies in node_modules is taken for one of them.
const checkout = mkdtempSync(join(tmpdir(), 'adc-bench-base-'));
process.on('exit', () => {
  rmSync(checkout, { recursive: true, force: true });
  git('worktree', 'prune');
});
const tree = join(checkout, 'tree');
const build = (cwd) =>
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

git('worktree', 'add', '--quiet', '--detach', tree, commit);
const context = createContext({ quick: true });
const findings = { worse: [], unsure: [] };
try {
  const lock = (where) => readFileSync(join(where, 'package-lock.json'), 'utf8');
  if (lock(tree) === lock(root)) symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  else execFileSync('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: tree, stdio: 'ignore' });
  build(tree);
  build(root);
  const programs = {
    base: await openProgram('base', tree, folder),
    branch: await openProgram('branch', root, folder),
  };

  process.stdout.write(`this tree over ${revision} (${commit.slice(0, 10)}); worse is more than ${bound} ×\n\n`);
  for (const row of names.flatMap((name) => parts[name])) await compareRow(row, programs);
} finally {
  await context.close();
}
for (const [verdict, values] of Object.entries(findings)) {
  if (values.length > 0)
    process.stdout.write(`\n${verdict}:\n${values.map((value) => `  ${String(value)}\n`).join('')}`);
}
if (findings.worse.length > 0) process.exitCode = 1;
else process.stdout.write('\nnothing got more than 15 % worse\n');

/** One sample out of several. */
function middleOf(samples) {
  return Object.fromEntries(Object.keys(samples[0]).map((key) => [key, median(samples.map((sample) => sample[key]))]));
}

async function compareRow(row, programs) {
  const guarded = Object.entries(row.values).filter(([, { unguarded }]) => unguarded !== true);
  if (guarded.length === 0 || row.rounds.quick === 0) return;
  const { ours } = await row.prepare(context);
  let turns = 0;
  const takePair = async () => {
    // What is over in no time is run several times for one sample: a single run of it is mostly noise.
    turns += 1;
    const sides = { base: () => ours(programs.base), branch: () => ours(programs.branch) };
    const reversed = { branch: sides.branch, base: sides.base };
    const { base, branch } = await takeSamples(turns % 2 === 0 ? sides : reversed, row.burst ?? 1);
    return { base: middleOf(base), branch: middleOf(branch) };
  };
  const told = await compareRevisions({
    keys: guarded.map(([key]) => key),
    exact: guarded.filter(([, { exact }]) => exact === true).map(([key]) => key),
    takePair,
  });
  for (const [key, { verdict, ratio, pairs: count }] of Object.entries(told)) {
    const mark = { worse: '! ', unsure: '? ', fine: '  ' }[verdict];
    const line = `${row.name.padEnd(62)} ${key.padEnd(14)} ${figure(ratio).padStart(6)} × (${count} pairs)`;
    process.stdout.write(`${mark}${line}\n`);
    findings[verdict]?.push(line);
  }
}
