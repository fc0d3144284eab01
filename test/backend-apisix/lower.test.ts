import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deriveId, deriveNestedId } from '../../src/model/ids.js';
import type { JsonObject } from '../../src/model/json.js';
import { startBench, type Bench } from './gateway.js';

const nodes = [{ host: '10.0.0.1', port: 80, weight: 1 }];
const upstream = { nodes };
const path = (ref: string): string => `/apisix/admin/${ref}`;

describe('what goes over the wire', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterEach(() => bench.emulator.reset());
  afterAll(() => bench.close());

  const service = (more: JsonObject = {}): JsonObject => ({ id: 's1', name: 'shop', ...more });

  it('writes a service as two objects, the upstream first, in the form the older tool wrote', async () => {
    const { writes } = await bench.sync({ services: [service({ upstream })] });
    expect(writes).toEqual([`PUT ${path('upstreams/s1')}`, `PUT ${path('services/s1')}`]);
    expect(await bench.stored('upstreams/s1')).toMatchObject({
      id: 's1',
      name: 'shop',
      type: 'roundrobin',
      scheme: 'http',
      pass_host: 'pass',
      nodes: [{ host: '10.0.0.1', port: 80, weight: 1, priority: 0 }],
    });
    expect(await bench.stored('services/s1')).toMatchObject({ id: 's1', name: 'shop', upstream_id: 's1' });
    expect(await bench.stored('services/s1')).not.toHaveProperty('upstream');
  });

  it('writes only the part of a service that changed', async () => {
    await bench.sync({ services: [service({ upstream })] });
    const moved = { nodes: [{ host: '10.0.0.2', port: 80, weight: 1 }] };
    expect((await bench.sync({ services: [service({ upstream: moved })] })).writes).toEqual([
      `PUT ${path('upstreams/s1')}`,
    ]);
    const described = service({ upstream: moved, description: 'd' });
    expect((await bench.sync({ services: [described] })).writes).toEqual([`PUT ${path('services/s1')}`]);
  });

  it('gives a service with an inline upstream its own one at any change, and takes the inline one away', async () => {
    await bench.admin('PUT', '/services/s1', { name: 'shop', upstream: { nodes: { '10.0.0.1:80': 1 } } });
    expect(await bench.diff({ services: [service({ upstream })] })).toEqual([]);
    const moved = { nodes: [{ host: '10.0.0.2', port: 80, weight: 1 }] };
    const { writes } = await bench.sync({ services: [service({ upstream: moved })] });
    expect(writes).toEqual([`PUT ${path('upstreams/s1')}`, `PUT ${path('services/s1')}`]);
    expect(await bench.stored('services/s1')).not.toHaveProperty('upstream');
  });

  it('overwrites no upstream of others that has the id of a service: the service holds its own inside', async () => {
    const others = { name: 'of others', type: 'roundrobin', nodes: { '10.9.0.1:80': 1 } };
    await bench.admin('PUT', '/upstreams/s1', others);
    await bench.admin('PUT', '/routes/theirs', { uri: '/theirs', upstream_id: 's1' });
    const document = (host: string): JsonObject => ({
      services: [service({ upstream: { nodes: [{ host, port: 80, weight: 1 }] } })],
    });
    for (const host of ['10.0.0.1', '10.0.0.2']) {
      expect((await bench.sync(document(host))).writes).toEqual([`PUT ${path('services/s1')}`]);
      expect(await bench.diff(document(host))).toEqual([]);
    }
    expect(await bench.stored('upstreams/s1')).toMatchObject(others);
    expect(await bench.stored('services/s1')).not.toHaveProperty('upstream_id');
    expect((await bench.sync({ services: [] })).writes).toEqual([`DELETE ${path('services/s1')}`]);
    expect(await bench.stored('upstreams/s1')).toMatchObject(others);
  });

  it('gives a service an upstream of its own where it referred to one of others under its own id', async () => {
    const others = { name: 'of others', type: 'roundrobin', nodes: { '10.9.0.1:80': 1 } };
    await bench.admin('PUT', '/upstreams/s1', others);
    await bench.admin('PUT', '/routes/theirs', { uri: '/theirs', upstream_id: 's1' });
    await bench.sync({ services: [service({ upstream_id: 's1' })] });
    const document = { services: [service({ upstream })] };
    expect((await bench.sync(document)).writes).toEqual([`PUT ${path('services/s1')}`]);
    expect(await bench.diff(document)).toEqual([]);
    expect(await bench.stored('upstreams/s1')).toMatchObject(others);
  });

  it('completes a service of which only the upstream was written', async () => {
    await bench.admin('PUT', '/upstreams/s1', { name: 'shop', type: 'roundrobin', nodes: { '10.0.0.9:80': 1 } });
    const document = { services: [service({ upstream })] };
    expect((await bench.sync(document)).writes).toEqual([`PUT ${path('upstreams/s1')}`, `PUT ${path('services/s1')}`]);
    expect(await bench.diff(document)).toEqual([]);
  });

  it('takes a shared upstream equal to the one in the file for the same, until the service changes', async () => {
    await bench.admin('PUT', '/upstreams/shared', { name: 'common', type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
    await bench.admin('PUT', '/services/s1', { name: 'shop', upstream_id: 'shared' });
    expect(await bench.diff({ services: [service({ upstream })] })).toEqual([]);
    await bench.sync({ services: [service({ upstream, description: 'd' })] });
    expect(await bench.stored('services/s1')).toMatchObject({ upstream_id: 's1' });
    expect(await bench.stored('upstreams/shared')).toBeDefined();
  });

  it('moves a service off a shared upstream that the file deletes', async () => {
    await bench.admin('PUT', '/upstreams/shared', { name: 'common', type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
    await bench.admin('PUT', '/services/s1', { name: 'shop', upstream_id: 'shared' });
    const document = { services: [service({ upstream })], upstreams: [] };
    const { changes, failed, writes } = await bench.sync(document);
    expect(failed).toEqual([]);
    expect(changes).toEqual(['delete upstream common']);
    expect(writes).toEqual([
      `PUT ${path('upstreams/s1')}`,
      `PUT ${path('services/s1')}`,
      `DELETE ${path('upstreams/shared')}`,
    ]);
    expect(await bench.diff(document)).toEqual([]);
  });

  it('keeps a reference to a shared upstream that the file names', async () => {
    const document = {
      services: [service({ upstream_id: 'common' })],
      upstreams: [{ name: 'common', nodes }],
    };
    await bench.sync(document);
    expect(await bench.stored('services/s1')).toMatchObject({ upstream_id: deriveId('common') });
    expect(await bench.diff(document)).toEqual([]);
    // The upstreams are not mentioned any more: untouched, and still referred to.
    expect(await bench.diff({ services: [service({ upstream_id: deriveId('common') })] })).toEqual([]);
  });

  it('removes the own upstream of a service that turns to a shared one, but not while a route uses it', async () => {
    const route = { name: 'r', uris: ['/r'], upstream_id: 's1' };
    await bench.sync({ services: [service({ upstream, routes: [route] })] });
    const turned = {
      upstreams: [{ name: 'common', nodes }],
      services: [service({ upstream_id: 'common', routes: [route] })],
    };
    expect((await bench.sync(turned)).failed).toEqual([]);
    expect(await bench.stored('upstreams/s1')).toBeDefined();
  });

  it('makes one write of the changes to plugins of one rule, under its own id', async () => {
    await bench.admin('PUT', '/global_rules/by-hand', {
      plugins: { cors: {}, 'ip-restriction': { whitelist: ['10.0.0.0/8'] } },
    });
    const both = { global_rules: { cors: { max_age: 9 }, 'ip-restriction': { whitelist: ['10.1.0.0/16'] } } };
    expect((await bench.sync(both)).writes).toEqual([`PUT ${path('global_rules/by-hand')}`]);
    expect((await bench.sync({ global_rules: { cors: { max_age: 9 } } })).writes).toEqual([
      `PUT ${path('global_rules/by-hand')}`,
    ]);
    expect((await bench.sync({ global_rules: {} })).writes).toEqual([`DELETE ${path('global_rules/by-hand')}`]);
  });

  it('adds a plugin to a foreign rule that has its name as id, instead of replacing the rule', async () => {
    await bench.admin('PUT', '/global_rules/cors', { plugins: { 'ip-restriction': { whitelist: ['10.0.0.0/8'] } } });
    const document = { global_rules: { cors: {}, 'ip-restriction': { whitelist: ['10.0.0.0/8'] } } };
    expect((await bench.sync(document)).writes).toEqual([`PUT ${path('global_rules/cors')}`]);
    expect(Object.keys((await bench.stored('global_rules/cors'))?.['plugins'] as JsonObject).sort()).toEqual([
      'cors',
      'ip-restriction',
    ]);
  });

  it.each(['3.2.2', '3.18.0'])(
    'deletes nothing that is still used, also where a gateway %s does not look',
    async (version) => {
      const old = await startBench({ gatewayVersion: version });
      try {
        const { readFileSync } = await import('node:fs');
        const pem = (name: string): string => readFileSync(new URL(`../support/pem/${name}`, import.meta.url), 'utf8');
        const ssl = {
          id: 'c',
          type: 'client',
          snis: ['a'],
          certificates: [{ certificate: pem('shop.crt'), key: pem('shop.key') }],
        };
        const used = {
          services: [{ name: 'shop', plugins: { cors: {} } }],
          plugin_configs: [{ id: 'p', name: 'p', plugins: { cors: {} } }],
          ssls: [ssl],
        };
        await old.sync(used);
        await old.admin('PUT', '/upstreams/theirs', { nodes: { '10.0.0.1:80': 1 }, tls: { client_cert_id: 'c' } });
        await old.admin('PUT', '/routes/theirs', { uri: '/theirs', upstream_id: 'theirs', plugin_config_id: 'p' });
        expect((await old.sync({ services: [], plugin_configs: [], ssls: [] })).failed).toEqual([]);
        expect(await old.diff({ services: [], plugin_configs: [], ssls: [] })).toEqual([]);
        expect((await old.admin('GET', '/plugin_configs/p')).status).toBe(200);
        expect((await old.admin('GET', '/ssls/c')).status).toBe(200);
        await old.admin('DELETE', '/routes/theirs');
        await old.admin('DELETE', '/upstreams/theirs');
        expect((await old.sync({ services: [], plugin_configs: [], ssls: [] })).failed).toEqual([]);
      } finally {
        await old.close();
      }
    },
  );

  it('deletes the credentials of a consumer with the consumer', async () => {
    const consumer = {
      username: 'ann',
      credentials: [{ id: 'c1', name: 'main', type: 'key-auth', config: { key: 'ann-key' } }],
    };
    await bench.sync({ consumers: [consumer] });
    const { changes, writes, failed } = await bench.sync({ consumers: [] });
    expect(writes).toEqual([`DELETE ${path('consumers/ann')}`]);
    expect(changes.toSorted()).toEqual(['delete consumer ann', 'delete consumer_credential main']);
    expect(failed).toEqual([]);
  });

  it('keeps what a file cannot mention of a route, and drops it where the file takes its place', async () => {
    const inline = { type: 'roundrobin', nodes: { '10.9.0.1:80': 1 } };
    await bench.sync({ services: [service({ upstream })] });
    await bench.admin('PUT', '/routes/r1', { name: 'r', uris: ['/r'], service_id: 's1', upstream: inline });
    const route = { id: 'r1', name: 'r', uris: ['/r', '/more'] };
    await bench.sync({ services: [service({ upstream, routes: [route] })] });
    expect(await bench.stored('routes/r1')).toMatchObject({ upstream: inline, uris: ['/r', '/more'] });
    await bench.sync({ services: [service({ upstream, routes: [{ ...route, upstream_id: 's1' }] })] });
    expect(await bench.stored('routes/r1')).toMatchObject({ upstream_id: 's1' });
    expect(await bench.stored('routes/r1')).not.toHaveProperty('upstream');
  });

  it('leaves a certificate disabled that was disabled by hand, and other fields a file cannot mention', async () => {
    const { readFileSync } = await import('node:fs');
    const pem = (name: string): string => readFileSync(new URL(`../support/pem/${name}`, import.meta.url), 'utf8');
    const [certificate, key] = [pem('shop.crt'), pem('shop.key')];
    await bench.admin('PUT', '/ssls/x1', { snis: ['a.test'], cert: certificate, key, status: 0, desc: 'by hand' });
    const ssl = { id: 'x1', snis: ['a.test', 'b.test'], certificates: [{ certificate, key }] };
    expect((await bench.sync({ ssls: [ssl] })).changes).toEqual(['update ssl a.test,b.test']);
    expect(await bench.stored('ssls/x1')).toMatchObject({ status: 0, desc: 'by hand', snis: ['a.test', 'b.test'] });
    expect(await bench.diff({ ssls: [ssl] })).toEqual([]);
  });

  it('creates what takes over an address before it deletes what held it', async () => {
    const routed = (name: string): JsonObject => ({
      services: [service({ upstream, routes: [{ name, uris: ['/same'] }] })],
    });
    await bench.sync(routed('old'));
    const { writes } = await bench.sync(routed('new'));
    expect(writes.map((write) => write.split(' ')[0])).toEqual(['PUT', 'DELETE']);
  });

  it('lets two consumers swap their keys without losing their credentials', async () => {
    const consumer = (username: string, key: string): JsonObject => ({
      username,
      plugins: { 'key-auth': { key } },
      credentials: [{ name: 'basic', type: 'basic-auth', config: { username: `${username}-b`, password: 'p' } }],
    });
    await bench.sync({ consumers: [consumer('ann', 'key-one'), consumer('bob', 'key-two')] });
    const swapped = { consumers: [consumer('ann', 'key-two'), consumer('bob', 'key-one')] };
    const { failed, writes } = await bench.sync(swapped);
    expect(failed).toEqual([]);
    expect(writes.every((write) => write.startsWith('PUT'))).toBe(true);
    expect(await bench.diff(swapped)).toEqual([]);
  });
});

describe('leftovers of an interrupted job', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
  });
  afterEach(() => bench.emulator.reset());
  afterAll(() => bench.close());

  const shop = { name: 'shop', upstream: { nodes }, upstreams: [{ name: 'canary', nodes }] };
  const id = deriveId('shop');

  it('are removed by the next sync, although nothing differs', async () => {
    await bench.sync({ services: [shop] });
    bench.emulator.setFaults({ failRate: 1, failStatus: 403, methods: ['DELETE'], path: '/upstreams/' });
    expect((await bench.sync({ services: [] })).failed).not.toEqual([]);
    bench.emulator.setFaults({ failRate: 0 });
    expect(await bench.stored(`upstreams/${id}`)).toBeDefined();
    const { changes, writes } = await bench.sync({ services: [] });
    expect(changes).toEqual([]);
    expect(writes).toHaveLength(2);
    expect(((await bench.admin('GET', '/upstreams')).json as JsonObject)['list']).toEqual([]);
    expect((await bench.sync({ services: [] })).writes).toEqual([]);
  });

  it('are those of a service that lost its upstream as well', async () => {
    await bench.sync({ services: [{ name: 'shop', upstream: { nodes } }] });
    bench.emulator.setFaults({ failRate: 1, failStatus: 403, methods: ['DELETE'], path: '/upstreams/' });
    await bench.sync({ services: [{ name: 'shop' }] });
    bench.emulator.setFaults({ failRate: 0 });
    expect((await bench.sync({ services: [{ name: 'shop' }] })).writes).toEqual([`DELETE ${path(`upstreams/${id}`)}`]);
  });

  it('are named upstreams of a service that was not written yet, and that does without them now', async () => {
    bench.emulator.setFaults({ failRate: 1, failStatus: 403, methods: ['PUT'], path: '/services/' });
    await bench.sync({ services: [shop] });
    bench.emulator.setFaults({ failRate: 0 });
    const { upstreams: _upstreams, ...without } = shop;
    for (const scope of [{ labels: { team: 'a' } }, {}]) {
      await bench.sync({ services: [without] }, scope);
      expect(await bench.diff({ services: [without] }, scope)).toEqual([]);
    }
    expect(await bench.stored(`upstreams/${deriveNestedId('shop', 'canary')}`)).toBeUndefined();
  });

  it('are never upstreams of others: used, differently named, labelled, or shared by the file', async () => {
    const plain = { type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } };
    await bench.admin('PUT', '/upstreams/1', { ...plain, name: 'by hand' });
    await bench.admin('PUT', `/upstreams/${deriveId('managed')}`, {
      ...plain,
      name: 'managed',
      labels: { 'managed-by': 'adc' },
    });
    await bench.admin('PUT', `/upstreams/${deriveId('used')}`, { ...plain, name: 'used' });
    await bench.admin('PUT', '/routes/r', { uri: '/r', upstream_id: deriveId('used') });
    await bench.admin('PUT', `/upstreams/${deriveId('split')}`, { ...plain, name: 'split' });
    await bench.admin('PUT', '/routes/t', {
      uri: '/t',
      upstream_id: '1',
      plugins: {
        'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: deriveId('split'), weight: 1 }] }] },
      },
    });
    expect((await bench.sync({ services: [] })).writes).toEqual([]);
    await bench.admin('PUT', `/upstreams/${deriveId('mine')}`, { ...plain, name: 'mine' });
    const shared = ['mine', 'managed', 'used', 'split'].map((name) => ({ name, nodes }));
    const document = { upstreams: [...shared, { id: '1', name: 'by hand', nodes }] };
    await bench.sync(document);
    expect(await bench.stored(`upstreams/${deriveId('mine')}`)).toBeDefined();
    expect((await bench.sync(document)).writes).toEqual([]);
  });

  it('are never shared upstreams, which say that they are shared where nothing else does', async () => {
    const both = [
      { name: 'idle', nodes },
      { id: 'explicit', name: 'other', nodes },
    ];
    await bench.sync({ upstreams: both });
    expect(await bench.stored(`upstreams/${deriveId('idle')}`)).toMatchObject({ labels: { __ADC_SHARED: 'true' } });
    expect(await bench.stored('upstreams/explicit')).toMatchObject({ labels: { __ADC_SHARED: 'true' } });
    expect(await bench.diff({ upstreams: both })).toEqual([]);
    expect((await bench.sync({ services: [] })).writes).toEqual([]);
    // A service of that name with an upstream of another does not make it that service's.
    await bench.sync({ services: [{ name: 'idle', upstream_id: 'explicit' }] });
    expect(await bench.stored(`upstreams/${deriveId('idle')}`)).toBeDefined();
    await bench.sync({ services: [] });
    expect(await bench.stored(`upstreams/${deriveId('idle')}`)).toBeDefined();
  });

  it('are never a shared upstream with the id of the service that uses it', async () => {
    const upstreams = [{ name: 'shop', nodes }];
    await bench.sync({ upstreams, services: [{ name: 'shop', upstream_id: 'shop' }] });
    expect(await bench.diff({ upstreams, services: [{ name: 'shop', upstream_id: 'shop' }] })).toEqual([]);
    expect(await bench.diff({ services: [{ name: 'shop', upstream_id: 'shop' }] })).toEqual(['update service shop']);
    expect(await bench.diff({ services: [{ name: 'shop', upstream_id: id }] })).toEqual([]);
    await bench.sync({ services: [] });
    expect(await bench.diff({ upstreams, services: [] })).toEqual([]);
  });

  it('become shared where the file makes them its own as they are', async () => {
    await bench.admin('PUT', `/upstreams/${id}`, { name: 'shop', type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
    const { changes, writes } = await bench.sync({ upstreams: [{ name: 'shop', nodes }] });
    expect(changes).toEqual([]);
    expect(writes).toEqual([`PUT ${path(`upstreams/${id}`)}`]);
    expect((await bench.sync({ upstreams: [{ name: 'shop', nodes }] })).writes).toEqual([]);
    expect((await bench.sync({ services: [] })).writes).toEqual([]);
  });

  it('are not guessed: an upstream with the explicit id and the name of a service may be of others', async () => {
    await bench.admin('PUT', '/upstreams/1', { name: 'web', type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
    await bench.admin('PUT', '/upstreams/2', { name: 'web', type: 'roundrobin', nodes: { '10.0.0.2:80': 1 } });
    await bench.sync({ services: [{ id: '1', name: 'web', upstream_id: '2' }] });
    expect(await bench.stored('upstreams/1')).toBeDefined();
  });

  it('stay where the scope could not have held their service', async () => {
    await bench.admin('PUT', `/upstreams/${id}`, { name: 'shop', type: 'roundrobin', nodes: { '10.0.0.1:80': 1 } });
    expect((await bench.sync({ ssls: [] }, { include: ['ssl'] })).writes).toEqual([]);
    expect((await bench.sync({ services: [] }, { labels: { team: 'a' } })).writes).toEqual([]);
    expect((await bench.sync({ services: [] })).writes).toEqual([`DELETE ${path(`upstreams/${id}`)}`]);
  });
});

describe('before there are credentials', () => {
  it.each(['3.2.2', '3.10.0'])(
    '%s is never sent anything to their paths, which mean the consumer itself',
    async (version) => {
      const bench = await startBench({ gatewayVersion: version });
      try {
        const plugins = { 'key-auth': { key: 'ann-key' } };
        const credentials = [{ id: 'c1', name: 'main', type: 'basic-auth', config: { username: 'a', password: 'b' } }];
        const { failed } = await bench.sync({ consumers: [{ username: 'ann', plugins, credentials }] });
        expect(failed).toEqual([
          'consumer_credential/ann/c1: The consumer credentials are only supported in Apache APISIX version 3.11 and above.',
        ]);
        await bench.sync({ consumers: [{ username: 'ann', plugins, description: 'still there' }] });
        expect(await bench.stored('consumers/ann')).toBeDefined();
        expect(bench.exchanges.filter(({ url }) => url.includes('/credentials'))).toEqual([]);
      } finally {
        await bench.close();
      }
    },
  );
});
