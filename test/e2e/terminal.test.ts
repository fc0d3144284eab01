import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test as it, type TestContext } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';
import { bin, openShell, type Shell } from './shell.js';

/** util-linux's, which runs a command on a terminal of its own. */
const hasScript = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;
if (!hasScript) process.stderr.write("NOT TESTED: what adc shows on a terminal; util-linux's `script` is missing\n");

/** Runs adc on a terminal; gives all that it showed, control characters included. */
async function onTerminal(shell: Shell, args: readonly string[], env: Readonly<Record<string, string>>) {
  const quoted = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], {
    cwd: shell.cwd,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { shown: await text(child.stdout), status: await closed };
}

describe.skipIf(!hasScript)('on a terminal', () => {
  it('a sync has a live line that is gone at the end', async (test: TestContext) => {
    const emulator = await startEmulator({ latency: 120, methods: ['PUT'] });
    test.onTestFinished(async () => await emulator.close());
    const shell = openShell(test);
    const names = Array.from({ length: 8 }, (_, index) => `  - { name: p${index}, plugins: { prometheus: {} } }`);
    shell.write('adc.yaml', `plugin_configs:\n${names.join('\n')}\n`);
    const env = { ADC_SERVER: emulator.url, ADC_TOKEN: emulator.adminKey };
    const { shown, status } = await onTerminal(shell, ['sync', '--request-concurrent', '2'], env);
    expect(status).toBe(0);
    expect(shown.replaceAll('\u001B', 'ESC')).toMatch(/\[#*\.+\] \d\/8 \d+% {2}0 failed {2}\S+\/s {2}eta \S+\rESC\[2K/);
    expect(shown.split('\u001B[2K').at(-1)).toContain('Summary: 8 applied, 0 failed');
    expect(shown).toContain('\u001B[32m+ create plugin_config: "p0"\u001B[39m');
    const plain = await onTerminal(shell, ['sync', '--verbose', '0'], { ...env, NO_COLOR: '1' });
    expect(plain).toEqual({ shown: '', status: 0 });
  });

  it('a problem shows the offending line, without the secret in it', async (test: TestContext) => {
    const shell = openShell(test);
    shell.write(
      'adc.yaml',
      'consumers:\n  - username: ann\n    plugins: { key-auth: { key: planted-key } }\n    colour: red # here\n',
    );
    const { shown, status } = await onTerminal(shell, ['lint'], { NO_COLOR: '1' });
    expect(status).toBe(1);
    expect(shown).toContain('adc.yaml:4:5: Unrecognized key: "colour"');
    expect(shown).toContain('colour: red # here');
    shell.write(
      'adc.yaml',
      'consumers:\n  - { username: "a b", plugins: { key-auth: { key: planted-key } }, colour: 1 }\n',
    );
    const other = await onTerminal(shell, ['lint'], { NO_COLOR: '1' });
    expect(other.shown).toMatch(/adc\.yaml:2:\d+/);
    expect(other.shown).not.toContain('planted');
  });
});
