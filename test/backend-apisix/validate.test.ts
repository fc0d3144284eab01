import { describe, expect, it } from 'vitest';
import type { Validation } from '../../src/backend/backend.js';
import { exchangeOf } from './recorded.js';
import { configurationOf, startBench, startOddity, type Bench } from './gateway.js';
import type { JsonObject } from '../../src/model/json.js';
import { resolveConfiguration } from '../../src/pipeline/config/resolve.js';

const nodes = [{ host: '10.0.0.1', port: 80, weight: 1 }];

async function validate(bench: Pick<Bench, 'open'>, document: JsonObject, lint = true): Promise<Validation> {
  const backend = bench.open();
  try {
    const { state } = lint ? configurationOf(document) : resolveConfiguration(document, { lint, managedBy: false });
    return await backend.validate(state);
  } finally {
    backend.close();
  }
}

const depths = { '3.2.2': 'local', '3.10.0': 'per-resource', '3.13.0': 'per-resource', '3.18.0': 'full' } as const;

describe.each(Object.entries(depths))('validation on %s', (version, depth) => {
  const hasCredentials = version === '3.13.0' || version === '3.18.0';
  const good = {
    services: [
      {
        name: 'shop',
        upstream: { nodes },
        upstreams: [{ name: 'canary', nodes }],
        plugins: { 'limit-count': { count: 1, time_window: 60 } },
        routes: [{ name: 'r', uris: ['/r'], plugins: { cors: {} } }],
      },
    ],
    consumers: [
      {
        username: 'ann',
        plugins: { 'basic-auth': { username: 'ann', password: 'p' } },
        ...(hasCredentials ? { credentials: [{ name: 'a', type: 'key-auth', config: { key: 'ann-key' } }] } : {}),
      },
    ],
    consumer_groups: [{ name: 'g', plugins: {} }],
    plugin_configs: [{ name: 'p', plugins: { cors: {} } }],
    global_rules: { cors: {} },
    plugin_metadata: { 'http-logger': { log_format: { host: '$host' } } },
  };

  it(`reaches the depth "${depth}" and finds nothing wrong with what is right, nor writes anything`, async () => {
    const bench = await startBench({ gatewayVersion: version });
    try {
      const { depth: reached, issues, notices } = await validate(bench, good);
      expect(issues).toEqual([]);
      expect(notices).toEqual([]);
      expect(reached).toBe(depth);
      expect(bench.exchanges.filter(({ method }) => method === 'PUT')).toEqual([]);
    } finally {
      await bench.close();
    }
  });

  it('finds everything that is wrong at once, each with its resource', async () => {
    const bench = await startBench({ gatewayVersion: version });
    try {
      const document = {
        services: [
          {
            name: 'shop',
            upstream: { nodes },
            routes: [
              { name: 'fine', uris: ['/fine'] },
              { name: 'plugin', uris: ['/p'], plugins: { 'limit-count': { count: -1, time_window: 1 } } },
              { name: 'unknown', uris: ['/u'], plugins: { nope: {} } },
              { name: 'dangling', uris: ['/d'], plugin_config_id: 'nowhere' },
            ],
          },
        ],
        consumers: [
          { username: 'not.allowed', plugins: { 'key-auth': { key: 'same-key' } } },
          { username: 'bob', plugins: { 'key-auth': { key: 'same-key' } } },
        ],
      };
      const { issues } = await validate(bench, document);
      const found = new Map(issues.map((issue) => [issue.name, issue]));
      expect(new Set(found.keys())).toEqual(new Set(['bob', 'dangling', 'not.allowed', 'plugin', 'unknown']));
      expect(issues).toHaveLength(5);
      expect(found.get('plugin')).toMatchObject({ collection: 'routes', kind: 'route', index: 1 });
      expect(found.get('plugin')?.message).toContain('failed to check the configuration of plugin limit-count');
      expect(found.get('unknown')?.message).toContain('unknown plugin [nope]');
      expect(found.get('dangling')?.message).toContain('plugin_configs/nowhere');
      expect(found.get('bob')?.message).toBe('duplicate key of plugin key-auth: consumer "not.allowed" has the same');
      expect(JSON.stringify(issues)).not.toContain('same-key');
    } finally {
      await bench.close();
    }
  });

  it('asks for references that the configuration leaves to others', async () => {
    const bench = await startBench({ gatewayVersion: version });
    try {
      await bench.admin('PUT', '/plugin_configs/elsewhere', { plugins: { cors: {} } });
      const routes = [{ name: 'r', uris: ['/r'], plugin_config_id: 'elsewhere' }];
      expect((await validate(bench, { services: [{ name: 's', upstream: { nodes }, routes }] })).issues).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});

describe('a validation', () => {
  it('says what a gateway cannot hold at all', async () => {
    const bench = await startBench({ gatewayVersion: '3.2.2' });
    try {
      const service = {
        name: 's',
        path_prefix: '/v1',
        upstream: { nodes },
        stream_routes: [{ name: 't', server_port: 1 }],
      };
      const { issues, notices } = await validate(bench, { services: [service] });
      expect(issues).toMatchObject([{ collection: 'stream_routes', kind: 'stream_route', name: 't' }]);
      expect(notices).toMatchObject([{ level: 'warning', key: expect.stringContaining('service/') }]);
    } finally {
      await bench.close();
    }
  });

  it('is split so that no request is over the limit of gateways, and maps each answer back', async () => {
    const bench = await startBench();
    try {
      const text = 'x'.repeat(60_000);
      const routes = Array.from({ length: 60 }, (_, index) => ({
        name: `r${index}`,
        uris: [`/${index}`],
        plugins: index === 55 ? { cors: { max_age: 'no' } } : { mocking: { response_example: text } },
      }));
      const { depth, issues } = await validate(bench, { services: [{ name: 's', upstream: { nodes }, routes }] });
      expect(depth).toBe('full');
      const wrong = issues.filter(({ message }) => !message.includes('mocking'));
      expect(wrong).toMatchObject([{ name: 'r55', collection: 'routes', index: 55 }]);
      const posts = bench.exchanges.filter(({ url }) => url.endsWith('/configs/validate'));
      expect(posts.length).toBeGreaterThan(2);
      expect(posts.every(({ status }) => status === 200 || status === 400)).toBe(true);
    } finally {
      await bench.close();
    }
  });

  it('blames a resource that is too large by itself', async () => {
    const bench = await startBench();
    try {
      const document = {
        global_rules: { cors: {}, 'ip-restriction': { whitelist: ['10.0.0.1'], message: 'x'.repeat(1_600_000) } },
      };
      const { issues } = await validate(bench, document);
      expect(issues).toMatchObject([
        { name: 'ip-restriction', message: expect.stringContaining('greater than the maximum size') },
      ]);
    } finally {
      await bench.close();
    }
  });

  it.each([
    ['configs/validate', 'per-resource'],
    ['validate', 'local'],
  ])('goes one step less deep where the gateway lacks what its version promises: %s', async (missing, depth) => {
    const bench = await startBench();
    const server = await startOddity((request, response) => {
      if (request.url?.includes(missing) === true) {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error_msg":"not found"}');
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = 'GET', url = '' } = request;
        const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
        const headers = { 'x-api-key': bench.emulator.adminKey };
        void fetch(`${bench.emulator.url}${url}`, { method, headers, ...body }).then(async (answer) => {
          const text = await answer.text();
          return response.writeHead(answer.status, { server: answer.headers.get('server') ?? '' }).end(text);
        });
      });
    });
    try {
      const wrong = { name: 'r', uris: ['/r'], plugins: { cors: { max_age: 'no' } } };
      const { depth: reached, issues } = await validate(server, {
        services: [{ name: 's', upstream: { nodes }, routes: [wrong] }],
      });
      expect(reached).toBe(depth);
      expect(issues).toMatchObject([{ name: 'r', kind: 'route' }]);
    } finally {
      await server.close();
      await bench.close();
    }
  });

  it('reads the answer that a real gateway gave', async () => {
    const server = await startOddity((request, response) => {
      response.setHeader('Server', 'APISIX/3.18.0');
      if (request.method === 'POST') {
        const recorded = exchangeOf('3.18.0', 'configs/validate: bad').response;
        response.writeHead(recorded.status).end(JSON.stringify(recorded.json));
      } else response.end('{"list":[],"total":0}');
    });
    try {
      const routes = ['one', 'two'].map((name) => ({ name, uris: ['/'] }));
      const { issues } = await validate(server, { services: [{ name: 's', upstream: { nodes }, routes }] });
      expect(issues.map(({ name, kind, index }) => [name, kind, index])).toEqual([
        ['one', 'route', 0],
        ['two', 'route', 1],
        ['s', 'service', 0],
      ]);
    } finally {
      await server.close();
    }
  });
});
