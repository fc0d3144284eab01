// What the rows of a run share: the gateway, the configurations as files, and the programs that are measured.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { listPaths } from './limit/lists.mjs';
import { bundle, root, temporaryFolder } from './support/bundle.mjs';
import { configuration } from './support/configurations.mjs';
import { runProgram, startChild } from './support/process.mjs';

const limitScript = (name) => join(root, 'bench/limit', `${name}.mjs`);
const gatewayScript = new URL('gateway/server.mjs', import.meta.url);
const emulatorScript = new URL('emulator/server.mjs', import.meta.url);
const stagesScript = join(root, 'bench/stages.mjs');

/** How many requests are in flight, on both sides. */
export const concurrency = 10;

/** The parts of a tree that the measurements of stages run. All of it is there in every revision that can be compared. */
const stageExports = `export { loadConfiguration, readAndDiff, openBackend, createPoolManager, createMemory } from './src/index.js';
  export { diff } from './src/pipeline/diff/diff.js';
  export { plan } from './src/pipeline/plan/plan.js';
  export { apply } from './src/pipeline/apply/apply.js';
  export { foldOutcomes } from './src/pipeline/report/fold.js';
  export { syncReport } from './src/pipeline/report/documents.js';`;

/**
 * A built tree whose costs are measured.
 *
 * @param tree its root; `dist` must be there
 * @param folder where its bundle goes
 */
export async function openProgram(name, tree, folder) {
  return {
    name,
    tree,
    main: join(tree, 'dist/main.js'),
    stages: await bundle(stageExports, join(folder, `stages-${name}.mjs`), tree),
  };
}

/** Builds the context of a run. Everything in it is made when it is asked for first. */
export function createContext({ quick }) {
  const folder = temporaryFolder('rows');
  const made = new Map();
  const children = [];
  const once = (key, make) => {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known;
  };
  const start = async (script, args) => {
    const child = await startChild(script, args);
    children.push(child);
    return child;
  };
  const gateway = () => once('gateway', () => start(gatewayScript, []));
  const keyOf = (shape) => Object.entries(shape).flat().join('-');

  const file = (shape, format = 'yaml') =>
    once(`file ${keyOf(shape)} ${format}`, () => {
      const path = join(folder, `${keyOf(shape)}.${format}`);
      const document = configuration(shape);
      writeFileSync(path, format === 'json' ? JSON.stringify(document) : dump(document));
      return path;
    });
  const write = (shape, url) => runProgram([limitScript('write'), file(shape), url, `${concurrency}`]);

  return {
    quick,
    folder,
    concurrency,
    /** The path of a configuration of a shape (see `configuration`). */
    file,
    /** The path of a configuration that is put together by the row. */
    textFile: (name, text) =>
      once(`text ${name}`, () => {
        const path = join(folder, name);
        writeFileSync(path, text);
        return path;
      }),
    gateway,
    /** The URL of a store of the gateway. */
    url: async (store) => `${(await gateway()).url}/${store}`,
    /** The URL of a gateway that holds a configuration already. */
    filled: (shape) =>
      once(`filled ${keyOf(shape)}`, async () => {
        const { url } = await gateway();
        const store = `${url}/${keyOf(shape)}`;
        await write(shape, store);
        await (await gateway()).ask({ question: 'answers', store: keyOf(shape), answers: await schemas(once, start) });
        return store;
      }),
    /** The URL of a gateway of an older version, which has stored its defaults, that holds a configuration already. */
    filledEmulator: (shape, gatewayVersion) =>
      once(`emulator ${gatewayVersion} ${keyOf(shape)}`, async () => {
        const emulator = await start(emulatorScript, [
          'emulator',
          JSON.stringify({ gatewayVersion, adminKey: 'bench' }),
        ]);
        await write(shape, emulator.url);
        return emulator.url;
      }),
    /** The path of a file with all answers of a gateway that holds a configuration, one on each line. */
    answersFile: (shape) =>
      once(`answers ${keyOf(shape)}`, async () => {
        const { url } = await gateway();
        const answers = [];
        for (const path of listPaths(configuration(shape)))
          answers.push(await (await fetch(`${url}/${keyOf(shape)}${path}`)).text());
        const path = join(folder, `${keyOf(shape)}.answers`);
        writeFileSync(path, answers.join('\n'));
        return path;
      }),
    /** Runs the command line of a program. */
    adc: async ({ main }, args, options) => await runProgram([main, ...args], options),
    /** Runs a plain script that stands for the limit. */
    limit: async (name, args, options) => await runProgram([limitScript(name), ...args], options),
    /** Runs a Node process that does nothing. */
    nothing: async (options) => await runProgram(['-e', '0'], options),
    /** Runs a stage of a program in a process of its own. */
    stage: async ({ stages }, what, options) =>
      JSON.parse((await runProgram([stagesScript, stages, what, JSON.stringify(options)])).output),
    /** What the gateway counted since it was asked last. */
    counts: async () => await (await gateway()).ask({ question: 'counts' }),
    close: async () => await Promise.all(children.map((child) => child.stop())),
  };
}

const schemaPaths = [
  'route',
  'service',
  'upstream',
  'consumer',
  'credential',
  'plugins/proxy-rewrite',
  'plugins/limit-count',
  'plugins/key-auth',
].map((path) => `/apisix/admin/schema/${path}`);

/** The schemas a gateway of 3.18 answers with, by path. */
function schemas(once, start) {
  return once('schemas', async () => {
    const { url } = await start(emulatorScript, ['emulator', JSON.stringify({ adminKey: 'bench' })]);
    const answers = schemaPaths.map(async (path) => {
      const answer = await fetch(url + path, { headers: { 'x-api-key': 'bench' } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      return [path, await answer.text()];
    });
    return Object.fromEntries(await Promise.all(answers));
  });
}
