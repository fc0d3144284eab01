import { afterEach, describe, expect, test } from 'vitest';
import { itemsOf, service, startGroup, type Group } from './group.js';

let group: Group | undefined;

afterEach(async () => {
  await group?.close();
  group = undefined;
});

describe.each(['3.13.0', '3.15.0', '3.18.0'])('on %s', (gatewayVersion) => {
  test('a file becomes the document of every instance, and a second sync changes nothing', async () => {
    group = await startGroup({ gatewayVersion, instances: 3 });
    const file = {
      services: [
        service('shop', ['a', 'b'], {
          upstreams: [{ name: 'canary', id: 'canary', nodes: [{ host: '10.0.0.2', port: 80, weight: 1 }] }],
        }),
      ],
      consumers: [
        { username: 'ann', credentials: [{ name: 'c1', id: 'c1', type: 'key-auth', config: { key: 'k-ann-1' } }] },
      ],
      global_rules: { 'request-id': { header_name: 'X-Request-Id' } },
      plugin_metadata: { 'http-logger': { log_format: { host: '$host' } } },
    };
    const { report } = await group.sync(file);
    expect(report?.outcomes.filter(({ status }) => status !== 'applied')).toEqual([]);
    for (const index of [0, 1, 2]) {
      const document = await group.documentOf(index);
      expect(Object.keys(itemsOf(document, 'services'))).toEqual(['shop']);
      expect(Object.keys(itemsOf(document, 'upstreams')).sort()).toEqual(['canary', 'shop']);
      expect(Object.keys(itemsOf(document, 'routes'))).toEqual(['a', 'b']);
      expect(Object.keys(itemsOf(document, 'consumers')).sort()).toEqual(['ann', 'ann/credentials/c1']);
      expect(itemsOf(document, 'consumers')['ann/credentials/c1']?.['username']).toBeUndefined();
      expect(itemsOf(document, 'global_rules')['request-id']?.['plugins']).toEqual({
        'request-id': { header_name: 'X-Request-Id' },
      });
      expect(itemsOf(document, 'plugin_metadata')['http-logger']?.['log_format']).toEqual({ host: '$host' });
    }
    const counts = await group.requestsDuring(async () => {
      const again = await group?.sync(file);
      expect(again?.difference.changes).toEqual([]);
      expect(again?.plan.operations).toEqual([]);
    });
    const cheap = gatewayVersion === '3.13.0' ? { GET: 1 } : { HEAD: 1 };
    expect(counts).toEqual([cheap, cheap, cheap]);
  });
});
