// Measures what the command line costs beside the least it could cost: `npm run bench [-- --quick]`, or a part of it:
// `node bench/run.mjs sync unchanged [--quick]`. A line with `!` misses its target.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { createContext, openProgram } from './context.mjs';
import { measureRow } from './measure.mjs';
import { parts } from './rows/index.mjs';
import { checkSameWrites } from './rows/writes.mjs';
import { root } from './support/bundle.mjs';
import { figure, machine, sideText } from './support/report.mjs';
import { writeResults } from './support/results.mjs';

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}
const names = positionals.length > 0 ? positionals : Object.keys(parts);

execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
const context = createContext(values);
const program = await openProgram('this', root, context.folder);
const began = { at: new Date().toISOString(), quick: values.quick, machine: machine() };
const { node, cpus, model, load } = began.machine;
process.stdout.write(
  `Node ${node}, ${cpus} × ${model}, load ${load[0]}${values.quick ? '; quick: fewer rounds, smaller stages' : ''}\n\n`,
);

function print({ row, value, measured, unit, target, met, ours, limit, rounds }) {
  const wish = target === undefined ? '' : `≤ ${target}`;
  const sides = ours === undefined ? '' : `${sideText(ours)} : ${sideText(limit)}`;
  process.stdout.write(
    `${met === false ? '! ' : '  '}${row.padEnd(62)} ${value.padEnd(20)} ${figure(measured).padStart(8)} ${unit.padEnd(20)} ${wish.padEnd(7)} ${sides} (${rounds})\n`,
  );
}

const measured = [];
let file = 'nowhere';
try {
  if (names.includes('sync')) await checkSameWrites(context, program);
  for (const name of names) {
    const from = performance.now();
    const { load: before } = machine();
    const results = [];
    for (const row of parts[name]) {
      for (const result of await measureRow(row, context, program)) {
        results.push(result);
        print(result);
      }
    }
    measured.push(...results);
    // Part by part, so that what was measured is there even if the rest is not.
    file = writeResults(values.quick, { [name]: { ...began, machine: { ...began.machine, load: before }, results } });
    process.stdout.write(`  -- ${name}: ${((performance.now() - from) / 1000).toFixed(0)} s\n`);
  }
} finally {
  await context.close();
}

const missed = measured.filter(({ met }) => met === false).length;
process.stdout.write(`\n${measured.length} values, ${missed} miss their target; written to ${file}\n`);
