import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/backend/backend.js';
import { GatewayError } from '../../src/model/errors.js';
import { createMemory } from '../../src/memory/store.js';
import { dumpState, readAndDiff, sync } from '../../src/sync.js';
import { startEmulator } from '../../src/emulator/index.js';
import { configured } from '../support/emulated.js';
import { itemsOf, service, startGroup, type Group } from './group.js';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(...args: Parameters<typeof startGroup>): Promise<Group> {
  const group = await startGroup(...args);
  closing.push(() => group.close());
  return group;
}

const file = { services: [service('shop', ['a'])] };
const changed = { services: [service('shop', ['a', 'b'])] };

/** Another process: it shares nothing with the group but the instances. */
const elsewhere = (group: Group): Promise<unknown> =>
  group.sync({ services: [service('shop', ['a', 'z'])] }, { backend: { memory: createMemory() } });

describe.each(['3.13.0', '3.15.0', '3.18.0'])('on %s', (gatewayVersion) => {
  test('a stale memory is repaired, not reported', async () => {
    const group = await start({ gatewayVersion, instances: 2 });
    await group.sync(file);
    await elsewhere(group);
    const { difference, report } = await group.sync(changed);
    expect(difference.changes.map(({ type, id }) => `${type} ${id}`).sort()).toEqual(['create b', 'delete z']);
    expect(report?.endpoints.every(({ success }) => success)).toBe(true);
    for (const index of [0, 1]) {
      expect(Object.keys(itemsOf(await group.documentOf(index), 'routes'))).toEqual(['a', 'b']);
    }
  });

  test('an instance written by others between the read and the write is read again, and what they hold out of scope stays', async () => {
    const group = await start({ gatewayVersion, instances: 2 });
    const labels = { team: 'red' };
    await group.sync(file, { labels });
    const backend = group.open();
    closing.push(async () => backend.close());
    const configuration = configured(changed, { labels });
    const difference = await readAndDiff({ backend, configuration, scope: { labels } });
    expect(difference.changes.length).toBe(1);
    await group.sync(
      { services: [service('other', ['o'])] },
      { labels: { team: 'blue' }, backend: { memory: createMemory() } },
    );
    const { operations } = difference.plan();
    const before = group.emulator.requests.byMethod['PUT'] ?? 0;
    const executed = await Promise.all(operations.map((operation) => backend.execute(operation)));
    expect(executed.map(({ written }) => written)).toEqual([true, true]);
    for (const index of [0, 1]) {
      const document = await group.documentOf(index);
      expect(Object.keys(itemsOf(document, 'routes')).sort()).toEqual(['a', 'b', 'o']);
      expect(Object.keys(itemsOf(document, 'services')).sort()).toEqual(['other', 'shop']);
    }
    // Without HEAD it is the refusal that tells: two PUTs for each instance, else one.
    const puts = (group.emulator.requests.byMethod['PUT'] ?? 0) - before;
    expect(puts).toBe(gatewayVersion === '3.13.0' ? 4 : 2);
  });
});

test('a version that is refused again after reading again is the gateway’s own words, after one more try', async () => {
  const group = await start();
  let puts = 0;
  let version = 100;
  const contrary = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume().on('end', () => {
      const isPut = request.method === 'PUT';
      version += 1;
      puts += isPut ? 1 : 0;
      response.writeHead(isPut ? 400 : 200, { 'content-type': 'application/json', server: 'APISIX/3.18.0' });
      const message = `routes_conf_version must be greater than or equal to (${version})`;
      response.end(
        JSON.stringify(
          isPut
            ? { error_msg: message }
            : { routes_conf_version: 1, services_conf_version: 1, upstreams_conf_version: 1 },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => contrary.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => contrary.close(() => resolve()).closeAllConnections()));
  const server = `http://127.0.0.1:${(contrary.address() as AddressInfo).port}`;
  const { report } = await group.sync(file, { backend: { endpoints: [{ server, token: 'k' }] } });
  expect(puts).toBe(2);
  expect(report?.endpoints[0]?.success).toBe(false);
  const { error } = report?.endpoints[0] ?? {};
  expect(String(error)).toContain('error_msg: routes_conf_version must be greater');
});

describe('a digest is only a word', () => {
  test('the digest of somebody who was ignored does not make a memory of us', async () => {
    const group = await start({ instances: 1 });
    await group.sync(file);
    const held = await group.documentOf(0);
    // Equal versions: the content is ignored, the digest is stored.
    expect(await group.put(0, { ...held, routes: [] }, 'theirs')).toBe(202);
    const counts = await group.requestsDuring(async () => {
      const { difference } = await group.sync(file);
      expect(difference.changes).toEqual([]);
    });
    expect(counts).toEqual([{ HEAD: 1, GET: 1 }]);
    expect(Object.keys(itemsOf(await group.documentOf(0), 'routes'))).toEqual(['a']);
  });

  test('a digest that stands over other content already is found out', async () => {
    const group = await start({ instances: 1 });
    await group.sync(file);
    const backend = group.open();
    closing.push(async () => backend.close());
    const difference = await readAndDiff({ backend, configuration: configured(changed) });
    const [operation] = difference.plan().operations;
    const digest = createHash('sha1')
      .update(operation?.body?.() ?? '')
      .digest('hex');
    const held = await group.documentOf(0);
    expect(await group.put(0, held, digest)).toBe(202);
    await backend.execute(operation!);
    expect(Object.keys(itemsOf(await group.documentOf(0), 'routes'))).toEqual(['a', 'b']);
  });
});

describe('one dead instance', () => {
  test('neither fails the others nor the read; it fails by itself, with the cause', async () => {
    const group = await start({ instances: 3 });
    await group.emulator.instances[0]!.stop();
    const { report, difference } = await group.sync(file);
    expect(difference.notices.some(({ message }) => message.includes('ECONNREFUSED'))).toBe(true);
    expect(report?.endpoints.map(({ success }) => success)).toEqual([false, true, true]);
    const error = report?.endpoints[0]?.error;
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as Error).message).toContain(group.emulator.urls[0]);
    for (const index of [1, 2]) {
      expect(Object.keys(itemsOf(await group.documentOf(index), 'routes'))).toEqual(['a']);
    }
    // Nothing changed, and still it is said; and when it is back, it is filled.
    const second = await group.sync(file);
    expect(second.difference.changes).toEqual([]);
    expect(second.report?.endpoints.find(({ server }) => server === group.emulator.urls[0])?.success).toBe(false);
    await group.emulator.instances[0]!.start();
    const held = async (): Promise<readonly string[]> => {
      await group.sync(file);
      return Object.keys(itemsOf(await group.documentOf(0), 'routes'));
    };
    // The breaker of its pool finds out by itself, when it probes.
    await expect.poll(held, { timeout: 20_000 }).toEqual(['a']);
  });

  test('that takes the connection and never answers does not slow the others', async () => {
    const group = await start({ instances: 3 });
    group.emulator.instances[1]!.setFaults({ hangRate: 1 });
    const written = Promise.all(
      [0, 2].map(async (index) => {
        while ((await group.documentOf(index))['routes'] === undefined) await new Promise(setImmediate);
      }),
    );
    let isOver = false;
    const job = group.sync(file, { backend: { deadline: Date.now() + 2500 } }).then((result) => {
      isOver = true;
      return result;
    });
    await written;
    expect(isOver).toBe(false);
    const { report } = await job;
    expect(report?.endpoints.filter(({ success }) => success).length).toBe(2);

    // The next job knows it, and gives it little time: without a deadline of its own it would wait for long.
    const next = await group.sync(changed);
    const { error } = next.report?.endpoints.find(({ success }) => !success) ?? {};
    expect(String(error)).toContain('no answer within');
    group.emulator.instances[1]!.setFaults({ hangRate: 0 });
    const last = await group.sync(changed);
    expect(last.report?.endpoints.every(({ success }) => success)).toBe(true);
    expect(Object.keys(itemsOf(await group.documentOf(1), 'routes'))).toEqual(['a', 'b']);
  });

  test('all dead: every one is named', async () => {
    const group = await start({ instances: 2 });
    for (const instance of group.emulator.instances) await instance.stop();
    const failure = group.sync(file);
    for (const url of group.emulator.urls) await expect(failure).rejects.toThrow(url);
    await expect(failure).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('instances that are slow to answer', () => {
  test('are written when they do', async () => {
    const group = await start({ instances: 2 });
    group.emulator.instances[1]!.setFaults({ latency: 1500, methods: ['GET'] });
    const { report } = await group.sync(file);
    expect(report?.endpoints.map(({ success }) => success)).toEqual([true, true]);
    group.emulator.instances[1]!.setFaults({ latency: 0 });
    expect(Object.keys(itemsOf(await group.documentOf(1), 'routes'))).toEqual(['a']);
  });
});

describe('keys', () => {
  test('every instance is asked with its own, by ping and by sync', async () => {
    const group = await start();
    const others = await Promise.all(
      ['key-one', 'key-two'].map((adminKey) => startEmulator({ mode: 'standalone', adminKey })),
    );
    closing.push(async () => void (await Promise.all(others.map((one) => one.close()))));
    const endpoints: readonly Endpoint[] = others.map(({ url, adminKey }) => ({ server: url, token: adminKey }));
    const backend = group.open({ endpoints });
    closing.push(async () => backend.close());
    expect(await backend.ping()).toMatchObject(endpoints.map(({ server }) => ({ server, version: '3.18.0' })));
    const { report } = await group.sync(file, { backend: { endpoints } });
    expect(report?.endpoints.every(({ success }) => success)).toBe(true);

    const swapped = endpoints.map(({ server }, index) => ({ server, token: index === 0 ? 'key-one' : 'wrong' }));
    const pings = await group.open({ endpoints: swapped }).ping();
    expect(pings.map(({ error }) => error?.code)).toEqual([undefined, 'unauthorized']);
    const half = await group.sync(changed, { backend: { endpoints: swapped } });
    expect(half.report?.endpoints.map(({ success }) => success)).toEqual([true, false]);
  });

  test('what is remembered for one key is not shown to another', async () => {
    const group = await start({ instances: 1 });
    await group.sync(file);
    const endpoints = group.endpoints.map(({ server }) => ({ server, token: 'wrong' }));
    await expect(group.sync(file, { backend: { endpoints } })).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('ping', () => {
  test('tells apart what is no standalone gateway, what is refused and what is not there', async () => {
    const group = await start({ gatewayVersion: '3.13.0' });
    const etcd = await startEmulator();
    closing.push(() => etcd.close());
    const [good] = group.endpoints;
    const endpoints: readonly Endpoint[] = [
      good!,
      { server: etcd.url, token: etcd.adminKey },
      { server: 'http://127.0.0.1:1', token: 'x' },
    ];
    const pings = await group.open({ endpoints }).ping();
    expect(pings.map(({ error, version }) => error?.code ?? version)).toEqual([
      '3.13.0',
      'not_admin_api',
      'unreachable',
    ]);
    expect(pings[1]?.error?.message).toContain('its backend is apisix');
  });
});

describe('a dump', () => {
  test('is of the newest instance, and says how the others differ', async () => {
    const group = await start({ instances: 3 });
    await group.sync(file);
    const held = await group.documentOf(2);
    await group.put(2, {
      ...held,
      routes: [{ id: 'n', uri: '/n', service_id: 'shop' }],
      routes_conf_version: held.routes_conf_version + 1,
    });
    group.emulator.instances[0]!.clear();
    const backend = group.open();
    closing.push(async () => backend.close());
    const { state, notices } = await dumpState({ backend });
    expect([...state.resources.keys()].filter((key) => key.startsWith('route/'))).toEqual(['route/n']);
    const [first, second, third] = group.emulator.urls;
    const warnings = notices.filter(({ level }) => level === 'warning').map(({ message }) => message);
    expect(warnings).toEqual([
      `${first} holds nothing, ${third} does: it has probably restarted`,
      `${second} differs from ${third}, the newest: routes: lacks n, has besides a`,
    ]);
  });
});

test('bypassCache reads again', async () => {
  const group = await start({ instances: 1 });
  await group.sync(file);
  const counts = await group.requestsDuring(() => group.sync(file, { backend: { bypassCache: true } }));
  expect(counts).toEqual([{ GET: 1 }]);
});

test('an aborted job writes nothing more', async () => {
  const group = await start({ instances: 2 });
  await group.sync(file);
  const stop = new AbortController();
  const backend = group.open({ signal: stop.signal });
  closing.push(async () => backend.close());
  stop.abort();
  await expect(sync({ backend, configuration: configured(changed) })).rejects.toMatchObject({ code: 'aborted' });
  expect(Object.keys(itemsOf(await group.documentOf(0), 'routes'))).toEqual(['a']);
});
