import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { deriveNestedId } from '../../src/model/ids.js';
import { certificates } from '../cases/documents.js';
import { openLab, shop } from './lab.js';

const isOld = (version: string): boolean => version === '3.2.2';

/** What others may have written, in every form that a gateway takes and a configuration has not. */
function foreign(version: string): readonly (readonly [string, JsonObject])[] {
  // The oldest takes no node without one.
  const port = isOld(version) ? { port: 80 } : {};
  return [
    [
      'upstreams/ports',
      {
        type: 'roundrobin',
        nodes: [
          { host: 'a.test', weight: 1, ...port },
          { host: '::1', weight: 2, ...port },
        ],
      },
    ],
    ['upstreams/map', { type: 'roundrobin', scheme: 'https', nodes: { '[::1]:8443': 1, 'b.test:80': 0 } }],
    [
      'upstreams/checked',
      {
        type: 'chash',
        key: 'remote_addr',
        nodes: { 'c.test:80': 1 },
        checks: { active: { http_path: '/up', req_headers: ['X-From: others'] }, passive: { healthy: {} } },
      },
    ],
    ['plugin_configs/shared', { plugins: { cors: {} } }],
    ['services/1', { upstream_id: 'ports' }],
    ['services/stream', { upstream_id: 'ports' }],
    ['services/2', { upstream: { type: 'roundrobin', nodes: { 'd.test:80': 1 } }, hosts: ['d.test'], desc: 'inline' }],
    ['services/3', { upstream_id: 'checked', plugins: { cors: {} } }],
    ['services/4', { upstream_id: 'map', labels: { tags: '["a","b"]', plain: 'x' } }],
    [
      'routes/single',
      { uri: '/a', host: 'a.test', remote_addr: '10.0.0.1', service_id: '1', plugin_config_id: 'shared' },
    ],
    ['routes/plural', { uris: ['/b'], hosts: ['b.test'], service_id: '2', status: 0, desc: 'off', upstream_id: 'map' }],
    ['global_rules/many', { plugins: { 'request-id': {}, cors: {} } }],
    ['plugin_metadata/http-logger', { log_format: { host: '$host' } }],
    ['consumers/ann', { username: 'ann', plugins: { 'key-auth': { key: 'ann' } }, desc: 'one' }],
    ...(isOld(version)
      ? []
      : ([
          ['consumers/ann/credentials/nameless', { plugins: { 'key-auth': { key: 'nameless' } } }],
          [
            'stream_routes/labelled',
            {
              server_port: 9100,
              service_id: 'stream',
              labels: { team: 'a' },
              plugins: { 'limit-conn': { conn: 1, burst: 0, default_conn_delay: 1, key: 'remote_addr' } },
            },
          ],
        ] as const)),
  ];
}

describe.concurrent.each(['3.2.2', '3.13.0', '3.15.0', '3.18.0'])(
  'what others wrote to a gateway %s',
  (gatewayVersion) => {
    it('is dumped as a configuration that is valid, differs in nothing and means the same on an empty gateway', async (test) => {
      const lab = await openLab(test, { gatewayVersion });
      for (const [path, body] of foreign(gatewayVersion)) {
        expect(await lab.admin('PUT', path, body)).not.toHaveProperty('error_msg');
      }
      const dumped = await lab.adc('dump', '-o', 'adc.yaml');
      expect(dumped).toMatchObject({ status: 0 });
      const text = lab.shell.read('adc.yaml');
      expect(text).toContain('host: ::1');
      expect(text).not.toMatch(/create_time|update_time|NaN|undefined|host: '?\['?$/m);
      expect(text).toContain('plugin_config_id: shared');
      expect(text).not.toContain('id: http-logger');
      if (!isOld(gatewayVersion)) {
        expect(text).toContain('name: nameless');
        expect(text).toMatch(/labels:\n +team: a/);
      }
      expect(await lab.adc('lint')).toMatchObject({ status: 0 });
      expect((await lab.adc('diff', '--exit-code', '--no-managed-by-label')).stdout).toMatch(/^No changes/);

      const other = await openLab(test, { gatewayVersion });
      other.shell.write('adc.yaml', text);
      expect(await other.adc('sync', '--no-managed-by-label')).toMatchObject({ status: 0 });
      expect(await other.adc('dump', '-o', 'again.yaml')).toMatchObject({ status: 0 });
      expect(other.shell.read('again.yaml')).toBe(text);
    });

    it('is not taken for its own by a sync of something else', async (test) => {
      const lab = await openLab(test, { gatewayVersion });
      await lab.admin('PUT', 'upstreams/others', { type: 'roundrobin', nodes: { 'a.test:80': 1 }, desc: 'not ours' });
      const before = (await lab.admin('GET', 'upstreams/others'))['value'];
      await lab.given({ services: [shop] });
      await lab.given({ services: [] });
      expect((await lab.admin('GET', 'upstreams/others'))['value']).toEqual(before);
      expect(await lab.held()).toEqual({ upstreams: 1 });
    });
  },
);

describe.concurrent('a service with an id of its own that gets another name', () => {
  it('keeps its id, and its children get theirs from the new name at once', async (test) => {
    const lab = await openLab(test);
    const named = (name: string): JsonObject => ({ services: [{ ...shop, id: 'fixed', name }] });
    await lab.given(named('old'));
    await lab.given(named('new'));
    const { list } = (await lab.admin('GET', 'routes')) as { list?: readonly { value: { id: string } }[] };
    expect(list?.map(({ value }) => value.id)).toEqual([deriveNestedId('new', 'list')]);
    lab.resetCounts();
    expect(await lab.adc('sync')).toMatchObject({ status: 0 });
    expect(lab.writes()).toBe(0);
  });
});

describe.concurrent('what a gateway cannot hold fails the command and is named', () => {
  it.for([
    [
      '3.2.2',
      { consumers: [{ username: 'ann', credentials: [{ name: 'k', type: 'key-auth', config: { key: 'k' } }] }] },
    ],
    [
      '3.10.0',
      { consumers: [{ username: 'ann', credentials: [{ name: 'k', type: 'key-auth', config: { key: 'k' } }] }] },
    ],
    ['3.2.2', { services: [{ name: 's', stream_routes: [{ name: 'k', server_port: 9100 }] }] }],
  ] as const)('by %s: %j', async ([gatewayVersion, document], test) => {
    const lab = await openLab(test, { gatewayVersion });
    lab.shell.write('adc.yaml', JSON.stringify(document));
    const sync = await lab.adc('sync');
    expect(sync).toMatchObject({ status: 1 });
    expect(sync.stderr).toMatch(/"k".*(3\.11|3\.7)/);
    const diff = await lab.adc('diff', '--exit-code');
    expect(diff).toMatchObject({ status: 2, stdout: expect.stringMatching(/"k".*cannot be stored/) });
    expect(await lab.adc('validate')).toMatchObject({ status: 1 });
  });
});

describe.concurrent('a certificate', () => {
  const ssl = (more: JsonObject = {}): JsonObject => ({
    ssls: [{ id: 'c', snis: ['shop.test'], certificates: [certificates.shop], ...more }],
  });

  it('loses the protocols that others chose only where a diff has shown it', async (test) => {
    const lab = await openLab(test);
    await lab.given(ssl({ ssl_protocols: ['TLSv1.3'] }));
    lab.shell.write('adc.yaml', JSON.stringify(ssl({ labels: { team: 'a' } })));
    expect((await lab.adc('diff')).stdout).toMatch(/ssl_protocols.*TLSv1\.3/);
    expect(await lab.adc('sync')).toMatchObject({ status: 0 });
    expect((await lab.admin('GET', 'ssls/c'))['value']).not.toHaveProperty('ssl_protocols');
  });

  it('whose key alone was replaced does not differ, and verbosity 2 says that nobody could see it', async (test) => {
    const lab = await openLab(test);
    await lab.given(ssl());
    expect((await lab.adc('diff')).stderr).not.toContain('--force-ssl');
    const { stdout, stderr } = await lab.adc('diff', '--verbose', '2');
    expect(stdout).toMatch(/^No changes/);
    expect(stderr).toMatch(/private keys of 1 certificate were not compared.*--force-ssl/);
  });
});

describe.concurrent('labels that are given to everything', () => {
  it('are on credentials and named upstreams too, so that their owner shows', async (test) => {
    const lab = await openLab(test);
    lab.shell.write(
      'adc.yaml',
      JSON.stringify({
        services: [{ ...shop, upstreams: [{ name: 'canary', nodes: [] }] }],
        consumers: [{ username: 'ann', credentials: [{ name: 'k', type: 'key-auth', config: { key: 'k' } }] }],
      }),
    );
    expect(await lab.adc('sync', '--label-selector', 'owner=a')).toMatchObject({ status: 0 });
    const labels = { owner: 'a', 'managed-by': 'adc' };
    for (const path of ['services', 'routes', 'consumers', 'consumers/ann/credentials']) {
      const { list } = (await lab.admin('GET', path)) as { list?: readonly { value: JsonObject }[] };
      expect([path, list?.[0]?.value['labels']]).toEqual([path, labels]);
    }
    const upstreams = (await lab.admin('GET', 'upstreams')) as { list?: readonly { value: JsonObject }[] };
    const named = upstreams.list?.find(({ value }) => value['name'] === 'canary');
    expect(named?.value['labels']).toMatchObject(labels);
  });
});
