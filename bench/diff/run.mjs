// Measures the pure middle of a sync: diff, plan and the running of a plan, without any gateway.
//
//   node bench/diff/run.mjs
//
// Each number stands beside what the machine needs, in the same run, for a floor that no program could go below: reading
// both sides' values once, or calling a function once per operation.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Bundles the stages from source, so that no build is needed first. */
async function loadStages() {
  const directory = await mkdtemp(join(root, 'node_modules', '.bench-'));
  const outfile = join(directory, 'stages.mjs');
  try {
    await build({
      stdin: {
        contents: `export { diff } from './src/pipeline/diff/diff.js';
          export { plan } from './src/pipeline/plan/plan.js';
          export { apply } from './src/pipeline/apply/apply.js';
          export { foldOutcomes } from './src/pipeline/report/fold.js';`,
        resolveDir: root,
        loader: 'ts',
      },
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

const { diff, plan, apply, foldOutcomes } = await loadStages();

function routes(count, first = 0) {
  const resources = new Map();
  for (let number = first; number < first + count; number += 1) {
    const key = `route/r${number}`;
    const body = {
      name: `route-${number}`,
      uris: [`/a/${number}`, `/b/${number}/*`],
      methods: ['GET', 'POST'],
      labels: { team: 'a', 'managed-by': 'adc' },
      plugins: { 'limit-count': { count: 100, time_window: 60, rejected_code: 429 }, cors: { allow_origins: '*' } },
      priority: number % 7,
    };
    resources.set(key, { kind: 'route', key, id: `r${number}`, name: body.name, parent: 'service/s', body });
  }
  return { resources };
}

/** The floor of a comparison: every value of one side looked at once. */
function walk(value) {
  if (typeof value !== 'object' || value === null) return 1;
  let seen = 0;
  for (const key in value) seen += walk(value[key]);
  return seen;
}

/** The best of several runs, in milliseconds. */
async function best(run, times = 5) {
  let least = Number.POSITIVE_INFINITY;
  let result;
  for (let time = 0; time < times; time += 1) {
    const start = performance.now();
    result = await run();
    least = Math.min(least, performance.now() - start);
  }
  return { took: least, result };
}

function tell(what, took, floor, floorName) {
  const ratio = (took / floor).toFixed(1);
  process.stdout.write(`${what.padEnd(52)} ${took.toFixed(0).padStart(6)} ms   ${ratio.padStart(5)} × ${floorName}\n`);
}

const unmanaged = new Map();
const [left, right] = [routes(50_000), routes(50_000)];
const floor = await best(() => {
  let seen = 0;
  for (const state of [left, right]) for (const { body } of state.resources.values()) seen += walk(body);
  return seen;
});
const equal = await best(() => diff({ desired: left, current: right, unmanaged }));
if (equal.result.length > 0) throw new Error('equal states differ');
tell('diff of 50,000 equal routes', equal.took, floor.took, 'walking both sides once');

const normalised = await best(() =>
  diff({ desired: left, current: right, unmanaged, normalise: (_, body) => ({ status: 1, ...body }) }),
);
tell('the same with a normaliser (not asked: nothing differs)', normalised.took, floor.took, 'walking both sides once');

const edited = {
  resources: new Map(
    [...right.resources].map(([key, route]) => [key, { ...route, body: { ...route.body, priority: -1 } }]),
  ),
};
const changed = await best(() => diff({ desired: edited, current: left, unmanaged }));
if (changed.result.length !== 50_000) throw new Error('not every route differs');
tell('diff of 50,000 routes that all differ', changed.took, floor.took, 'walking both sides once');

const [old, fresh] = [routes(65_000), routes(65_000, 65_000)];
const replaced = await best(() => diff({ desired: fresh, current: old, unmanaged }));
if (replaced.result.length !== 130_000) throw new Error('not every route is a change');
tell('diff of 130,000 creations and deletions', replaced.took, floor.took, 'walking both sides once');

const operations = replaced.result.map((change) => ({
  id: `${change.type} ${change.key}`,
  endpoint: 'http://127.0.0.1:9180',
  method: change.type === 'delete' ? 'DELETE' : 'PUT',
  path: `/apisix/admin/routes/${change.id}`,
  object: `routes/${change.id}`,
  references: change.type === 'delete' ? [] : ['services/s'],
  releases: change.type === 'delete' ? ['services/s'] : [],
  claims: [],
  frees: [],
  serves: [`http *${(change.desired ?? change.current).body.uris[0]}`, 'http */common'],
  changes: [change.key],
}));
const tables = await best(() => new Map(operations.map((operation) => [operation.id, operation])));
const planned = await best(() => plan(operations));
tell('plan of 130,000 operations that share a word', planned.took, tables.took, 'one map of them');

const executed = { at: new Date(), status: 200, written: true };
const backend = { execute: async () => executed, lagRefusal: () => undefined };
const calls = await best(async () => {
  for (const operation of operations) await backend.execute(operation);
});
const applied = await best(() => apply(planned.result, backend), 3);
if (applied.result.some(({ status }) => status !== 'applied')) throw new Error('not everything was applied');
tell('apply of that plan with writes that take no time', applied.took, calls.took, 'awaiting each write in turn');

const folded = await best(() => foldOutcomes({ changes: replaced.result, outcomes: applied.result, now: new Date() }));
if (!folded.result.success) throw new Error('the report is no success');
tell('folding the outcomes into a report', folded.took, tables.took, 'one map of them');
