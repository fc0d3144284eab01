import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test as it, type TestContext } from 'vitest';
import { type Emulator, startEmulator } from '../../src/emulator/index.js';
import { lineOf, openShell, type Shell } from './shell.js';

const fixture = (name: string): string => join(import.meta.dirname, '../pool/fixtures', name);

/** `bad` is refused, `child` depends on it, the others do not. */
const partly = `services:
  - name: bad
    plugins: { limit-count: { count: nonsense } }
    routes: [{ name: child, uris: [/child] }]
  - name: good
    routes: [{ name: other, uris: [/other] }]
global_rules:
  request-id: {}
`;

describe('a sync', () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  beforeEach(() => emulator.reset());
  afterAll(async () => await emulator.close());

  const shellOf = (test: TestContext): Shell =>
    openShell(test).with({ ADC_SERVER: emulator.url, ADC_TOKEN: emulator.adminKey });

  it('that fails part way goes on with the rest, says what is what, and is completed by the next', async (test) => {
    const shell = shellOf(test);
    shell.write('adc.yaml', partly);
    const { status, stderr } = await shell.adc(['sync']);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^✖ create service: "bad": PUT http:\S+\/services\/\w+, responded with status 400 Bad Request, error_msg: .*nonsense|limit-count/m,
    );
    expect(stderr).toContain('- create route: "child" in service "bad" skipped: create service: "bad" failed');
    expect(stderr).toContain('✔ create service: "good"');
    expect(stderr).toContain('✔ create route: "other" in service "good"');
    expect(stderr).toContain('✔ create global_rule: "request-id"');
    expect(stderr).toContain('Summary: 3 applied, 1 failed, 1 skipped');
    expect(stderr).not.toMatch(/\n {4}at /);

    shell.write('adc.yaml', partly.replace('nonsense', '1, time_window: 1'));
    const completed = await shell.adc(['sync']);
    expect(completed.stderr).toContain('Summary: 2 applied, 0 failed');
    expect(completed.status).toBe(0);
    expect(await shell.adc(['diff', '--exit-code'])).toMatchObject({ status: 0 });
  });

  it('with --fail-fast begins nothing after the first failure', async (test) => {
    const shell = shellOf(test);
    shell.write('adc.yaml', partly);
    const { status, stderr } = await shell.adc(['sync', '--fail-fast', '--request-concurrent', '1']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/Summary: .*[1-9] not started/);
  });

  it('with --dry-run shows what it would do and changes nothing', async (test) => {
    const shell = shellOf(test);
    shell.write('adc.yaml', partly);
    const { status, stdout, stderr } = await shell.adc(['sync', '--dry-run', '--verbose', '2']);
    expect(status).toBe(0);
    expect(stdout).toContain('+ create route: "child" in service "bad"');
    expect(stderr).toMatch(/would send PUT http:\S+\/services\/\w+/);
    expect(stderr).toContain('Dry run: nothing was changed.');
    expect(emulator.requests.byMethod['PUT']).toBeUndefined();
  });

  it('sends a certificate that does not differ with --force-ssl only', async (test) => {
    const shell = shellOf(test);
    const sync = async (...flags: string[]): Promise<number> => {
      const before = emulator.requests.byKind['ssls']?.['PUT'] ?? 0;
      expect(
        await shell.adc(['sync', '-f', join(import.meta.dirname, '../../examples/quickstart/adc.yaml'), ...flags]),
      ).toMatchObject({ status: 0 });
      return (emulator.requests.byKind['ssls']?.['PUT'] ?? 0) - before;
    };
    expect(await sync()).toBe(1);
    expect(await sync()).toBe(0);
    expect(await sync('--force-ssl')).toBe(1);
  });

  it('warns of what an empty list empties, and deletes it', async (test) => {
    const shell = shellOf(test);
    shell.write('adc.yaml', 'services: [{ name: a }, { name: b }]\n');
    expect(await shell.adc(['sync'])).toMatchObject({ status: 0 });
    shell.write('adc.yaml', 'services:\n');
    const unmeant = await shell.adc(['sync']);
    expect(unmeant.status).toBe(1);
    expect(unmeant.stderr).toMatch(/adc\.yaml:1:\d+: .*null/);
    shell.write('adc.yaml', 'services: []\n');
    const meant = await shell.adc(['sync']);
    expect(meant.stderr).toContain('Warning: all 2 services will be deleted');
    expect(meant.stderr).toContain('Summary: 0 will be created, 0 will be updated, 2 will be deleted');
    expect(meant.status).toBe(0);
  });

  it('takes what .env sets, for itself and for the file, behind the environment', async (test) => {
    const { cwd, adc, write } = openShell(test);
    write('.env', `export ADC_SERVER=${emulator.url} # here\nADC_TOKEN="wrong"\nNAME='from-dotenv'\nOTHER=dotenv\n`);
    write('adc.yaml', 'services: [{ name: "${NAME}-${OTHER}" }]\n');
    const { status, stdout } = await adc(['diff'], { env: { ADC_TOKEN: emulator.adminKey, OTHER: 'environment' } });
    expect({ status, cwd }).toEqual({ status: 0, cwd });
    expect(stdout).toContain('+ create service: "from-dotenv-environment"');
    const unset = await adc(['diff', '-f', '-'], { input: 'services: [{ name: "${NOWHERE}" }]\n' });
    expect(unset.status).toBe(1);
    expect(unset.stderr).toMatch(/standard input:1:\d+: .*NOWHERE/);
  });

  it('for a controller prints the answer of the server, and nothing else', async (test) => {
    const shell = shellOf(test).with({ ADC_RUNNING_MODE: 'ingress' });
    shell.write('adc.yaml', partly);
    const { status, stdout, stderr } = await shell.adc(['sync']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      status: 'partial_failure',
      total_resources: 5,
      success_count: 3,
      failed_count: 2,
      failed: [
        { event: { resourceType: 'service', type: 'create', resourceName: 'bad' } },
        { event: { resourceType: 'route' } },
      ],
    });
    const nowhere = await shell.adc(['sync', '--server', 'http://127.0.0.1:1', '--pool-retries', '0']);
    expect(nowhere).toMatchObject({ status: 1, stdout: '' });
    expect(nowhere.stderr).toContain('ECONNREFUSED');
  });

  it('takes another file for the gateway as an experiment', async (test) => {
    const shell = shellOf(test).with({ ADC_EXPERIMENTAL_FEATURE_FLAGS: 'remote-state-file' });
    shell.write('adc.yaml', 'services: [{ name: a }, { name: b }]\n');
    shell.write('remote.yaml', 'services: [{ name: b }, { name: c }]\n');
    const flags = ['--remote-state-file', 'remote.yaml', '--no-managed-by-label'];
    const { stdout } = await shell.adc(['diff', ...flags]);
    expect(stdout).toContain('Summary: 1 will be created, 0 will be updated, 1 will be deleted');
  });
});

describe('other doors', () => {
  it('a gateway over mutual TLS, with an encrypted key, under another name', async (test) => {
    const shell = openShell(test);
    const emulator = shell.start([
      'emulator',
      '--listen',
      'https://127.0.0.1:0',
      '--admin-key',
      'k',
      '--tls-cert-file',
      fixture('server.pem'),
      '--tls-key-file',
      fixture('server.key'),
      '--ca-cert-file',
      fixture('ca.pem'),
    ]);
    const url = await lineOf(emulator.child.stdout, /^https/);
    const [certificate = ''] =
      /-----BEGIN[^]*?-----END CERTIFICATE-----\n/.exec(readFileSync(fixture('clients.pem'), 'utf8')) ?? [];
    shell.write('client.pem', certificate);
    const trusting = ['--server', url, '--token', 'k', '--ca-cert-file', fixture('ca.pem'), '--pool-retries', '0'];
    const client = ['--tls-client-cert-file', join(shell.cwd, 'client.pem'), '--tls-client-key-file'];

    const right = await shell.adc(['ping', ...trusting, ...client, fixture('client.key')]);
    expect(right).toMatchObject({ status: 0, stderr: '' });
    const encrypted = [...trusting, ...client, fixture('client-encrypted.key')];
    const locked = await shell.adc(['ping', ...encrypted]);
    expect(locked).toMatchObject({ status: 1, stdout: '' });
    expect(locked.stderr).toContain(`--tls-client-key-file ${fixture('client-encrypted.key')}`);
    expect(
      await shell.adc(['ping', ...encrypted], { env: { ADC_TLS_CLIENT_KEY_PASSPHRASE: 'open sesame' } }),
    ).toMatchObject({ status: 0 });

    const anonymous = await shell.adc(['ping', ...trusting]);
    expect(anonymous.status).toBe(1);
    expect(anonymous.stderr).toMatch(/TLS|certificate/i);
    const distrusting = await shell.adc([
      'ping',
      '--server',
      url,
      '--token',
      'k',
      '--pool-retries',
      '0',
      ...client,
      fixture('client.key'),
    ]);
    expect(distrusting.status).toBe(1);
    expect(distrusting.stderr).toMatch(/certificate/);
    const careless = await shell.adc([
      'ping',
      '--server',
      url,
      '--token',
      'k',
      '--tls-skip-verify',
      ...client,
      fixture('client.key'),
    ]);
    expect(careless.status).toBe(0);
    expect(careless.stderr).toContain("Warning: the gateway's certificate is not verified");
    const misnamed = await shell.adc([
      'ping',
      ...trusting,
      ...client,
      fixture('client.key'),
      '--tls-server-name',
      'other.test',
    ]);
    expect(misnamed.status).toBe(1);
  });

  it.for(['server', 'ingress-server'])('adc %s serves until SIGTERM, and ends in peace', async (command, test) => {
    const shell = openShell(test).with({ ADC_INGRESS_LOG_LEVEL: 'info' });
    const socket = join(shell.cwd, 'adc.sock');
    const server = shell.start([command, '--listen', `unix:${socket}`, '--listen-status', '0']);
    await lineOf(server.child.stdout, /"serving"/);
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ socketPath: socket, path: '/nothing' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(answered).toBe(404);
    server.child.kill('SIGTERM');
    const { status, stdout, stderr } = await server.ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
  });

  it('standalone instances, filled from a file, told apart by their addresses', async (test) => {
    const shell = openShell(test);
    shell.write('adc.yaml', 'services: [{ name: a, routes: [{ name: r, uris: [/r] }] }]\n');
    const emulator = shell.start([
      'emulator',
      '--mode',
      'standalone',
      '--instances',
      '3',
      '--listen',
      'http://127.0.0.1:0',
      '--admin-key',
      'k',
      '--seed',
      'adc.yaml',
    ]);
    const urls = await lineOf(emulator.child.stdout, /^http/);
    expect(urls.split(',')).toHaveLength(3);
    const standalone = shell.with({ ADC_BACKEND: 'apisix-standalone', ADC_SERVER: urls, ADC_TOKEN: 'k' });
    const ping = await standalone.adc(['ping']);
    expect(ping.status).toBe(0);
    expect(ping.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(await standalone.adc(['diff', '--exit-code'])).toMatchObject({ status: 0 });
  });
});
