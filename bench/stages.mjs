// Runs single stages of the line in a process of its own: `node stages.mjs <bundle> <what> <options as JSON>`.
// Tells the times in milliseconds on standard output.
import { writeFileSync } from 'node:fs';
import { timeRepeatedly } from './support/time.mjs';
import { operationsOf, replacement } from './support/replacement.mjs';

const [bundle, what, options] = process.argv.slice(2);
const stages = await import(bundle);
const concurrency = 10;

/** Loads a configuration as the command line does. */
function load(file) {
  return stages.loadConfiguration({
    files: [file],
    cwd: '/',
    env: {},
    allowUnsetEnv: false,
    lint: true,
    managedBy: true,
  });
}

/** A backend that has memory of nothing, so that each read does all of the work. */
async function open(pools, url) {
  return await stages.openBackend('apisix', {
    endpoints: [{ server: url, token: 'bench' }],
    pools,
    memory: stages.createMemory(),
    concurrency,
  });
}

/** A gateway to which writing takes no time. */
const executed = { at: new Date(), status: 200, written: true };
const writing = { execute: async () => executed, lagRefusal: () => undefined };

/** What a reading gives, as a backend that has read already. */
const having = (backend, reading) => ({ ...backend, read: async () => reading });

const parts = {
  /** Reading, parsing, checking and resolving a file. */
  async configuration({ file, times }) {
    return await timeRepeatedly(times, () => load(file));
  },

  /** The two states as texts. */
  async states({ file, url, texts }) {
    const pools = stages.createPoolManager();
    const backend = await open(pools, url);
    const [{ state: desired }, { state: current }] = [await load(file), await backend.read()];
    for (const [index, state] of [desired, current].entries())
      writeFileSync(texts[index], JSON.stringify([...state.resources.values()]));
    await pools.close();
    return { desired: desired.resources.size, current: current.resources.size };
  },

  /** Everything between the reading and the knowledge of the changes; `changes` is how many there must be. */
  async diff({ file, url, changes, times }) {
    const pools = stages.createPoolManager();
    const backend = await open(pools, url);
    const [configuration, reading] = [await load(file), await backend.read()];
    const told = await timeRepeatedly(times, async () => {
      const difference = await stages.readAndDiff({ backend: having(backend, reading), configuration });
      if (difference.changes.length !== changes)
        throw new Error(`${difference.changes.length} changes, not ${changes}`);
      return difference;
    });
    await pools.close();
    return told;
  },

  /** Everything the pure middle does when so many routes give way to as many others. */
  async replacement({ count, times }) {
    const { current, desired } = replacement(count);
    const unmanaged = new Map();
    const warm = async (run) => (await timeRepeatedly(times, run)).warm;
    const changes = stages.diff({ desired, current, unmanaged });
    if (changes.length !== 2 * count) throw new Error('not every route is a change');
    const operations = operationsOf(changes);
    const plan = stages.plan(operations);
    const outcomes = await stages.apply(plan, writing);
    if (outcomes.some(({ status }) => status !== 'applied')) throw new Error('not everything was applied');
    const report = stages.foldOutcomes({ changes, outcomes, now: new Date() });
    if (!report.success) throw new Error('the report is no success');
    return {
      diff: await warm(() => stages.diff({ desired, current, unmanaged })),
      plan: await warm(() => stages.plan(operations)),
      apply: await warm(() => stages.apply(plan, writing)),
      report: await warm(() => stages.foldOutcomes({ changes, outcomes, now: new Date() })),
    };
  },

  /**
   * Each stage of the line, with a configuration that the gateway at `url` has and the one at `empty` has not: the first time,
   * one after the other as a command does them, and then warm.
   */
  async line({ file, url, empty, times }) {
    const pools = stages.createPoolManager();
    const report = (creating, outcomes) => {
      const { changes, configured: desired, current } = creating;
      const folded = stages.foldOutcomes({ changes, outcomes, desired, current, now: new Date() });
      if (!folded.success) throw new Error('the report is no success');
      return stages.syncReport(folded, creating);
    };
    const told = {};
    const cold = async (stage, run) => {
      const began = performance.now();
      const result = await run();
      told[`${stage}, cold`] = performance.now() - began;
      return result;
    };
    const configuration = await cold('configuration', () => load(file));
    const backend = await open(pools, url);
    const reading = await cold('read', () => backend.read());
    const compare = () => stages.readAndDiff({ backend: having(backend, reading), configuration });
    await cold('diff', compare);
    const creating = await stages.readAndDiff({ backend: await open(pools, empty), configuration });
    const plan = await cold('plan', () => creating.plan());
    const outcomes = await cold('apply', () => stages.apply(plan, writing, { concurrency }));
    await cold('report', () => report(creating, outcomes));

    const warm = {
      configuration: () => load(file),
      read: async () => await (await open(pools, url)).read(),
      diff: compare,
      plan: () => creating.plan(),
      apply: () => stages.apply(plan, writing, { concurrency }),
      report: () => report(creating, outcomes),
    };
    // The mean, because a small configuration has a collection only now and then.
    for (const [stage, run] of Object.entries(warm)) told[`${stage}, warm`] = (await timeRepeatedly(times, run)).mean;
    await pools.close();
    return told;
  },
};

process.stdout.write(JSON.stringify(await parts[what](JSON.parse(options))));
