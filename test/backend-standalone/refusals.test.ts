import { afterEach, describe, expect, test } from 'vitest';
import { AdcError } from '../../src/model/errors.js';
import type { JsonObject } from '../../src/model/json.js';
import type { SyncResult } from '../../src/sync.js';
import { itemsOf, service, startGroup, type Group } from './group.js';

let group: Group | undefined;

afterEach(async () => {
  await group?.close();
  group = undefined;
});

const route = (name: string, more: JsonObject = {}): JsonObject => ({ name, id: name, uris: [`/${name}`], ...more });
const badMethod = { plugins: { 'proxy-rewrite': { method: 'NOPE' } } };

function outcomesOf({ report }: SyncResult): Readonly<Record<string, string>> {
  const words = (error: unknown): string => (error instanceof AdcError ? `: ${error.message}` : '');
  return Object.fromEntries(
    (report?.outcomes ?? []).map(({ change, status, error }) => [
      change.key,
      status === 'failed' ? `failed${words(error)}` : status,
    ]),
  );
}

describe.each(['3.13.0', '3.15.0', '3.18.0'])('on %s', (gatewayVersion) => {
  test('only what an instance refuses fails, and the rest is written', async () => {
    group = await startGroup({ gatewayVersion, instances: 2 });
    await group.sync({ services: [service('shop', ['old'])] });
    const result = await group.sync({
      services: [
        {
          ...service('shop', []),
          routes: [
            route('old', badMethod),
            route('good'),
            route('bad', { plugins: { 'ip-restriction': { whitelist: ['10.0.0.0/8'], blacklist: 'x' } } }),
          ],
        },
        service('fresh', ['f']),
      ],
    });
    const outcomes = outcomesOf(result);
    expect(outcomes).toMatchObject({
      'service/fresh': 'applied',
      'route/f': 'applied',
      'route/good': 'applied',
      'route/old': expect.stringMatching(/^failed: .*proxy-rewrite/),
      'route/bad': expect.stringMatching(/^failed: .*ip-restriction/),
    });
    expect(
      result.report?.outcomes
        .filter(({ blamed }) => blamed)
        .map(({ change }) => change.key)
        .sort(),
    ).toEqual(['route/bad', 'route/old']);
    for (const index of [0, 1]) {
      const routes = itemsOf(await group.documentOf(index), 'routes');
      expect(Object.keys(routes).sort()).toEqual(['f', 'good', 'old']);
      expect(routes['old']?.['plugins']).toBeUndefined();
    }
    // Put right, it is written by the next sync.
    const repaired = await group.sync({
      services: [
        { ...service('shop', []), routes: [route('old'), route('good'), route('bad')] },
        service('fresh', ['f']),
      ],
    });
    expect(outcomesOf(repaired)).toEqual({ 'route/bad': 'applied' });
  });

  test('what needs something refused is not written either, and what it needs is not deleted', async () => {
    group = await startGroup({ gatewayVersion, instances: 1 });
    await group.sync({
      services: [service('shop', ['a'])],
      upstreams: [{ name: 'pool', id: 'pool', nodes: [{ host: '10.0.0.9', port: 80, weight: 1 }] }],
      consumer_groups: [],
    });
    const held = await group.documentOf(0);
    // A route that is nobody's uses the shared upstream.
    await group.put(0, {
      ...held,
      routes: [...(held['routes'] as readonly JsonObject[]), { id: 'lone', uri: '/lone', upstream_id: 'pool' }],
      routes_conf_version: held.routes_conf_version + 1,
    });
    const result = await group.sync({
      services: [
        service('shop', ['a'], { plugins: { 'proxy-rewrite': { method: 'NOPE' } } }),
        { ...service('fresh', ['f']), plugins: { 'proxy-rewrite': { method: 'NOPE' } } },
      ],
      upstreams: [],
      consumers: [{ username: 'ann', group_id: 'nowhere' }],
    });
    expect(outcomesOf(result)).toEqual({
      'service/shop': expect.stringContaining('proxy-rewrite'),
      'service/fresh': expect.stringContaining('proxy-rewrite'),
      'route/f': expect.stringContaining('it refers to services/fresh, which this instance does not have'),
      'consumer/ann': expect.stringContaining('it refers to consumer_groups/nowhere'),
    });
    const document = await group.documentOf(0);
    expect(Object.keys(itemsOf(document, 'routes')).sort()).toEqual(['a', 'lone']);
    expect(Object.keys(itemsOf(document, 'upstreams')).sort()).toEqual(['pool', 'shop']);
    expect(document['consumers']).toBeUndefined();
  });

  test('validate says what the gateway says, where it has a way to', async () => {
    group = await startGroup({ gatewayVersion, instances: 2 });
    const backend = group.open();
    const { configured } = await import('../support/emulated.js');
    const { state } = configured({
      services: [{ ...service('shop', []), routes: [route('a', badMethod), route('b')] }],
      consumers: [{ username: 'ann', group_id: 'nowhere' }],
    });
    const before = group.emulator.requests.byMethod['PUT'] ?? 0;
    const { depth, issues } = await backend.validate(state);
    backend.close();
    expect(group.emulator.requests.byMethod['PUT'] ?? 0).toBe(before);
    const isFull = gatewayVersion !== '3.13.0';
    expect(depth).toBe(isFull ? 'full' : 'local');
    expect(issues.map(({ key }) => key)).toEqual(isFull ? ['route/a', 'consumer/ann'] : ['consumer/ann']);
  });
});

test('stream routes are refused, each by itself, where the document has no place for them', async () => {
  group = await startGroup({ gatewayVersion: '3.13.0', instances: 1 });
  const result = await group.sync({
    services: [
      {
        name: 'tcp',
        id: 'tcp',
        upstream: { scheme: 'tcp', nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] },
        stream_routes: [{ name: 's', id: 's', server_port: 9100 }],
      },
    ],
  });
  expect(outcomesOf(result)).toMatchObject({
    'service/tcp': 'applied',
    'stream_route/s': expect.stringMatching(/^failed/),
  });
});

test('an instance without a section that others have refuses what belongs there, and takes the rest', async () => {
  group = await startGroup({ gatewayVersion: '3.18.0', instances: 1 });
  const older = await startGroup({ gatewayVersion: '3.13.0', instances: 1 });
  try {
    const endpoints = [...group.endpoints, ...older.endpoints];
    const result = await group.sync(
      {
        services: [
          service('shop', ['a']),
          {
            name: 'tcp',
            id: 'tcp',
            upstream: { scheme: 'tcp', nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] },
            stream_routes: [{ name: 's', id: 's', server_port: 9100 }],
          },
        ],
      },
      { backend: { endpoints } },
    );
    expect(outcomesOf(result)).toMatchObject({
      'service/tcp': 'applied',
      'stream_route/s': expect.stringContaining('this instance has no stream_routes'),
    });
    expect(Object.keys(itemsOf(await group.documentOf(0), 'stream_routes'))).toEqual(['s']);
    expect(Object.keys(itemsOf(await older.documentOf(0), 'routes'))).toEqual(['a']);
  } finally {
    await older.close();
  }
});

test('secrets of what is refused are not in the words', async () => {
  group = await startGroup({ instances: 1 });
  const result = await group.sync({
    consumers: [
      {
        username: 'ann',
        credentials: [
          {
            name: 'c',
            id: 'c',
            type: 'basic-auth',
            config: { username: 'ann', password: 'planted-secret-1', more: { x: 1 } },
          },
          { name: 'd', id: 'd', type: 'key-auth', config: { key: 12345678 } },
        ],
      },
    ],
  });
  expect(JSON.stringify(outcomesOf(result))).not.toContain('planted-secret-1');
  expect(outcomesOf(result)['consumer_credential/ann/d']).toMatch(/^failed/);
});
