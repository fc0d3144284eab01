import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { put, startTestServer, task } from '../server/support.js';
import { openLab, shop } from './lab.js';

const nodes = [{ host: '10.0.0.1', port: 80, weight: 1 }];
const inService = (more: JsonObject): JsonObject => ({ services: [{ name: 's', upstream: { nodes }, ...more }] });
const inUpstream = (more: JsonObject): JsonObject => inService({ upstream: { nodes, ...more } });

/** What was never sent or never read back, one at a time, so that nothing hides behind anything else. */
const documents: readonly (readonly [string, JsonObject])[] = [
  ['the name of a default upstream', inUpstream({ name: 'another' })],
  ['the description of a default upstream', inUpstream({ description: 'where it runs' })],
  ['labels of a default upstream', inUpstream({ labels: { team: 'a' } })],
  ['the description of a named upstream', inService({ upstreams: [{ name: 'n', nodes, description: 'd' }] })],
  ['a path prefix, which the gateway has not', inService({ path_prefix: '/api', strip_path_prefix: true })],
  ['labels that are lists', inService({ labels: { tags: ['x', 'y'], none: [] } })],
  ['labels that only look like lists', inService({ labels: { tags: '["x","y"]' } })],
  ['headers of a health check', inUpstream({ checks: { active: { http_request_headers: ['X-From: adc'] } } })],
  ['empty health checks', inUpstream({ checks: { active: { healthy: {}, unhealthy: {} }, passive: { healthy: {} } } })],
  ['empty lists', inService({ hosts: [], plugins: {}, routes: [{ name: 'r', uris: ['/'], hosts: [], vars: [] }] })],
  ['an empty list of nodes', inUpstream({ nodes: [] })],
  ['nodes in another order', inUpstream({ nodes: [...nodes, { host: '10.0.0.0', port: 80, weight: 1 }] })],
  ['numbers in quotes', inUpstream({ retries: '2', nodes: [{ host: 'a.test', port: '80', weight: '1' }] })],
  [
    'plugins whose defaults a gateway fills in',
    inService({
      plugins: { 'limit-count': { count: 1, time_window: 60 }, cors: {}, 'ip-restriction': { whitelist: ['::1'] } },
    }),
  ],
  ['a plugin that is switched off', inService({ plugins: { cors: { _meta: { disable: true } } } })],
  ['metadata of a plugin', { plugin_metadata: { 'http-logger': { log_format: { host: '$host' } } } }],
  ['metadata of a plugin, empty', { plugin_metadata: { 'http-logger': {} } }],
  ['a global rule', { global_rules: { cors: {} } }],
];

/** What only newer gateways take. */
const onStreams: readonly (readonly [string, JsonObject])[] = [
  [
    'labels and plugins of a stream route',
    inService({
      stream_routes: [
        {
          name: 'a b',
          server_port: 9100,
          labels: { team: 'a' },
          plugins: { 'ip-restriction': { whitelist: ['::1'] } },
        },
      ],
    }),
  ],
  [
    'labels of a credential',
    {
      consumers: [
        {
          username: 'ann',
          credentials: [{ name: 'k', labels: { use: ['a', 'b'] }, type: 'key-auth', config: { key: 'k' } }],
        },
      ],
    },
  ],
];

describe.concurrent.each([
  ['3.2.2', 'etcd'],
  ['3.13.0', 'etcd'],
  ['3.18.0', 'etcd'],
  ['3.18.0', 'standalone'],
] as const)('a second sync to a gateway %s (%s) finds nothing to do about', (gatewayVersion, mode) => {
  it.for([...documents, ...(gatewayVersion === '3.2.2' ? [] : onStreams)])('%s', async ([, document], test) => {
    const lab = await openLab(test, { gatewayVersion, mode });
    await lab.given(document);
    lab.resetCounts();
    expect(await lab.adc('diff', '--exit-code')).toMatchObject({ status: 0 });
    expect(lab.shell.read('diff.yaml')).toBe('[]\n');
    expect(await lab.adc('sync')).toMatchObject({ status: 0 });
    expect(lab.writes()).toBe(0);
    // Nor about what it dumps.
    expect(await lab.adc('dump', '-o', 'dump.yaml')).toMatchObject({ status: 0 });
    expect(await lab.adc('diff', '-f', 'dump.yaml', '--exit-code')).toMatchObject({ status: 0 });
  });
});

describe.concurrent('a second request to the server writes nothing', () => {
  it.for([
    ['without a label selector', {}],
    ['with an empty one', { labelSelector: {} }],
    ['with one', { labelSelector: { owner: 'a' } }],
    ['without lint', { lint: false }],
  ] as const)('%s', async ([, opts], test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    const config = { services: [shop], consumers: [{ username: 'ann' }], global_rules: { cors: {} } };
    const sync = async (): Promise<number> =>
      (await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, config, opts))).json
        .total_resources as number;
    expect(await sync()).toBe(4);
    lab.resetCounts();
    expect(await sync()).toBe(0);
    expect(lab.writes()).toBe(0);
  });
});

it.concurrent('the server and the command line make the same of one configuration', async (test) => {
  const lab = await openLab(test);
  const server = await startTestServer();
  test.onTestFinished(() => server.close());
  const config = inUpstream({
    retries: '2',
    checks: { active: {} },
    nodes: [{ host: 'a.test', port: '80', weight: '1' }],
  });
  lab.shell.write('adc.yaml', JSON.stringify(config));
  expect(await lab.adc('sync', '--no-managed-by-label')).toMatchObject({ status: 0 });
  lab.resetCounts();
  const { json } = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, config));
  expect(json).toMatchObject({ status: 'success', total_resources: 0 });
  expect(lab.writes()).toBe(0);
});
