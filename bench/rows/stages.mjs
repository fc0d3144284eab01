// Single stages of the line, each run in a process of its own, against the least that holding the same data can be.
import { join } from 'node:path';

/** Quick runs take a fifth: the stages are linear, and the filling takes longer than the measuring. */
const shapeOf = ({ quick }) => ({ services: quick ? 1_000 : 5_000, routes: 10 });
const timesOf = ({ quick }) => (quick ? 2 : 5);

const diffs = [
  { name: 'diff stage, 50,000 routes, nothing changed', changed: 0, targets: { warm: 0.5, cold: 0.9 } },
  { name: 'diff stage, 50,000 routes, 1 % changed', changed: 100, targets: { warm: 0.5, cold: 0.9 } },
  {
    name: 'diff stage, 50,000 routes, all defaults stored (3.10)',
    changed: 0,
    gatewayVersion: '3.10.0',
    targets: { warm: 3, cold: 3 },
  },
];

const diffRows = diffs.map(({ name, changed, gatewayVersion, targets }) => ({
  name,
  rounds: { full: 5, quick: 2 },
  values: { warm: { target: targets.warm, unit: '×' }, cold: { target: targets.cold, unit: '×' } },
  async prepare(context) {
    const stored = shapeOf(context);
    const wanted = changed === 0 ? stored : { ...stored, changed };
    const url =
      gatewayVersion === undefined
        ? await context.filled(stored)
        : await context.filledEmulator(stored, gatewayVersion);
    // What is loaded before the clock starts comes from JSON, which is faster to load.
    const file = context.file(wanted, 'json');
    const texts = ['desired', 'current'].map((side) =>
      join(context.folder, `${changed}-${gatewayVersion}-${side}.json`),
    );
    const [changes, times] = [changed === 0 ? 0 : (stored.services * stored.routes) / changed, timesOf(context)];
    let written = false;
    return {
      ours: async (program) => {
        if (!written) await context.stage(program, 'states', { file, url, texts });
        written = true;
        return await context.stage(program, 'diff', { file, url, changes, times });
      },
      limit: async () => JSON.parse((await context.limit('parse', [...texts, `${times}`])).output),
    };
  },
}));

const configurationRow = {
  name: 'configuration stage, 50,000 routes in YAML',
  rounds: { full: 5, quick: 3 },
  values: { cold: { target: 1.6, unit: '×' }, warm: { target: 1.6, unit: '×' } },
  async prepare(context) {
    const file = context.file(shapeOf(context));
    const times = context.quick ? 1 : 3;
    return {
      ours: (program) => context.stage(program, 'configuration', { file, times }),
      limit: async () => JSON.parse((await context.limit('yaml', [file, `${times}`])).output),
    };
  },
};

const stageNames = ['configuration', 'read', 'diff', 'plan', 'apply', 'report'];

const growthRow = (name, equalNames) => ({
  name,
  rounds: { full: 5, quick: 1 },
  values: Object.fromEntries(
    stageNames.flatMap((stage) =>
      ['cold', 'warm'].map((how) => [`${stage}, ${how}`, { target: 12, unit: '× for 10 ×', unguarded: true }]),
    ),
  ),
  async prepare(context) {
    const shape = (services) => ({ services, routes: 10, ...(equalNames ? { equalNames } : {}) });
    const [small, large] = await Promise.all(
      (context.quick ? [100, 1_000] : [500, 5_000]).map(async (services) => ({
        file: context.file(shape(services)),
        url: await context.filled(shape(services)),
        empty: await context.url('accept'),
      })),
    );
    const times = context.quick ? 1 : 3;
    // Ten times the rounds, so that both have as much behind them.
    return {
      ours: (program) => context.stage(program, 'line', { ...large, times }),
      limit: (program) => context.stage(program, 'line', { ...small, times: 10 * times }),
    };
  },
});

/** The least that each could be: both sides walked, one map made, each write awaited, one map made. */
const replacementRow = {
  name: 'every one of 65,000 routes replaced by another',
  rounds: { full: 5, quick: 2 },
  values: Object.fromEntries(['diff', 'plan', 'apply', 'report'].map((stage) => [stage, { unit: '× the floor' }])),
  prepare: async (context) => {
    const options = { count: context.quick ? 20_000 : 65_000, times: timesOf(context) };
    return {
      ours: (program) => context.stage(program, 'replacement', options),
      limit: async () =>
        JSON.parse((await context.limit('replacement', [`${options.count}`, `${options.times}`])).output),
    };
  },
};

export const stages = [...diffRows, configurationRow, replacementRow];
export const growth = [
  growthRow('growth from 5,000 to 50,000 routes', false),
  growthRow('the same, each name 5,000 times', true),
];
