import { describe, expect, it } from 'vitest';
import { createMemory } from '../../src/memory/store.js';
import { startGroup } from '../backend-standalone/group.js';
import { put, startTestServer, task } from '../server/support.js';
import { openLab, shop } from './lab.js';

const consumers = [{ username: 'ann', credentials: [{ name: 'k', type: 'key-auth', config: { key: 'ann-key' } }] }];
const stocked = { services: [shop], consumers };

describe.concurrent('a configuration that does not say what is wanted deletes nothing', () => {
  const documents: readonly (readonly [string, string])[] = [
    ['a key without a value', 'services:\n'],
    ['a mapping where a list belongs', 'services: {shop: {name: shop}}\n'],
    ['an empty text where a list belongs', 'services: ""\n'],
    ['a nested key without a value', 'services:\n  - name: shop\n    routes:\nconsumers: []\n'],
    ['an item without a value', 'services:\n  -\n'],
    ['an empty file', ''],
    ['a file of comments', '# services: []\n'],
    ['a file that is null', 'null\n'],
    ['a list', '- name: shop\n'],
    ['a collection in the place of another', 'routes: []\n'],
    ['a misspelt collection', 'service: []\n'],
    ['a variable that is not set where a name belongs', 'services: [{name: "${GATEWAY_SERVICE}"}]\n'],
  ];

  it('whatever it is, with and without lint, and no request is made for it', async (test) => {
    const lab = await openLab(test);
    await lab.given(stocked);
    const before = lab.emulator.requests.total;
    const runs = documents.flatMap(([what, text], index) => {
      lab.shell.write(`${index}.yaml`, text);
      return [[], ['--no-lint']].map(async (flags) => {
        const { status, stderr } = await lab.adc('sync', '-f', `${index}.yaml`, ...flags);
        return { what, flags, status, isPlaced: stderr.includes(`${index}.yaml:`) };
      });
    });
    for (const run of await Promise.all(runs)) expect(run).toEqual({ ...run, status: 1, isPlaced: true });
    expect(lab.emulator.requests.total).toBe(before);
    expect(await lab.held()).toEqual({ services: 1, routes: 1, upstreams: 1, consumers: 1 });
  });

  it('in a request to the server, where null stands anywhere', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    await lab.given(stocked);
    lab.resetCounts();
    for (const lint of [true, false]) {
      for (const config of [
        { services: null, consumers },
        { services: { shop } },
        { services: [null], consumers },
        { services: [{ ...shop, routes: null }], consumers },
        { services: [shop], consumers: [{ username: 'ann', credentials: null }] },
      ]) {
        const reply = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, config, { lint }));
        expect([config, reply.status]).toEqual([config, 400]);
      }
    }
    expect(lab.writes()).toBe(0);
  });

  it('and an empty list, which is meant, is said to empty the collection before it does', async (test) => {
    const lab = await openLab(test);
    await lab.given({ services: [shop, { name: 'blog' }], consumers });
    lab.shell.write('adc.yaml', JSON.stringify({ services: [], consumers }));
    for (const command of [['diff'], ['sync', '--dry-run'], ['sync']]) {
      const { status, stdout, stderr } = await lab.adc(...command);
      expect(status).toBe(0);
      expect(stderr).toContain('Warning: all 2 services will be deleted');
      expect(`${stdout}${stderr}`).toContain('3 will be deleted');
    }
    expect(await lab.held()).toEqual({ consumers: 1 });
  });
});

describe.concurrent('words that select no collection select nothing at all', () => {
  const words = [['stream_service'], ['route'], ['stream_service', 'consumer_credential']];

  it('on the command line, which says so', async (test) => {
    const lab = await openLab(test);
    await lab.given(stocked);
    lab.shell.write('adc.yaml', '{}');
    lab.resetCounts();
    for (const included of words) {
      const flags = included.flatMap((word) => ['--include-resource-type', word]);
      const { status, stderr } = await lab.adc('sync', ...flags);
      expect({ included, status, stderr }).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(/selects nothing/),
      });
    }
    expect(lab.writes()).toBe(0);
    const excluded = await lab.adc('sync', '--dry-run', '--exclude-resource-type', 'route');
    expect(excluded.stderr).toContain('--exclude-resource-type route has no effect');
  });

  it('in a request to the server, where an empty list says nothing', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    await lab.given(stocked);
    lab.resetCounts();
    const sync = async (includeResourceType: readonly string[]): Promise<number> => {
      const body = task(lab.emulator.url, lab.emulator.adminKey, {}, { includeResourceType });
      return (await put(server.url, '/sync', body)).json.total_resources as number;
    };
    for (const included of words) expect([included, await sync(included)]).toEqual([included, 0]);
    expect(lab.writes()).toBe(0);
    expect(await sync([])).toBe(4);
    expect(await lab.held()).toEqual({});
  });
});

it.concurrent('more standalone gateways than are remembered are synced over and over, and none is ever emptied', async (test) => {
  const gateways = 24;
  const group = await startGroup({ instances: gateways });
  const memory = createMemory({ bytes: 30_000 });
  const server = await startTestServer({ memory });
  test.onTestFinished(async () => {
    await server.close();
    await server.pools.close(0);
    await group.close();
  });
  const sizes: number[] = [];
  const job = async (index: number, round: number): Promise<void> => {
    const routes = Array.from({ length: 5 }, (_, route) => ({ name: `r${route}`, uris: [`/${round % 2}/${route}`] }));
    const opts = { backend: 'apisix-standalone', cacheKey: `gateway-${index}` };
    const target = group.emulator.urls[index] ?? '';
    const config = { services: [{ ...shop, routes }] };
    const reply = await put(server.url, '/sync', task(target, group.emulator.adminKey, config, opts));
    expect(reply.json).toMatchObject({ status: 'success' });
    sizes.push(((await group.documentOf(index))['routes'] as readonly unknown[]).length);
  };
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: gateways }, (_, index) => job(index, round)));
  }
  expect(sizes).toHaveLength(gateways * 5);
  expect(new Set(sizes)).toEqual(new Set([5]));
});

describe.concurrent('a list that cannot be read is no empty list', () => {
  it.for([
    ['consumers/ann/credentials', ['dump', 'diff', 'sync']],
    ['stream_routes', ['dump', 'diff', 'sync']],
    ['plugin_metadata', ['dump', 'diff', 'sync']],
  ] as const)('%s', async ([path, commands], test) => {
    const lab = await openLab(test);
    await lab.given(stocked);
    lab.shell.write('kept.yaml', 'what was there');
    lab.emulator.setFaults({ failRate: 1, failStatus: 500, methods: ['GET'], path });
    lab.resetCounts();
    for (const command of commands) {
      const { status, stderr } = await lab.adc(
        command,
        '--pool-retries',
        '0',
        ...(command === 'dump' ? ['-o', 'kept.yaml'] : []),
      );
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`GET http://\\S+/apisix/admin/${path}, responded with status 500`));
    }
    expect(lab.writes()).toBe(0);
    expect(lab.shell.read('kept.yaml')).toBe('what was there');
  });
});

describe.concurrent('what a gateway stores and a file cannot hold', () => {
  it('is named by a dump, and left alone by a sync of that dump', async (test) => {
    const lab = await openLab(test);
    await lab.given(stocked);
    const upstream = { type: 'roundrobin', nodes: { '10.0.0.9:80': 1 } };
    await lab.admin('PUT', 'routes/lone', { uri: '/lone', upstream });
    await lab.admin('PUT', 'stream_routes/lone', { server_port: 9100, upstream });
    const dump = await lab.adc('dump', '-o', 'dump.yaml');
    expect(dump.status).toBe(0);
    expect(dump.stderr).toContain('routes outside services (1), stream routes outside services (1)');
    expect((await lab.adc('dump', '-o', '-', '--verbose', '2')).stderr).toContain('route "lone" is not managed');
    lab.resetCounts();
    expect((await lab.adc('sync', '-f', 'dump.yaml')).status).toBe(0);
    expect(lab.writes()).toBe(0);
    expect((await lab.admin('GET', 'routes/lone'))['value']).toMatchObject({ uri: '/lone', upstream });
  });

  it('may be a reference to something that is gone: it is dumped as it is', async (test) => {
    const lab = await openLab(test);
    await lab.given({ ...stocked, plugin_configs: [{ id: 'common', name: 'common', plugins: { gzip: {} } }] });
    const [service] = (await lab.admin('GET', 'services'))['list'] as readonly { value: { id: string } }[];
    await lab.admin('PUT', 'routes/dangling', {
      uri: '/dangling',
      service_id: service?.value.id ?? '',
      plugin_config_id: 'common',
    });
    await lab.admin('DELETE', 'plugin_configs/common?force=true');
    expect(await lab.adc('dump', '-o', 'dump.yaml')).toMatchObject({ status: 0 });
    expect(lab.shell.read('dump.yaml')).toContain('plugin_config_id: common');
    expect(await lab.adc('lint', '-f', 'dump.yaml')).toMatchObject({ status: 0 });
    expect(await lab.adc('diff', '-f', 'dump.yaml', '--exit-code', '--no-managed-by-label')).toMatchObject({
      status: 0,
    });
  });
});

it.concurrent('a variable that is not set is never sent as an empty text', async (test) => {
  const lab = await openLab(test);
  lab.shell.write('adc.yaml', `services:\n  - name: shop\n    hosts:\n      - "\${SHOP_HOST}"\n`);
  for (const command of ['lint', 'diff', 'sync', 'validate']) {
    const { status, stderr } = await lab.adc(command);
    expect(status).toBe(1);
    expect(stderr).toMatch(/adc\.yaml:4:9: the variable "SHOP_HOST" is not set/);
  }
  expect(lab.emulator.requests.total).toBe(0);
});
