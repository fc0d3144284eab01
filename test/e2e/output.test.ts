import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test as it, type TestContext } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.js';
import { bin, openShell, type Shell } from './shell.js';

const configuration = `services:
  - name: shop
    upstream:
      nodes: [{ host: 10.0.0.1, port: 80, weight: 1 }]
    routes:
      - name: items
        uris: [/items]
        plugins:
          key-auth: {}
consumers:
  - username: ann
    plugins:
      key-auth: { key: planted-consumer-key }
`;

function shellOn(emulator: Emulator, test: Pick<TestContext, 'onTestFinished'>): Shell {
  const shell = openShell(test).with({ ADC_SERVER: emulator.url, ADC_TOKEN: emulator.adminKey });
  shell.write('adc.yaml', configuration);
  return shell;
}

/** Gives an emulator what the configuration wants, so that there is something to read. */
async function fill(emulator: Emulator): Promise<void> {
  let clear = () => {};
  const shell = shellOn(emulator, { onTestFinished: (callback) => (clear = callback as () => void) });
  expect(await shell.adc(['sync'])).toMatchObject({ status: 0 });
  clear();
}

const modeOf = (shell: Shell, name: string): number => statSync(join(shell.cwd, name)).mode & 0o777;

describe('what comes out of standard output', () => {
  let empty: Emulator;
  let filled: Emulator;
  beforeAll(async () => {
    [empty, filled] = await Promise.all([startEmulator(), startEmulator()]);
    await fill(filled);
  });
  afterAll(async () => {
    await Promise.all([empty.close(), filled.close()]);
  });

  it('is one JSON document with --output json, whatever the command and the outcome', async (test) => {
    const shell = shellOn(empty, test);
    shell.write('wrong.yaml', 'services:\n  - name: shop\n    prot: 80\n');
    shell.write('refused.yaml', 'services:\n  - name: a\n    plugins:\n      limit-count: { count: nonsense }\n');
    const runs: readonly (readonly [readonly string[], number, object])[] = [
      [['lint'], 0, { success: true, errors: [] }],
      [['lint', '-f', 'wrong.yaml'], 1, { success: false, errors: [{ line: 3, column: 5, path: 'services[0]' }] }],
      [['diff'], 0, { summary: { create: 3, update: 0, delete: 0 } }],
      [['diff', '--exit-code'], 2, { summary: { create: 3 } }],
      [['diff', '-f', 'missing.yaml'], 1, { success: false, error: { code: 'file' } }],
      [['sync', '--dry-run'], 0, { summary: { create: 3 } }],
      [['sync', '-f', 'refused.yaml', '--no-lint'], 1, { success: false, summary: { applied: 0, failed: 1 } }],
      [['sync', '--token', 'wrong'], 1, { success: false, error: { code: 'unauthorized', status: 401 } }],
      [['validate'], 0, { success: true, depth: 'full' }],
      [['validate', '-f', 'refused.yaml'], 1, { success: false, errors: [{ collection: 'services', name: 'a' }] }],
    ];
    await Promise.all(
      runs.map(async ([args, status, document]) => {
        const ended = await shell.adc(
          [...args, '--output', 'json', '--verbose', '2', '--diff-file', 'x.yaml'].filter(suits(args[0])),
        );
        expect({ args, status: ended.status, document: JSON.parse(ended.stdout) as unknown }).toMatchObject({
          args,
          status,
          document,
        });
        expect(ended.stderr).not.toBe('');
      }),
    );
    expect((await namesOn(empty)).services).toBe(0);
  });

  it('is the same configuration that -f - reads, and that dump -o - writes', async (test) => {
    const shell = shellOn(filled, test);
    const dump = await shell.adc(['dump', '-o', '-']);
    expect(dump.status).toBe(0);
    const again = await shell.adc(['diff', '-f', '-', '--exit-code', '--verbose', '0'], { input: dump.stdout });
    expect(again).toEqual({ status: 0, stdout: '', stderr: '' });
    const json = JSON.stringify({ services: [{ name: 'a' }, { nam: 'b' }] });
    const linted = await shell.adc(['lint', '-f', '-'], { input: json });
    expect(linted.status).toBe(1);
    expect(linted.stderr).toMatch(/standard input:1:\d+: /);
  });

  it('is nothing at --verbose 0, where nothing fails', async (test) => {
    const shell = shellOn(filled, test);
    for (const args of [['ping'], ['lint'], ['diff'], ['sync'], ['dump', '-o', 'd.yaml'], ['validate']]) {
      expect(await shell.adc([...args, '--verbose', '0'])).toEqual({ status: 0, stdout: '', stderr: '' });
    }
    const failed = await shell.adc(['sync', '--verbose', '0', '--token', 'wrong']);
    expect(failed.stderr).toMatch(/^Error: .*401/);
  });

  it('may be left by its reader', async (test) => {
    const shell = shellOn(filled, test);
    const child = spawn('sh', ['-c', `"${process.execPath}" "${bin}" diff --output json; echo "status $?" >&2`], {
      cwd: shell.cwd,
      env: { PATH: process.env['PATH'] ?? '', ADC_SERVER: filled.url, ADC_TOKEN: filled.adminKey },
    });
    child.stdout.destroy();
    const said = await text(child.stderr);
    expect(said).toContain('status 0');
    expect(said).not.toMatch(/EPIPE|Error|Bug/);
  });

  it('may be full', async (test) => {
    const shell = shellOn(filled, test);
    const child = spawn('sh', ['-c', `"${process.execPath}" "${bin}" dump -o - > /dev/full; echo "status $?" >&2`], {
      cwd: shell.cwd,
      env: { PATH: process.env['PATH'] ?? '', ADC_SERVER: filled.url, ADC_TOKEN: filled.adminKey },
    });
    const said = await text(child.stderr);
    expect(said).toMatch(/cannot write to standard output: .*ENOSPC/);
    expect(said).toContain('status 1');
  });
});

describe('files', () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
    await fill(emulator);
  });
  afterAll(async () => {
    await emulator.close();
  });

  it('that hold secrets are for their owner only, also where they replace an open one', async (test) => {
    const shell = shellOn(emulator, test);
    shell.write('dump.yaml', 'old');
    chmodSync(join(shell.cwd, 'dump.yaml'), 0o644);
    expect(await shell.adc(['dump', '-o', 'dump.yaml'])).toMatchObject({ status: 0 });
    expect(shell.read('dump.yaml')).toContain('planted-consumer-key');
    expect(modeOf(shell, 'dump.yaml')).toBe(0o600);

    shell.write('adc.yaml', configuration.replace('planted-consumer-key', 'planted-other-key'));
    expect(await shell.adc(['diff'])).toMatchObject({ status: 0 });
    expect(shell.read('diff.yaml')).not.toMatch(/planted/);
    expect(modeOf(shell, 'diff.yaml')).toBe(0o644);
    const shown = await shell.adc(['diff', '--show-secrets']);
    expect(shown.stdout + shown.stderr).not.toMatch(/planted/);
    expect(shell.read('diff.yaml')).toMatch(/planted-consumer-key[^]*planted-other-key/);
    expect(modeOf(shell, 'diff.yaml')).toBe(0o600);
  });

  it('are replaced whole, behind a link too, and leave nothing else behind', async (test) => {
    const shell = shellOn(emulator, test);
    mkdirSync(join(shell.cwd, 'real'));
    shell.write('real/dump.yaml', 'old');
    symlinkSync('real/dump.yaml', join(shell.cwd, 'link.yaml'));
    expect(await shell.adc(['dump', '-o', 'link.yaml'])).toMatchObject({ status: 0 });
    expect(readlinkSync(join(shell.cwd, 'link.yaml'))).toBe('real/dump.yaml');
    expect(readFileSync(join(shell.cwd, 'real/dump.yaml'), 'utf8')).toContain('services:');
    expect(readdirSync(join(shell.cwd, 'real'))).toEqual(['dump.yaml']);

    expect(await shell.adc(['diff', '--diff-file', '/dev/null'])).toMatchObject({ status: 0 });
    expect(statSync('/dev/null').isFile()).toBe(false);
  });

  it.for([
    ['missing/dump.yaml', /the directory .*missing does not exist/],
    ['folder', /folder: it is a directory/],
    ['adc.yaml/dump.yaml', /adc\.yaml is not a directory/],
  ] as const)('cannot be written to %s', async ([path, why], test) => {
    const shell = shellOn(emulator, test);
    mkdirSync(join(shell.cwd, 'folder'));
    const { status, stderr } = await shell.adc(['dump', '-o', path]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Error: cannot write /);
    expect(stderr).toMatch(why);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(readdirSync(shell.cwd).sort()).toEqual(['adc.yaml', 'folder']);
  });
});

/** Takes away what a command has no use for. */
function suits(command: string | undefined): (flag: string) => boolean {
  return (flag) => command === 'diff' || !['--diff-file', 'x.yaml'].includes(flag);
}

async function namesOn(emulator: Emulator): Promise<{ readonly services: number }> {
  const answer = await fetch(`${emulator.url}/apisix/admin/services`, { headers: { 'X-API-KEY': emulator.adminKey } });
  const { total } = (await answer.json()) as { total: number };
  return { services: total };
}
