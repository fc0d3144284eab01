import { describe, expect, test as it, type TestContext } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/index.js';
import { openShell, type Running } from './shell.js';

const names = Array.from({ length: 12 }, (_, index) => `s${String(index).padStart(2, '0')}`);

/** Plugin configs: one request each, and none waits for another. */
const configuration = `plugin_configs:\n${names.map((name) => `  - { name: ${name}, plugins: { prometheus: {} } }`).join('\n')}\n`;

async function emulate(options: EmulatorOptions, test: TestContext): Promise<Emulator> {
  const emulator = await startEmulator({ adminKey: 'k', ...options });
  test.onTestFinished(async () => await emulator.close());
  return emulator;
}

/** What the gateway holds, asked beside the tool. */
async function namesOn(emulator: Emulator): Promise<readonly string[]> {
  const answer = await fetch(`${emulator.url}/apisix/admin/plugin_configs`, { headers: { 'X-API-KEY': 'k' } });
  const { list } = (await answer.json()) as { list: { value: { name: string } }[] };
  return list.map(({ value }) => value.name).sort();
}

/** Resolves once the gateway was asked so often with a method. */
async function asked(emulator: Emulator, method: string, count: number, running: Running): Promise<void> {
  let ended = false;
  void running.ended.then(() => (ended = true));
  while ((emulator.requests.byMethod[method] ?? 0) < count) {
    if (ended) throw new Error(`adc ended early: ${(await running.ended).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function startSync(emulator: Emulator, test: TestContext, ...flags: string[]): Running {
  const shell = openShell(test).with({ ADC_SERVER: emulator.url, ADC_TOKEN: 'k' });
  shell.write('adc.yaml', configuration);
  return shell.start(['sync', '--request-concurrent', '3', ...flags]);
}

describe('a signal', () => {
  it.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s in the middle of a sync stops before the next write and says what was applied',
    async ([signal, status], test) => {
      const emulator = await emulate({ latency: 250, methods: ['PUT'] }, test);
      const sync = startSync(emulator, test);
      await asked(emulator, 'PUT', 4, sync);
      sync.child.kill(signal);
      const ended = await sync.ended;

      expect(ended.status).toBe(status);
      expect(ended.stderr).toContain('Stopping: waiting for the requests in flight.');
      expect(ended.stderr).toContain(`Stopped: received ${signal}`);
      const said = (pattern: RegExp) => [...ended.stderr.matchAll(pattern)].map(([, name = '']) => name).sort();
      const applied = said(/^✔ create plugin_config: "(s\d\d)"/gm);
      const notStarted = said(/^- create plugin_config: "(s\d\d)" not started/gm);
      expect(applied).toEqual(await namesOn(emulator));
      expect(applied.length).toBeGreaterThanOrEqual(4);
      expect(notStarted.length).toBeGreaterThan(0);
      expect([...applied, ...notStarted].sort()).toEqual(names);
      expect(emulator.requests.byMethod['PUT']).toBe(applied.length);
      expect(ended.stderr).toContain(`Summary: ${applied.length} applied, 0 failed, ${notStarted.length} not started`);
    },
  );

  it('stopped in the middle, a sync is completed by the next one', async (test) => {
    const emulator = await emulate({ latency: 100, methods: ['PUT'] }, test);
    const sync = startSync(emulator, test, '--output', 'json');
    await asked(emulator, 'PUT', 4, sync);
    sync.child.kill('SIGINT');
    const { stdout } = await sync.ended;
    const report = JSON.parse(stdout) as { success: boolean; summary: { applied: number; aborted: number } };
    expect(report.success).toBe(false);
    expect(report.summary.applied + report.summary.aborted).toBe(names.length);

    expect(await startSync(emulator, test).ended).toMatchObject({ status: 0 });
    expect(await namesOn(emulator)).toEqual(names);
  });

  it('twice ends it at once, whatever is in flight', async (test) => {
    const emulator = await emulate({ hangRate: 1, methods: ['PUT'] }, test);
    const sync = startSync(emulator, test);
    await asked(emulator, 'PUT', 1, sync);
    sync.child.kill('SIGINT');
    await new Promise<void>((resolve) => {
      sync.child.stderr.on('data', (chunk: Buffer) => {
        if (String(chunk).includes('Stopping')) resolve();
      });
    });
    sync.child.kill('SIGINT');
    expect(await sync.ended).toMatchObject({ status: 130 });
  });

  it('while the gateway is read ends it without waiting: nothing can be lost', async (test) => {
    const emulator = await emulate({ hangRate: 1, methods: ['GET'] }, test);
    const sync = startSync(emulator, test, '--timeout', '1h');
    await asked(emulator, 'GET', 1, sync);
    sync.child.kill('SIGINT');
    const { status, stderr } = await sync.ended;
    expect(status).toBe(130);
    expect(stderr.trimEnd()).toBe('Stopped: received SIGINT');
  });

  it('a deadline says what was not begun, too', async (test) => {
    // Three writes hang until the deadline, however busy the machine is; the other nine never begin.
    const emulator = await emulate({ hangRate: 1, methods: ['PUT'] }, test);
    const { status, stderr } = await startSync(emulator, test, '--deadline', '3s').ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/9 not started/);
    expect(stderr).toContain('the time for the job was over');
  });

  it('ends the emulator in peace, keeping what --data holds', async (test) => {
    const shell = openShell(test);
    const args = ['emulator', '--listen', 'http://127.0.0.1:0', '--admin-key', 'k', '--data', 'state.json'];
    shell.write('adc.yaml', configuration);
    const first = shell.start([...args, '--seed', 'adc.yaml']);
    await new Promise((resolve) => first.child.stdout.once('data', resolve));
    first.child.kill('SIGINT');
    expect(await first.ended).toMatchObject({ status: 0 });

    const second = shell.start(args);
    const url = String(await new Promise((resolve) => second.child.stdout.once('data', resolve))).trim();
    expect(await shell.adc(['diff', '--exit-code', '--server', url, '--token', 'k'])).toMatchObject({ status: 0 });
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ status: 0 });
  });
});
