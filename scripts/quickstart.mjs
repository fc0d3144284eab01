// The main job, as a person would do it: starts an embedded Admin API and runs the built adc against it. Holds no logic of
// its own: what is seen is what adc prints.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const adc = resolve('dist/main.js');
const adminKey = 'quickstart-admin-key';
const folder = mkdtempSync(join(tmpdir(), 'adc-quickstart-'));
const file = join(folder, 'adc.yaml');
const bold = process.stdout.isTTY ? (text) => `\u001B[1m${text}\u001B[22m` : (text) => text;
const env = { ...process.env, ADC_TOKEN: adminKey };
for (const name of Object.keys(env)) if (name.startsWith('ADC_') && name !== 'ADC_TOKEN') delete env[name];

let step = 0;
function caption(text) {
  step += 1;
  process.stdout.write(`\n${bold(`${step}. ${text}`)}\n`);
}

/** Runs adc in the folder, showing the command and all it prints; ends everything where it fails. */
async function run(...args) {
  process.stdout.write(`$ adc ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [adc, ...args], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise((done) => child.on('close', done));
  if (status !== 0) throw new Error(`adc ${args[0]} ended with ${status}`);
}

/** Starts the embedded Admin API; gives its address, which is the first line it prints. */
async function startEmulator() {
  const args = ['emulator', '--listen', 'http://127.0.0.1:0', '--admin-key', adminKey, '--latency', '40ms'];
  process.stdout.write(`$ adc ${args.join(' ')}\n`);
  const child = spawn(process.execPath, [adc, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise((found, failed) => {
    createInterface({ input: child.stdout }).once('line', found);
    child.once('close', (status) => failed(new Error(`adc emulator ended with ${status}`)));
  });
  process.stdout.write(`${address}\n`);
  const stop = () =>
    new Promise((done) => {
      child.once('close', done);
      child.kill('SIGTERM');
    });
  return { address, stop };
}

let emulator;
let status = 0;
try {
  caption('An Admin API to talk to. Yours would be a gateway.');
  emulator = await startEmulator();
  env.ADC_SERVER = emulator.address;
  await run('ping');

  caption('A configuration: three services with routes and plugins, a consumer, a certificate, two global rules.');
  copyFileSync('examples/quickstart/adc.yaml', file);
  process.stdout.write(`${file}\n`);
  await run('lint');

  caption('What would change on the empty gateway?');
  await run('diff');

  caption('Make it so.');
  await run('sync');

  caption('Once more: nothing changes.');
  await run('sync');

  caption('Someone edits one route: 200 requests a minute instead of 100. The difference, field by field:');
  writeFileSync(file, readFileSync(file, 'utf8').replace('count: 100,', 'count: 200,'));
  await run('diff');

  caption('Apply it.');
  await run('sync');

  caption('Read the gateway back into a file.');
  await run('dump', '-o', 'dump.yaml');

  process.stdout.write(`\nFor you to read:\n`);
  for (const [name, what] of [
    ['adc.yaml', 'the configuration'],
    ['diff.yaml', 'the last difference'],
    ['dump.yaml', 'what the gateway holds now'],
  ]) {
    process.stdout.write(`  ${join(folder, name)}  ${what}\n`);
  }
} catch (error) {
  process.stderr.write(`quickstart: ${error.message}\n`);
  rmSync(folder, { recursive: true, force: true });
  status = 1;
} finally {
  await emulator?.stop();
}
process.exitCode = status;
