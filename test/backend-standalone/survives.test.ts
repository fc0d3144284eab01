import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/backend/backend.js';
import type { Json, JsonObject } from '../../src/model/json.js';
import { itemsOf, service, startGroup, type Group, type InstanceDocument } from './group.js';

let group: Group | undefined;

afterEach(async () => {
  await group?.close();
  group = undefined;
});

const proto = { id: 'p1', content: 'syntax = "proto3"; message A { string b = 1; }' };
const secret = { id: 'vault/1', uri: 'http://127.0.0.1:8200', prefix: 'kv/apisix', token: 'vault-token-1' };
const foreign: JsonObject = {
  protos: [proto],
  protos_conf_version: 30,
  secrets: [secret],
  secrets_conf_version: 31,
  plugins: [{ name: 'cors' }, { name: 'mqtt-proxy', stream: true }],
  plugins_conf_version: 32,
  routes: [{ id: 'lone', uri: '/lone', upstream: { type: 'roundrobin', nodes: { '127.0.0.1:80': 1 } } }],
  routes_conf_version: 33,
};

async function everyDocument(of: Group): Promise<readonly InstanceDocument[]> {
  return Promise.all(of.emulator.urls.map((_, index) => of.documentOf(index)));
}

describe.each(['3.13.0', '3.18.0'])('on %s', (gatewayVersion) => {
  test('only what changed gets a higher version; every other object stays byte for byte', async () => {
    group = await startGroup({ gatewayVersion, instances: 2 });
    const before = { services: [service('shop', ['a', 'b', 'c'])], consumers: [{ username: 'ann' }] };
    await group.sync(before);
    const old = await everyDocument(group);
    await group.sync({
      ...before,
      services: [
        {
          ...service('shop', ['a', 'c']),
          routes: [
            { name: 'a', id: 'a', uris: ['/a'] },
            { name: 'b', id: 'b', uris: ['/b', '/bb'] },
            { name: 'c', id: 'c', uris: ['/c'] },
          ],
        },
      ],
    });
    for (const [index, document] of (await everyDocument(group)).entries()) {
      const { routes: _, ...rest } = document;
      const { routes: _old, ...oldRest } = old[index]!;
      const changed = Object.keys(rest).filter((key) => JSON.stringify(rest[key]) !== JSON.stringify(oldRest[key]));
      expect(changed.filter((key) => !key.startsWith('X-'))).toEqual(['routes_conf_version']);
      expect(document.routes_conf_version).toBeGreaterThan(old[index]!.routes_conf_version);
      const [routes, oldRoutes] = [itemsOf(document, 'routes'), itemsOf(old[index]!, 'routes')];
      expect(JSON.stringify(routes['a'])).toBe(JSON.stringify(oldRoutes['a']));
      expect(JSON.stringify(routes['c'])).toBe(JSON.stringify(oldRoutes['c']));
      expect(routes['b']).toMatchObject({ uris: ['/b', '/bb'], modifiedIndex: document.routes_conf_version });
    }
  });

  test('what the tool does not manage survives, also when everything in scope goes', async () => {
    group = await startGroup({ gatewayVersion, instances: 1 });
    const unknown = gatewayVersion === '3.18.0';
    const { plugins: _plugins, plugins_conf_version: _version, ...known } = foreign;
    expect(await group.put(0, unknown ? foreign : known)).toBe(202);
    const sent: Exchange[] = [];
    const backend = { onExchange: (exchange: Exchange) => void sent.push(exchange) };
    await group.sync({ services: [service('shop', ['a'])], consumers: [{ username: 'ann' }] }, { backend });
    const check = async (): Promise<void> => {
      const document = await group!.documentOf(0);
      expect(document['protos']).toEqual([proto]);
      expect(document['secrets']).toEqual([secret]);
      expect(document.protos_conf_version).toBe(30);
      expect(document.secrets_conf_version).toBe(31);
      if (unknown) expect(document['plugins']).toEqual(foreign['plugins']);
      if (unknown) expect(document['plugins_conf_version']).toBe(32);
      expect(JSON.stringify(itemsOf(document, 'routes')['lone'])).toBe(
        JSON.stringify((foreign['routes'] as readonly Json[])[0]),
      );
    };
    await check();
    const put = sent.find(({ method }) => method === 'PUT');
    const body = JSON.parse(put?.requestBody ?? '') as JsonObject;
    expect(body['protos']).toBeUndefined();
    expect(body['secrets']).toBeUndefined();
    expect(body['protos_conf_version']).toBe(30);

    await group.sync({ services: [], consumers: [] });
    await check();
    const document = await group.documentOf(0);
    expect(Object.keys(itemsOf(document, 'routes'))).toEqual(['lone']);
    expect(document['services']).toBeUndefined();
    expect(document['upstreams']).toBeUndefined();
    expect(document['consumers']).toBeUndefined();
  });

  test('label scopes and type scopes hold on every instance, each of which may hold something else', async () => {
    group = await startGroup({ gatewayVersion, instances: 2 });
    const red = { services: [service('red', ['r1', 'r2'])] };
    const blue = { services: [service('blue', ['b1'])] };
    await group.sync(red, { labels: { team: 'red' } });
    await group.sync(blue, { labels: { team: 'blue' } });
    // Each instance has something of its own that is nobody's business here, and one something stale that is.
    const one = await group.documentOf(0);
    const two = await group.documentOf(1);
    const own = (id: string, team: string): JsonObject => ({ id, name: id, labels: { team } });
    const services = (document: InstanceDocument): readonly Json[] => document['services'] as readonly Json[];
    const higher = (document: InstanceDocument, more: readonly Json[]): object => ({
      ...document,
      services: [...services(document), ...more],
      services_conf_version: document.services_conf_version + 1,
    });
    await group.put(0, higher(one, [own('own-1', 'green')]));
    await group.put(1, higher(two, [own('own-2', 'green'), own('stale', 'red')]));

    await group.sync({ services: [service('red', ['r1'])] }, { labels: { team: 'red' } });
    const [first, second] = await everyDocument(group);
    expect(Object.keys(itemsOf(first!, 'services')).sort()).toEqual(['blue', 'own-1', 'red']);
    expect(Object.keys(itemsOf(second!, 'services')).sort()).toEqual(['blue', 'own-2', 'red']);
    expect(Object.keys(itemsOf(first!, 'routes')).sort()).toEqual(['b1', 'r1']);
    expect(Object.keys(itemsOf(second!, 'routes')).sort()).toEqual(['b1', 'r1']);

    await group.sync({ consumers: [{ username: 'ann' }] }, { scope: { include: ['consumer'] } });
    const [third] = await everyDocument(group);
    expect(Object.keys(itemsOf(third!, 'services')).sort()).toEqual(['blue', 'own-1', 'red']);
    expect(Object.keys(itemsOf(third!, 'consumers'))).toEqual(['ann']);
    await group.sync({ services: [] }, { scope: { exclude: ['consumer'] } });
    const [fourth] = await everyDocument(group);
    expect(fourth!['services']).toBeUndefined();
    expect(Object.keys(itemsOf(fourth!, 'consumers'))).toEqual(['ann']);
  });

  test('an instance that restarted empty is filled again, with everything, though nothing changed', async () => {
    group = await startGroup({ gatewayVersion, instances: 3 });
    const { plugins: _plugins, plugins_conf_version: _version, ...known } = foreign;
    for (const index of [0, 1, 2]) await group.put(index, known);
    const file = { services: [service('shop', ['a'])] };
    await group.sync(file, { labels: { team: 'red' } });
    const before = await group.documentOf(0);
    group.emulator.instances[1]!.clear();
    const counts = await group.requestsDuring(async () => {
      const { difference, report } = await group!.sync(file, { labels: { team: 'red' } });
      expect(difference.changes).toEqual([]);
      expect(report?.endpoints.every(({ success }) => success)).toBe(true);
    });
    const bare = (document: InstanceDocument): unknown => ({ ...document, 'X-Digest': '', 'X-Last-Modified': 0 });
    const filled = await group.documentOf(1);
    // Filled under the same versions too, so that the instances are the same again.
    expect(bare(filled)).toEqual(bare(before));
    expect(counts.map(({ PUT = 0 }) => PUT)).toEqual([0, 1, 0]);
    const again = await group.requestsDuring(() => group!.sync(file, { labels: { team: 'red' } }));
    expect(again.map(({ PUT = 0 }) => PUT)).toEqual([0, 0, 0]);
  });

  test('an instance restarts between the read and the write: nothing is lost', async () => {
    group = await startGroup({ gatewayVersion, instances: 2 });
    await group.put(0, { protos: [proto], protos_conf_version: 30 });
    await group.put(1, { protos: [proto], protos_conf_version: 30 });
    await group.sync({ services: [service('shop', ['a'])], consumers: [{ username: 'ann' }] });
    const [instance] = group.emulator.instances;
    let cleared = false;
    await group.sync(
      { services: [service('shop', ['a', 'b'])], consumers: [{ username: 'ann' }] },
      {
        backend: {
          onExchange: () => {
            if (!cleared) instance!.clear();
            cleared = true;
          },
        },
      },
    );
    const document = await group.documentOf(0);
    expect(Object.keys(itemsOf(document, 'routes')).sort()).toEqual(['a', 'b']);
    expect(Object.keys(itemsOf(document, 'consumers'))).toEqual(['ann']);
    if (gatewayVersion === '3.18.0') expect(document['protos']).toEqual([proto]);
  });

  test('instances that hold the wanted content already are not written', async () => {
    group = await startGroup({ gatewayVersion, instances: 3 });
    const file = { services: [service('shop', ['a'])] };
    await group.sync(file);
    const document = await group.documentOf(0);
    const { routes: _, ...without } = document;
    await group.put(0, { ...without, routes: [], routes_conf_version: document.routes_conf_version + 1 });
    await group.put(2, { ...without, routes: [], routes_conf_version: document.routes_conf_version + 1 });
    const counts = await group.requestsDuring(() => group!.sync(file));
    expect(counts.map(({ PUT = 0 }) => PUT)).toEqual([1, 0, 1]);
    for (const index of [0, 1, 2]) expect(Object.keys(itemsOf(await group.documentOf(index), 'routes'))).toEqual(['a']);
  });
});

test('an SSL whose key the file leaves out keeps it when something else of it changes', async () => {
  const read = (name: string): string => readFileSync(new URL(`../support/pem/${name}`, import.meta.url), 'utf8');
  const [certificate, key] = [read('shop.crt'), read('shop.key')];
  group = await startGroup({ instances: 2 });
  const ssl = { id: 'x', snis: ['shop.test'] };
  await group.sync({ ssls: [{ ...ssl, certificates: [{ certificate, key }] }] });
  const labels = { env: 'prod' };
  await group.sync({ ssls: [{ ...ssl, labels, certificates: [{ certificate }] }] }, { lint: false });
  expect(itemsOf(await group.documentOf(1), 'ssls')['x']).toMatchObject({ key, labels });
});
