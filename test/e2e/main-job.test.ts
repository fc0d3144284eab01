import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test as it } from 'vitest';
import { lineOf, openShell } from './shell.js';

const example = readFileSync(join(import.meta.dirname, '../../examples/quickstart/adc.yaml'), 'utf8');

/** What the example's credentials become on gateways that have none. */
const withoutCredentials = example.replace(
  / {4}credentials:\n.*\n.*\n.*config: (\{.*\})\n/,
  '    plugins:\n      key-auth: $1\n',
);

describe.concurrent('the main job, from a file to a gateway and back', () => {
  it.for(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])('on APISIX %s', async (version, test) => {
    const shell = openShell(test);
    const emulator = shell.start([
      'emulator',
      '--listen',
      'http://127.0.0.1:0',
      '--gateway-version',
      version,
      '--admin-key',
      'k',
      '--workers',
      '2',
      '--lag',
      '2-7ms',
    ]);
    const ADC_SERVER = await lineOf(emulator.child.stdout, /^http/);
    const { adc } = shell.with({ ADC_SERVER, ADC_TOKEN: 'k' });
    const run = (...args: string[]) => adc(args);
    const hasCredentials = !['3.2.2', '3.10.0'].includes(version);
    const file = hasCredentials ? example : withoutCredentials;
    shell.write('adc.yaml', file);
    const count = hasCredentials ? 13 : 12;

    const ping = await run('ping');
    expect(ping).toMatchObject({ status: 0, stderr: '' });
    expect(ping.stdout).toContain(`version ${version}`);

    const before = await run('diff', '--exit-code');
    expect(before.stdout).toContain('+ create route: "list-items" in service "catalog"');
    expect(before.stdout).toContain(`Summary: ${count} will be created, 0 will be updated, 0 will be deleted`);
    expect(before.status).toBe(2);

    const first = await run('sync');
    expect(first.stderr).toContain(`Summary: ${count} applied, 0 failed`);
    expect(first).toMatchObject({ status: 0, stdout: '' });

    const second = await run('sync', '--output', 'json');
    expect(second.status).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ success: true, summary: { total: 0 }, results: [], repairs: [] });
    expect(await run('diff', '--exit-code')).toMatchObject({ status: 0 });
    expect(shell.read('diff.yaml')).toBe('[]\n');

    shell.write('adc.yaml', file.replace('count: 100,', 'count: 200,'));
    const edited = await run('diff', '--exit-code');
    expect(edited.status).toBe(2);
    expect(edited.stdout.split('\n')).toEqual([
      '~ update route: "list-items" in service "catalog"',
      '    ~ plugins.limit-count.count: 100 → 200',
      'Summary: 0 will be created, 1 will be updated, 0 will be deleted',
      '',
    ]);
    expect(await run('sync')).toMatchObject({ status: 0 });

    const dump = await run('dump', '-o', 'dump.yaml');
    expect(dump).toMatchObject({ status: 0, stdout: '' });
    expect(dump.stderr).toContain('certificates[0].key');
    expect(statSync(join(shell.cwd, 'dump.yaml')).mode & 0o777).toBe(0o600);
    const dumped = shell.read('dump.yaml');
    expect(dumped).toContain('count: 200');
    // Gateways hide the certificate's key; that is the one thing a person has to fill in.
    const key = /key: \|\n((?: {10}.*\n)+)/.exec(example)?.[1]?.replaceAll(/^ +/gm, '') ?? '';
    shell.write('dump.yaml', fillIn(dumped, key));
    const linted = await run('lint', '-f', 'dump.yaml');
    expect(linted).toMatchObject({ status: 0 });
    expect(await run('diff', '-f', 'dump.yaml', '--exit-code')).toMatchObject({ status: 0 });

    emulator.child.kill('SIGTERM');
    expect(await emulator.ended).toMatchObject({ status: 0 });
  });
});

/** Puts a private key beside every certificate that was dumped without one. */
function fillIn(dumped: string, key: string): string {
  return dumped.replaceAll(
    /^( *)-----END CERTIFICATE-----\n(?! *key:)/gm,
    (end, indent: string) => `${end}${indent.slice(2)}key: ${JSON.stringify(key)}\n`,
  );
}
