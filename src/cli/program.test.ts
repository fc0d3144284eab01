import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Option } from 'commander';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMemory } from '../memory/store.js';
import { createPoolManager } from '../pool/manager.js';
import { commandRows } from './commands.js';
import { describeProgram, run } from './program.js';

/** Runs the command line in this process, with an environment and a working directory of its own. */
async function adc(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'adc-program-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'adc.yaml'), 'services: []\n');
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const [out, err] = [text(stdout), text(stderr)];
  const pools = createPoolManager({ retries: 0 });
  const status = await run(args, {
    stdin: () => Readable.from([]),
    stdout,
    stderr,
    env,
    directory,
    signal: new AbortController().signal,
    signalStatus: () => undefined,
    onReload: () => () => undefined,
    openPools: async () => await Promise.resolve(pools),
    openMemory: async () => await Promise.resolve(createMemory()),
  });
  await pools.close();
  stdout.end();
  stderr.end();
  return { status, stdout: await out, stderr: await err };
}

/** Port 1 refuses: whoever gets this far has passed every check of flags and environment. */
const unreachable = ['--server', 'http://127.0.0.1:1'];

describe('help', () => {
  test('is printed without a command, to standard error, as a failure', async () => {
    const { status, stdout, stderr } = await adc([]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('Usage: adc');
  });

  test.each([[['--help']], [['-h']], [['help']]])('%j lists every command on standard output', async (args) => {
    const { status, stdout } = await adc(args);
    expect(status).toBe(0);
    for (const { name, summary } of describeProgram()) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
      expect(stdout).toContain(summary.slice(0, 30));
    }
  });

  test.each(describeProgram().map(({ name }) => name))('%s has options with meanings, and examples', async (name) => {
    const { status, stdout } = await adc(['help', name]);
    expect(status).toBe(0);
    expect(await adc([name, '--help'])).toEqual({ status: 0, stdout, stderr: '' });
    const flat = stdout.replaceAll(/\s+/g, ' ');
    const command = describeProgram().find((row) => row.name === name);
    expect(command?.examples.length).toBeGreaterThan(0);
    for (const { command: example } of command?.examples ?? []) expect(stdout).toContain(`$ ${example}`);
    for (const option of command?.options ?? []) {
      expect(option.description.length).toBeGreaterThan(10);
      expect(flat).toContain(`${option.flags} ${option.description}`);
      if (option.env !== undefined) expect(flat).toContain(`(env: ${option.env})`);
      if (option.default !== undefined) expect(flat).toContain(`(default: ${option.default})`);
    }
  });

  test.each(['-v', '--version', '-V'])('%s prints the bare version', async (flag) => {
    expect(await adc([flag])).toEqual({ status: 0, stdout: '0.0.0-dev\n', stderr: '' });
  });
});

describe('wrong usage', () => {
  test.each([
    [['frobnicate'], "error: unknown command 'frobnicate'"],
    [['lint', '--frobnicate'], "error: unknown option '--frobnicate'"],
    [['lint', 'adc.yaml'], "error: too many arguments for 'lint'. Expected 0 arguments but got 1."],
    [
      ['ping', '--backend', 'foo'],
      "error: option '--backend <backend>' argument 'foo' is invalid. Allowed choices are apisix, api7ee, apisix-standalone.",
    ],
    [
      ['diff', '--include-resource-type', 'service', '--exclude-resource-type', 'ssl'],
      "error: option '--include-resource-type <type>' cannot be used with option '--exclude-resource-type <type>'",
    ],
    [
      ['sync', '--request-concurrent', 'x'],
      "error: option '--request-concurrent <integer>' argument 'x' is invalid. Not an integer",
    ],
    [['sync', '--request-concurrent', '0'], 'Must be at least 1.'],
    [['sync', '--timeout', 'abc'], "error: option '--timeout <duration>' argument 'abc' is invalid. Not a duration"],
    [['sync', '--timeout', '10 parsecs'], 'is invalid. Not a duration'],
    [['sync', '--timeout', '-5'], 'is invalid. Not a duration'],
    [['ping', '--ca-cert-file', '/none.pem'], 'is invalid. The specified CA certificate file does not exist'],
    [
      ['ping', '--tls-client-cert-file', '/none.pem'],
      'The specified mutual TLS client certificate file does not exist',
    ],
    [['ping', '--tls-client-key-file', '/none.pem'], 'The specified mutual TLS client key file does not exist'],
    [['lint', '--output', 'xml'], "argument 'xml' is invalid. Allowed choices are text, json."],
    [['emulator', '--fail-rate', '1.5'], 'Not a share from 0 to 1.'],
    [['emulator', '--gateway-version', 'two'], "no gateway version to emulate: 'two'"],
    [['emulator', '--listen', 'ftp://x'], "not an address to listen on: 'ftp://x'"],
    [['server', '--tls-cert-file', import.meta.filename], 'When using HTTPS, both --tls-cert-file and --tls-key-file'],
    [['server', '--listen', 'https://127.0.0.1:0'], 'When using HTTPS, both --tls-cert-file and --tls-key-file'],
    [['sync', '--server', 'gateway:9180'], '--server "gateway:9180" is neither http:// nor https://'],
    [['sync', '--server', 'nonsense'], '--server "nonsense" is not a URL such as http://localhost:9180'],
    [['sync', '--server', 'http://a:1,http://b:2'], 'only apisix-standalone takes several'],
    [['sync', '--server', 'http://u:planted@a:1'], '--server holds a user name or password'],
    [['sync', '--server', 'http://a:1?x=planted'], 'has a query or a fragment'],
    [['sync', '--backend', 'api7ee'], 'backend "api7ee" is not supported yet'],
    [['sync', '--label-selector', 'team'], '"team" is not of the form key=value'],
    [['sync', '--remote-state-file', 'adc.yaml'], 'switch it on with ADC_EXPERIMENTAL_FEATURE_FLAGS=remote-state-file'],
    [
      ['sync', '--backend', 'apisix-standalone', '--server', 'http://a:1,http://b:2,http://c:3', '--token', 'x,y'],
      '2 tokens for 3 servers',
    ],
  ])('%j exits with 1 and says why', async (args, why) => {
    const { status, stdout, stderr } = await adc(args);
    expect(stderr).toContain(why);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).not.toMatch(/planted|\n {4}at /);
  });

  test.each([
    [['--tls-client-cert-file', import.meta.filename], '--tls-client-key-file is missing'],
    [['--tls-client-key-file', import.meta.filename], '--tls-client-cert-file is missing'],
  ])('a lone client certificate or key is an error: %j', async (args, missing) => {
    const { status, stderr } = await adc(['ping', ...args]);
    expect(status).toBe(1);
    expect(stderr).toContain('TLS client certificate and key must be provided at the same time');
    expect(stderr).toContain(missing);
  });

  test('certificates that cannot be used are named by flag and file', async () => {
    const { status, stderr } = await adc(['ping', '--ca-cert-file', import.meta.filename]);
    expect(status).toBe(1);
    expect(stderr).toContain(`--ca-cert-file ${import.meta.filename}`);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('the environment', () => {
  test('stands behind flags', async () => {
    const { stderr } = await adc(['ping'], { ADC_SERVER: 'http://127.0.0.1:1' });
    expect(stderr).toContain('ECONNREFUSED 127.0.0.1:1');
    const flagged = await adc(['ping', ...unreachable], { ADC_SERVER: 'http://127.0.0.1:2' });
    expect(flagged.stderr).toContain('ECONNREFUSED 127.0.0.1:1');
  });

  test('fails like flags where it is wrong', async () => {
    const { status, stderr } = await adc(['ping'], { ADC_BACKEND: 'zzz' });
    expect(status).toBe(1);
    expect(stderr).toContain(
      "error: option '--backend <backend>' value 'zzz' from env 'ADC_BACKEND' is invalid. Allowed choices are apisix, api7ee, apisix-standalone.",
    );
  });

  test('counts as absent where it is empty', async () => {
    const { stderr } = await adc(['ping', ...unreachable], { ADC_BACKEND: '', ADC_CA_CERT_FILE: '', ADC_TOKEN: '' });
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).toContain('no admin key given');
  });

  test.each([
    ['false', 0],
    ['0', 0],
    ['No', 0],
    ['off', 0],
    ['true', 1],
    ['1', 1],
    ['YES', 1],
    ['on', 1],
  ])('has real booleans: ADC_TLS_SKIP_VERIFY=%s', async (word, skips) => {
    const { stderr } = await adc(['ping', '--server', 'https://127.0.0.1:1'], { ADC_TLS_SKIP_VERIFY: word });
    expect(stderr.includes('is not verified') ? 1 : 0).toBe(skips);
    expect(stderr).toContain('ECONNREFUSED');
  });

  test('refuses a boolean that is none', async () => {
    const { status, stderr } = await adc(['ping'], { ADC_TLS_SKIP_VERIFY: 'maybe' });
    expect(status).toBe(1);
    expect(stderr).toContain("value 'maybe' from env 'ADC_TLS_SKIP_VERIFY' is invalid. Not a boolean");
  });
});

describe('values', () => {
  test.each([
    ['99', true],
    ['5', true],
    ['100', false],
    ['0', false],
    ['1s', false],
    ['1h10m', false],
  ])('--timeout %s is a number of milliseconds or a duration, and suspicious when short', async (timeout, warns) => {
    const { stderr } = await adc(['ping', ...unreachable, '--timeout', timeout]);
    expect(stderr.includes('a bare number is milliseconds')).toBe(warns);
  });

  test.each([
    ['abc', 1],
    ['-3', 0],
    ['0', 0],
    ['1', 1],
    ['7', 2],
  ])('--verbose %s is taken for level %i', async (word, level) => {
    const { stderr } = await adc(['ping', ...unreachable, '--verbose', word]);
    expect(stderr.includes('Warning: no admin key')).toBe(level > 0);
    expect(stderr.includes('connections to')).toBe(level > 1);
  });

  test.each([
    ['--include-resource-type', 'stream_service', 'selects nothing'],
    ['--include-resource-type', 'route', 'selects nothing'],
    ['--exclude-resource-type', 'route', 'has no effect'],
  ])('%s %s is warned of', async (flag, word, warning) => {
    const { stderr } = await adc(['sync', ...unreachable, flag, word]);
    expect(stderr).toContain(`Warning: ${flag} ${word} ${warning}`);
  });

  test('every flag is stored under the name that commander makes of its spelling', () => {
    for (const { flags } of commandRows) {
      for (const { name, spelling } of flags) expect(new Option(spelling).attributeName()).toBe(name);
      expect(new Set(flags.map(({ name }) => name)).size).toBe(flags.length);
    }
  });
});

test('a bug shows its stack and exits with 70', async () => {
  const broken = { ADC_SERVER: 'http://127.0.0.1:1', ADC_TOKEN: 'k' };
  const { status, stderr } = await adcWithBrokenPools(broken);
  expect(status).toBe(70);
  expect(stderr).toMatch(/^Bug: [^]*\nTypeError: broken on purpose\n {4}at /);
});

async function adcWithBrokenPools(env: Readonly<Record<string, string>>) {
  const stderr = new PassThrough();
  const said = text(stderr);
  const status = await run(['ping'], {
    stdin: () => Readable.from([]),
    stdout: new PassThrough(),
    stderr,
    env,
    directory: tmpdir(),
    signal: new AbortController().signal,
    signalStatus: () => undefined,
    onReload: () => () => undefined,
    openPools: () => {
      throw new TypeError('broken on purpose');
    },
    openMemory: async () => await Promise.resolve(createMemory()),
  });
  stderr.end();
  return { status, stderr: await said };
}
