import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApisix } from '../../src/backend/apisix/backend.js';
import { createMemory } from '../../src/memory/store.js';
import { AdcError, GatewayError } from '../../src/model/errors.js';
import type { State } from '../../src/model/resource.js';
import { configurationOf, startBench, startOddity, type Bench } from './gateway.js';

const nodes = [{ host: '10.0.0.1', port: 80, weight: 1 }];
const emptyList = JSON.stringify({ list: [], total: 0 });

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw new Error('no gateway error', { cause: error });
  return error;
}

describe('an answer that is not understood', () => {
  const answers = [
    ['HTML', 200, '<html>welcome</html>', 'not_admin_api'],
    ['truncated JSON', 200, '{"list": [{"key"', 'not_admin_api'],
    ['nothing', 200, '', 'not_admin_api'],
    ['a list where an object belongs', 200, '[]', 'not_admin_api'],
    ['null', 200, 'null', 'not_admin_api'],
    ['no list', 200, '{"total": 0}', 'not_admin_api'],
    ['a list that is none', 200, '{"list": "x"}', 'not_admin_api'],
    ['an entry without a value', 200, '{"list": [{"key": "/apisix/routes/1"}]}', 'not_admin_api'],
    ['the older shape', 200, '{"node": {"nodes": []}, "count": 0}', 'not_admin_api'],
    ['no content', 204, '', 'not_admin_api'],
    ['a redirect', 302, '', 'not_admin_api'],
    ['HTML that it is not found', 404, '<html>404</html>', 'not_admin_api'],
    ['a wrong key', 401, '{"error_msg":"failed to check token","description":"wrong apikey"}', 'unauthorized'],
    ['a forbidden address', 403, '<html>403 Forbidden</html>', 'refused'],
    ['a failure', 500, '{"error_msg":"etcd is down"}', 'refused'],
  ] as const;

  it.each(answers)(
    '%s is an error with method, URL and status, and never "there is none"',
    async (_, status, body, code) => {
      const server = await startOddity((_request, response) => void response.writeHead(status).end(body));
      try {
        const { pools } = server;
        const backend = createApisix()({
          endpoints: [{ server: server.url, token: 'planted-token' }],
          pools,
          memory: createMemory(),
          deadline: Date.now() + 3_000,
        });
        const error = await failureOf(backend.read());
        expect(error.code).toBe(code);
        expect(error.failure).toMatchObject({ method: 'GET', status });
        expect(error.message).toMatch(
          /^GET http:\/\/127\.0\.0\.1:\d+\/apisix\/admin\/\w+, responded with status \d{3}/,
        );
        expect(error.message).not.toContain('planted-token');
        backend.close();
      } finally {
        await server.close();
      }
    },
  );

  it('carries the gateway’s own words', async () => {
    const server = await startOddity(
      (_request, response) => void response.writeHead(400, 'Bad Request').end('{"error_msg":"no way"}'),
    );
    const backend = server.open();
    const { message } = await failureOf(backend.read());
    expect(message).toMatch(/, responded with status 400 Bad Request, error_msg: no way$/);
    await server.close();
  });

  it.each([500, 403, 200])('to one list of credentials (%i) fails the whole read', async (status) => {
    const server = await startOddity((request, response) => {
      response.setHeader('Server', 'APISIX/3.13.0');
      if (request.url === '/apisix/admin/consumers') {
        response.end(
          JSON.stringify({ list: [{ key: '/apisix/consumers/ann', value: { username: 'ann' } }], total: 1 }),
        );
      } else if (request.url?.includes('/credentials') === true) response.writeHead(status).end('{}');
      else response.end(emptyList);
    });
    const backend = server.open({ deadline: Date.now() + 3_000 });
    const error = await failureOf(backend.read());
    expect(error.failure.url).toContain('/consumers/ann/credentials');
    // A caller that has no use for credentials does not ask for them.
    expect((await server.open().read(new Set(['consumer_credential']))).state.resources.size).toBe(1);
    await server.close();
  });
});

describe('stream mode that is switched off', () => {
  it.each(['3.2.2', '3.18.0'])(
    'means that there are no stream routes (%s), and writing one says why not',
    async (version) => {
      const bench = await startBench({ gatewayVersion: version, streamMode: false });
      try {
        const backend = bench.open();
        expect((await backend.read()).state.resources.size).toBe(0);
        backend.close();
        const service = { name: 's', upstream: { nodes }, stream_routes: [{ name: 't', server_port: 9100 }] };
        const { failed } = await bench.sync({ services: [service] });
        expect(failed).toHaveLength(1);
        expect(failed[0]).toContain(version === '3.2.2' ? 'versions below 3.7.0' : 'stream mode is disabled');
      } finally {
        await bench.close();
      }
    },
  );

  it.each([
    [400, '{"error_msg":"something else"}'],
    [500, '{"error_msg":"stream mode is disabled"}'],
  ])('is no excuse for another refusal: %i %s', async (status, body) => {
    const server = await startOddity((request, response) => {
      if (request.url === '/apisix/admin/stream_routes') response.writeHead(status).end(body);
      else response.end(emptyList);
    });
    const error = await failureOf(server.open({ deadline: Date.now() + 3_000 }).read());
    expect(error.failure).toMatchObject({ status });
    await server.close();
  });
});

/** The configuration of the only credential of a state. */
function configOf(state: State): unknown {
  const credential = [...state.resources.values()].find(({ kind }) => kind === 'consumer_credential');
  return credential?.body['config'];
}

describe('requests of a read', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench({ workers: 3 });
  });
  afterEach(() => bench.emulator.reset());
  afterAll(() => bench.close());

  const document = {
    services: [{ name: 'shop', upstream: { nodes }, routes: [{ name: 'r', uris: ['/r'] }] }],
    consumers: [
      { username: 'ann', credentials: [{ name: 'a', type: 'key-auth', config: { key: 'ann-key' } }] },
      { username: 'bob' },
    ],
    global_rules: { cors: {} },
  };

  it('ask for each list once, without pages', async () => {
    await bench.sync(document);
    const before = bench.exchanges.length;
    const backend = bench.open();
    await backend.read();
    backend.close();
    const paths = bench.exchanges
      .slice(before)
      .map(({ url }) => url.replace(`${bench.emulator.url}/apisix/admin/`, ''));
    expect(paths.toSorted()).toEqual([
      'consumer_groups',
      'consumers',
      'consumers/ann/credentials',
      'consumers/bob/credentials',
      'global_rules',
      'plugin_configs',
      'plugin_metadata',
      'routes',
      'services',
      'ssls',
      'stream_routes',
      'upstreams',
    ]);
  });

  it('give the same state while nothing changes, whichever worker answers, and only to the same key', async () => {
    await bench.sync(document);
    const backend = bench.open();
    const states = new Set<State>();
    const earlier = (await backend.read()).state;
    for (let round = 0; round < 8; round += 1) states.add((await backend.read()).state);
    expect([...states]).toEqual([earlier]);
    expect(states.has(earlier)).toBe(true);
    backend.close();
    await bench.sync({ ...document, global_rules: { cors: { max_age: 7 } } });
    const changed = await bench.open().read();
    expect(states.has(changed.state)).toBe(false);
    expect(changed.state.resources.get('global_rule/cors')?.body).toMatchObject({ max_age: 7 });
    // Unchanged lists are not decoded again: their resources' plugin configurations are the same objects.
    expect(configOf(changed.state)).toBe(configOf(earlier));
  });

  it('name what is of kinds that no configuration can hold, where somebody asks', async () => {
    await bench.admin('PUT', '/protos/1', { content: 'syntax = "proto3"; message A { string a = 1; }' });
    await bench.admin('PUT', '/secrets/vault/1', {
      uri: 'http://127.0.0.1:8200',
      prefix: 'kv',
      token: 'planted-token',
    });
    expect((await bench.open().read()).notices).toEqual([]);
    const { notices } = await bench.open({ reportUnmanaged: true }).read();
    expect(notices.map(({ message }) => message)).toEqual([
      'proto "1" is not managed: a configuration has no protos',
      'secret "vault/1" is not managed: a configuration has no secrets',
    ]);
  });

  it('are bounded for credentials too', async () => {
    const consumers = Array.from({ length: 60 }, (_, index) => `user${index}`).map((username) => ({
      key: `/apisix/consumers/${username}`,
      value: { username },
    }));
    let inFlight = 0;
    let most = 0;
    let asked = 0;
    const server = await startOddity((request, response) => {
      response.setHeader('Server', 'APISIX/3.18.0');
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        if (request.url === '/apisix/admin/consumers') response.end(JSON.stringify({ list: consumers, total: 60 }));
        else if (request.url?.endsWith('/credentials') === true) {
          asked += 1;
          response.writeHead(404).end('{"message":"Key not found"}');
        } else response.end(emptyList);
      });
    });
    const backend = server.open({ concurrency: 4 });
    expect((await backend.read()).state.resources.size).toBe(60);
    expect(asked).toBe(60);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    await server.close();
  });
});

describe('a gateway that hides its version', () => {
  it.each(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])('%s is asked for its features once', async (version) => {
    const bench = await startBench({ gatewayVersion: version, serverHeader: false });
    try {
      const older = ['3.2.2', '3.10.0'].includes(version);
      const service = { name: 's', upstream: { nodes }, stream_routes: [{ name: 'my tcp', server_port: 9100 }] };
      const consumer = {
        username: 'ann',
        plugins: { 'key-auth': { key: 'ann-plugin-key' } },
        ...(older
          ? {}
          : { credentials: [{ name: 'a', type: 'basic-auth', config: { username: 'u', password: 'p' } }] }),
      };
      const document = {
        services: version === '3.2.2' ? [] : [service],
        consumers: [consumer],
        consumer_groups: [{ name: 'a group', plugins: {} }],
        plugin_configs: [{ name: 'a config', plugins: { cors: {} } }],
      };
      const { failed } = await bench.sync(document);
      expect(failed).toEqual([]);
      expect(await bench.diff(document)).toEqual([]);
      const probes = bench.exchanges.filter(({ url }) => url.endsWith('/schema/credential'));
      expect(probes).toHaveLength(1);
      const backend = bench.open();
      expect(await backend.ping()).toMatchObject([{ server: bench.emulator.url }]);
      expect((await backend.ping())[0]).not.toHaveProperty('version');
      backend.close();
    } finally {
      await bench.close();
    }
  });
});

describe('consumers that swap what they authenticate with', () => {
  it.each(['3.2.2', '3.13.0', '3.18.0'])('are written on a gateway %s that hides its version', async (version) => {
    const bench = await startBench({ gatewayVersion: version, serverHeader: false });
    try {
      const consumers = (ann: string, bob: string) => ({
        consumers: [
          { username: 'ann', plugins: { 'key-auth': { key: ann } } },
          { username: 'bob', plugins: { 'key-auth': { key: bob } } },
        ],
      });
      expect((await bench.sync(consumers('one', 'two'))).failed).toEqual([]);
      expect((await bench.sync(consumers('two', 'one'))).failed).toEqual([]);
      expect(await bench.diff(consumers('two', 'one'))).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});

describe('what cannot be opened', () => {
  const options = { pools: {} as never, memory: createMemory() };
  const endpoint = { server: 'http://127.0.0.1:9180', token: 't' };

  it.each([
    ['no server', []],
    ['two servers', [endpoint, endpoint]],
    ['a server that is no URL', [{ ...endpoint, server: 'gateway' }]],
    ['another scheme', [{ ...endpoint, server: 'ftp://gateway' }]],
    ['a token with a line break', [{ ...endpoint, token: 'secret\n' }]],
  ])('%s is a usage error that shows no token', (_, endpoints) => {
    const open = (): unknown => createApisix()({ ...options, endpoints });
    expect(open).toThrow(AdcError);
    expect(open).not.toThrow(/secret/);
  });
});

describe('ping', () => {
  it('tells apart a gateway, a wrong key, no Admin API, a refused connection', async () => {
    const bench = await startBench();
    const html = await startOddity((_request, response) => void response.end('<html></html>'));
    const closed = createTcpServer();
    await new Promise<void>((resolve) => void closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => void closed.close(resolve));
    try {
      const ask = async (server: string, token: string): Promise<{ code?: string; version?: string }> => {
        const backend = bench.open({ endpoints: [{ server, token }], deadline: Date.now() + 5_000 });
        const [ping] = await backend.ping();
        backend.close();
        expect(ping?.latency).toBeGreaterThan(0);
        return {
          ...(ping?.error === undefined ? {} : { code: ping.error.code }),
          ...(ping?.version === undefined ? {} : { version: ping.version }),
        };
      };
      expect(await ask(bench.emulator.url, bench.emulator.adminKey)).toEqual({ version: '3.18.0' });
      expect(await ask(bench.emulator.url, 'wrong')).toEqual({ code: 'unauthorized' });
      expect(await ask(html.url, 'any')).toEqual({ code: 'not_admin_api' });
      expect(await ask(`http://127.0.0.1:${port}`, 'any')).toEqual({ code: 'unreachable' });
      expect(await ask(bench.emulator.url.replace('http:', 'https:'), 'any')).toEqual({ code: 'tls_handshake' });
    } finally {
      await html.close();
      await bench.close();
    }
  });
});

describe('what people are shown of requests', () => {
  it('holds neither the token nor a secret of a body or an answer', async () => {
    const bench = await startBench();
    try {
      const planted = 'planted-credential-key';
      const document = {
        consumers: [{ username: 'ann', credentials: [{ name: 'a', type: 'key-auth', config: { key: planted } }] }],
      };
      await bench.sync(document);
      await bench.diff(document);
      const shown = JSON.stringify(bench.exchanges);
      expect(bench.exchanges.length).toBeGreaterThan(20);
      expect(shown).not.toContain(planted);
      expect(shown).not.toContain(bench.emulator.adminKey);
    } finally {
      await bench.close();
    }
  });

  it('masks secrets that a gateway repeats in its refusal', async () => {
    const planted = 'planted-secret-value';
    const server = await startOddity((request, response) => {
      if (request.method === 'PUT') response.writeHead(400).end(JSON.stringify({ error_msg: `bad value ${planted}` }));
      else response.end(emptyList);
    });
    const backend = server.open();
    const reading = await backend.read();
    const { state } = configurationOf({ global_rules: { 'key-auth': { secret: planted } } });
    const [resource] = state.resources.values();
    const { key, kind, id, name } = resource!;
    const [operation] = reading.lower([{ type: 'create', key, kind, id, name, desired: resource! }], state);
    const error = await failureOf(backend.execute(operation!));
    expect(error.message).toContain('error_msg: bad value ***');
    expect(error.message).not.toContain(planted);
    await server.close();
  });
});
