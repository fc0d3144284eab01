import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test as it } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';
import { certificates } from '../cases/documents.js';
import { openShell } from './shell.js';

const token = 'planted-admin-token';

/** Plugins that an emulator has no schema of, and refuses: half of this is about refusals. */
const strangePlugins = {
  'openid-connect': {
    client_id: 'shop',
    client_secret: 'planted-client-secret',
    discovery: 'http://10.0.0.3/discovery',
    session: { secret: 'planted-session-secret-of-length' },
  },
  'my-own-plugin': { password: 'planted-own-password', nested: [{ api_key: 'planted-own-api-key' }] },
};

const strangeMetadata = { 'error-log-logger': { clickhouse: { user: 'u', password: 'planted-metadata-password' } } };

/** A secret wherever a configuration can hold one. */
const configurationWith = (plugins: object, metadata: object): string =>
  JSON.stringify({
    services: [
      {
        name: 'shop',
        upstream: {
          scheme: 'https',
          nodes: [{ host: '10.0.0.1', port: 443, weight: 1 }],
          tls: { client_cert: certificates.shop.certificate, client_key: certificates.shop.key },
        },
        routes: [
          {
            name: 'items',
            uris: ['/items'],
            plugins: { 'http-logger': { uri: 'http://10.0.0.2/log', auth_header: 'planted-auth-header' }, ...plugins },
          },
        ],
      },
    ],
    ssls: [{ snis: ['shop.test'], certificates: [certificates.shop] }],
    consumers: [
      { username: 'ann', plugins: { 'key-auth': { key: 'planted-consumer-key' } } },
      {
        username: 'bob',
        plugins: { 'basic-auth': { username: 'bob', password: 'planted-basic-password' } },
        credentials: [{ name: 'c', type: 'jwt-auth', config: { key: 'bob-jwt', secret: '${JWT_SECRET}' } }],
      },
    ],
    plugin_metadata: metadata,
  });

const configuration = configurationWith(strangePlugins, strangeMetadata);

/** Any planted secret; of private keys, a line from their middle. */
const secrets = new RegExp(
  `planted-|${certificates.shop.key.split('\n')[1]?.slice(0, 24).replaceAll('+', '\\+') ?? '-'}`,
);

const env = { ADC_TOKEN: token, JWT_SECRET: 'planted-jwt-secret-from-the-environment' };

describe('planted secrets', () => {
  it.for(['1', '2'])('never come out at --verbose %s', async (verbose, test) => {
    const emulator = await startEmulator({ adminKey: token });
    test.onTestFinished(async () => await emulator.close());
    const shell = openShell(test).with({ ...env, ADC_SERVER: emulator.url });
    shell.write('adc.json', configuration);
    shell.write('taken.json', configurationWith({}, {}));
    shell.write('changed.json', shell.read('taken.json').replaceAll('planted-', 'planted-changed-'));
    shell.write(
      'wrong.json',
      configuration.replace('"snis"', '"sins"').replace('"type":"jwt-auth"', '"type":"planted-no-type"'),
    );
    const said: string[] = [];
    const run = async (status: number, ...args: string[]) => {
      const ended = await shell.adc([...args, '--verbose', verbose]);
      expect({ args, status: ended.status }, ended.stderr).toEqual({ args, status });
      said.push(ended.stdout, ended.stderr);
    };
    await Promise.all([
      run(0, 'ping'),
      run(0, 'lint', '-f', 'adc.json'),
      run(1, 'lint', '-f', 'wrong.json'),
      run(1, 'validate', '-f', 'adc.json'),
      run(1, 'sync', '-f', 'adc.json'),
    ]);
    await run(0, 'sync', '-f', 'taken.json', '--output', 'json');
    await Promise.all([
      run(2, 'diff', '-f', 'changed.json', '--exit-code'),
      run(0, 'diff', '-f', 'changed.json', '--output', 'json', '--diff-file', '/dev/null'),
      run(0, 'sync', '-f', 'changed.json', '--dry-run'),
      run(1, 'sync', '-f', 'changed.json', '--token', 'planted-wrong-token'),
    ]);
    said.push(shell.read('diff.yaml'));
    await run(0, 'sync', '-f', 'changed.json');
    expect(said.join('\n').replaceAll('planted-no-type', '')).not.toMatch(secrets);
  });

  it('do not come back through a gateway that echoes what it was sent', async (test) => {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(request.method === 'GET' ? 200 : 400, { server: 'APISIX/3.18.0' });
        const echo = `${String(request.headers['x-api-key'])} sent ${Buffer.concat(chunks).toString('utf8')}`;
        response.end(JSON.stringify(request.method === 'GET' ? { total: 0, list: [] } : { error_msg: echo }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    test.onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const shell = openShell(test).with({ ...env, ADC_SERVER: url });
    shell.write('adc.json', configuration);
    for (const flags of [
      ['--verbose', '2'],
      ['--output', 'json', '--verbose', '0'],
    ]) {
      const { status, stdout, stderr } = await shell.adc(['sync', '-f', 'adc.json', ...flags]);
      expect(status).toBe(1);
      expect(stdout + stderr).toContain('responded with status 400');
      expect(stdout + stderr).not.toMatch(secrets);
    }
  });

  it('of the key itself do not show where it is refused before it is sent', async (test) => {
    const { adc } = openShell(test);
    for (const key of ['planted-token\nX-Other: 1', 'planted-token\r', 'planted token', 'planted-tökén']) {
      const { status, stdout, stderr } = await adc(['ping'], { env: { ADC_TOKEN: key } });
      expect(status).toBe(1);
      expect(stderr).toMatch(/^Error: the admin key \(--token, ADC_TOKEN\) contains/);
      expect(stdout + stderr).not.toMatch(/planted/);
    }
  });
});
