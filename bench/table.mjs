// Writes the numbers of the last full run into docs/performance.md, between the two marks: `npm run bench:table`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parts } from './rows/index.mjs';
import { root } from './support/bundle.mjs';
import { figure, sideText } from './support/report.mjs';
import { readResults } from './support/results.mjs';

const document = join(root, 'docs/performance.md');
const [begin, end] = ['<!-- begin of the measured table -->', '<!-- end of the measured table -->'];

const measured = readResults(false);
const missing = Object.keys(parts).filter((part) => measured[part] === undefined);
if (missing.length > 0) {
  process.stderr.write(`bench: not measured yet: ${missing.join(', ')}\n`);
  process.exit(1);
}

const lines = Object.keys(parts).flatMap((part) =>
  measured[part].results.map(
    ({ row, value, measured: number, unit, target, met, ours, limit, least, most, rounds }) => {
      const wish = target === undefined ? '' : `≤ ${target}`;
      const sides = ours === undefined ? '' : `${sideText(ours)} : ${sideText(limit)}`;
      const spread = rounds === 1 ? '' : `${figure(least)} to ${figure(most)}`;
      const cells = [met === false ? '!' : '', row, value, `${figure(number)} ${unit}`, wish, sides, spread];
      return `| ${cells.join(' | ')} |`;
    },
  ),
);
const loads = Object.values(measured).map(({ machine }) => machine.load[0]);
const { node, cpus, model } = Object.values(measured)[0].machine;
const days = [...new Set(Object.values(measured).map(({ at }) => at.slice(0, 10)))].sort((one, other) =>
  one < other ? -1 : 1,
);
const table = [
  begin,
  '',
  `Node ${node}, ${cpus} × ${model}, load ${figure(Math.min(...loads))} to ${figure(Math.max(...loads))} when the parts began, ${days.join(', ')}.`,
  '',
  '| | | | measured | target | ours : limit | spread |',
  '|---|---|---|---:|---:|---:|---:|',
  ...lines,
  '',
  end,
].join('\n');

const text = readFileSync(document, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (after === undefined) throw new Error(`${document} has no marks`);
writeFileSync(document, before + table + after);
