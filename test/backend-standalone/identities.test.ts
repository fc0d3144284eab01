import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/backend/backend.js';
import { startEmulator } from '../../src/emulator/index.js';
import { itemsOf, service, startGroup, type Group } from './group.js';

let group: Group | undefined;
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await group?.close();
  group = undefined;
});

const read = (name: string): string => readFileSync(new URL(`../pool/fixtures/${name}`, import.meta.url), 'utf8');

test('each instance is spoken to with a TLS identity of its own', async () => {
  group = await startGroup();
  const [ca, key] = [read('ca.pem'), read('client.key')];
  const [cert = ''] = /-----BEGIN[^]+?-----END CERTIFICATE-----\n/.exec(read('clients.pem')) ?? [];
  const tls = { cert: read('server.pem'), key: read('server.key') };
  const listen = 'https://127.0.0.1:0';
  const plain = await startEmulator({ mode: 'standalone', listen, tls });
  const mutual = await startEmulator({ mode: 'standalone', listen, tls: { ...tls, ca } });
  closing.push(
    () => plain.close(),
    () => mutual.close(),
  );
  const token = plain.adminKey;
  const endpoints: readonly Endpoint[] = [
    { server: plain.url, token, tls: { ca } },
    { server: mutual.url, token, tls: { ca, cert, key } },
  ];
  const { report } = await group.sync({ services: [service('shop', ['a'])] }, { backend: { endpoints } });
  expect(report?.endpoints.map(({ success }) => success)).toEqual([true, true]);

  const stranger = group.open({ endpoints: [endpoints[0]!, { server: mutual.url, token, tls: { ca } }] });
  const pings = await stranger.ping();
  stranger.close();
  expect(pings.map(({ server, error }) => [server, error === undefined])).toEqual([
    [plain.url, true],
    [mutual.url, false],
  ]);
});

describe('a document that another tool wrote', () => {
  test('in other words, means the same, and is not written', async () => {
    group = await startGroup({ instances: 2 });
    const document = {
      services: [{ id: 'shop', name: 'shop', upstream: { type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } } }],
      services_conf_version: 3,
      routes: [{ id: 'a', name: 'a', uri: '/a', service_id: 'shop', status: 1 }],
      routes_conf_version: 3,
    };
    await group.put(0, document);
    await group.put(1, document);
    const counts = await group.requestsDuring(async () => {
      const { difference } = await group!.sync({ services: [service('shop', ['a'])] });
      expect(difference.changes).toEqual([]);
    });
    expect(counts).toEqual([{ GET: 1 }, { GET: 1 }]);
    // A change of the service rewrites it to an upstream object of its own, and leaves the route as it is.
    await group.sync({ services: [service('shop', ['a'], { hosts: ['shop.test'] })] });
    const held = await group.documentOf(1);
    expect(itemsOf(held, 'services')['shop']).toMatchObject({ upstream_id: 'shop', hosts: ['shop.test'] });
    expect(itemsOf(held, 'services')['shop']?.['upstream']).toBeUndefined();
    expect(JSON.stringify(held['routes'])).toBe(JSON.stringify(document.routes));
  });
});
