import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { fixture, fixturePath, put, startTestServer, task } from '../server/support.js';
import { openLab } from './lab.js';

/** Secrets that only what stands beside them tells from anything else. */
const beside = (secret: string): JsonObject => ({
  services: [
    {
      name: 's',
      routes: [
        {
          name: 'r',
          uris: ['/r'],
          vars: [['http_apikey', '==', `planted-${secret}-var`]],
          plugins: {
            'proxy-rewrite': { headers: { set: { Authorization: `Basic planted${secret}header` } } },
            'no-such-plugin': { pairs: [{ name: 'x-api-key', value: `planted-${secret}-pair` }] },
          },
        },
      ],
    },
  ],
});

describe.concurrent('a secret that only its neighbours tell', () => {
  it('is masked where one secret is replaced by another: in the lines, the file and the document of a diff', async (test) => {
    const lab = await openLab(test, {
      schemas: { 'no-such-plugin': { schema: { type: 'object' } }, 'proxy-rewrite': { schema: { type: 'object' } } },
    });
    await lab.given(beside('old'));
    lab.shell.write('adc.yaml', JSON.stringify(beside('new')));
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    const texts = [
      (await lab.adc('diff', '--verbose', '2')).stdout,
      (await lab.adc('diff', '--output', 'json')).stdout,
      lab.shell.read('diff.yaml'),
      (await put(server.url, '/diff', task(lab.emulator.url, lab.emulator.adminKey, beside('new')))).text,
      (await lab.adc('sync', '--dry-run', '--verbose', '2')).stdout,
    ];
    for (const text of texts) {
      expect(text).toMatch(/vars/);
      expect(text).not.toMatch(/planted/);
    }
    expect((await lab.adc('diff', '--show-secrets')).stdout).not.toMatch(/planted/);
    expect(lab.shell.read('diff.yaml')).toContain('planted-new-var');
  });
});

describe.concurrent('a certificate is verified', () => {
  const tls = { cert: fixture('server.pem'), key: fixture('server.key') };

  it.for([
    ['unless something says otherwise', {}, 1],
    ['where ADC_TLS_SKIP_VERIFY is false', { ADC_TLS_SKIP_VERIFY: 'false' }, 1],
    ['where it is 0', { ADC_TLS_SKIP_VERIFY: '0' }, 1],
    ['where it is no', { ADC_TLS_SKIP_VERIFY: 'no' }, 1],
    ['where it is empty', { ADC_TLS_SKIP_VERIFY: '' }, 1],
    ['but not where it is true', { ADC_TLS_SKIP_VERIFY: 'true' }, 0],
    ['by the authority that is named', { ADC_CA_CERT_FILE: fixturePath('ca.pem') }, 0],
  ] as const)('%s', async ([, env, status], test) => {
    const lab = await openLab(test, { tls, listen: 'https://localhost:0' });
    const ended = await lab.adcWith(env, 'ping');
    expect(ended).toMatchObject({ status });
    if (status === 1) expect(ended.stderr).toMatch(/certificate/);
  });

  it('whatever a request to the server leaves out', async (test) => {
    const lab = await openLab(test, { tls, listen: 'https://localhost:0' });
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    const answers = await Promise.all(
      [{ tlsSkipVerify: undefined }, { tlsSkipVerify: false }, { tlsSkipVerify: 'false' }, { tlsSkipVerify: true }].map(
        async (opts) =>
          (await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, {}, opts))).status,
      ),
    );
    expect(answers).toEqual([500, 500, 400, 202]);
  });
});

describe.concurrent('what is only half said is refused', () => {
  it('a certificate without its key, a key without its certificate, a server for HTTPS without either', async (test) => {
    const lab = await openLab(test);
    lab.shell.write('adc.yaml', '{}');
    for (const args of [
      ['ping', '--tls-client-cert-file', fixturePath('ca.pem')],
      ['sync', '--tls-client-key-file', fixturePath('client.key')],
      ['server', '--listen', 'https://127.0.0.1:0'],
      ['server', '--listen', 'https://127.0.0.1:0', '--tls-cert-file', fixturePath('server.pem')],
    ]) {
      const { status, stderr } = await lab.adc(...args);
      expect({ args, status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(/must be provided/) });
    }
    expect(lab.emulator.requests.total).toBe(0);
  });

  it('a backend that does not exist is no other one', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    lab.shell.write('adc.yaml', '{}');
    for (const backend of ['apisx', 'api7ee', '', 'APISIX', 'constructor']) {
      expect([backend, (await lab.adc('sync', '--backend', backend)).status]).toEqual([backend, 1]);
      const reply = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, {}, { backend }));
      expect([backend, reply.status]).toEqual([backend, 400]);
    }
    expect(lab.emulator.requests.total).toBe(0);
  });
});

describe.concurrent('a name is never a path', () => {
  it('whatever is in it, a request is about the object of that name only', async (test) => {
    const lab = await openLab(test);
    await lab.given({ consumers: [{ username: 'ann' }], services: [{ id: 'kept', name: 'kept' }] });
    lab.shell.write(
      'adc.yaml',
      JSON.stringify({
        consumers: [{ username: 'ann' }, { username: '../services/kept' }, { username: 'ann?force=true' }],
        services: [
          { id: 'kept', name: 'kept' },
          { id: '../consumers/ann', name: 'a' },
          { id: 'kept/../kept', name: 'b' },
          { id: 'kept#', name: 'c' },
        ],
        global_rules: { '../services/kept': {} },
      }),
    );
    const { byKind } = lab.emulator.requests;
    const { status, stderr } = await lab.adc('sync', '--no-lint');
    expect(status).toBe(1);
    expect(stderr).toContain('/apisix/admin/services/..%2Fconsumers%2Fann,');
    expect(stderr).toContain('/apisix/admin/consumers/ann%3Fforce%3Dtrue,');
    const puts = (kind: string): number =>
      (lab.emulator.requests.byKind[kind]?.['PUT'] ?? 0) - (byKind[kind]?.['PUT'] ?? 0);
    expect([puts('consumers'), puts('services'), puts('global_rules')]).toEqual([2, 3, 1]);
    expect((await lab.admin('GET', 'services/kept'))['value']).toMatchObject({ name: 'kept' });
  });

  it('and ids that mean the object above are refused, with and without lint', async (test) => {
    const lab = await openLab(test);
    const documents = [
      { services: [{ id: '..', name: 'a' }] },
      {
        consumers: [
          { username: 'ann', credentials: [{ id: '..', name: 'k', type: 'key-auth', config: { key: 'k' } }] },
        ],
      },
      { consumers: [{ username: '.' }] },
      { global_rules: { '..': {} } },
    ];
    for (const document of documents) {
      lab.shell.write('adc.yaml', JSON.stringify(document));
      for (const flags of [[], ['--no-lint']]) {
        const { status, stderr } = await lab.adc('sync', ...flags);
        expect(status).toBe(1);
        expect(stderr).toContain('cannot be part of a URL');
      }
    }
    expect(lab.emulator.requests.total).toBe(0);
  });

  it('names that objects have by nature are names like others, in several files', async (test) => {
    const lab = await openLab(test);
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];
    const files = names.flatMap((name, index) => {
      lab.shell.write(`${index}.yaml`, `services:\n  - name: ${name}\nplugin_metadata: {}\n`);
      return ['-f', `${index}.yaml`];
    });
    expect(await lab.adc('sync', ...files)).toMatchObject({ status: 0 });
    expect(await lab.adc('diff', ...files, '--exit-code')).toMatchObject({ status: 0 });
    expect(await lab.held()).toEqual({ services: 4 });
  });
});
