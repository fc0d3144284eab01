import { describe, expect, test } from 'vitest';
import { fixture, start, upstream } from '../../../test/fidelity/client.js';

const cert = fixture('pem/cert-1.pem');
const key = fixture('pem/key-1.pem');

describe('roles', () => {
  test('a viewer reads and does not write', async () => {
    await using running = await start({ viewerKey: 'only-looking' });
    const { call } = running;
    await call('PUT', '/routes/r', { uri: '/', upstream });
    expect((await call('GET', '/routes', undefined, 'only-looking')).body.total).toBe(1);
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      const refused = await call(method, '/routes/r', { uri: '/x', upstream }, 'only-looking');
      expect([refused.status, refused.body.description]).toEqual([401, 'invalid method for role viewer']);
    }
    expect((await call('GET', '/routes/r')).body.value?.['uri']).toBe('/');
  });

  test('the key may stand in the query', async () => {
    await using running = await start();
    const { url, adminKey } = running.emulator;
    expect((await fetch(`${url}/apisix/admin/routes?api_key=${adminKey}`)).status).toBe(200);
    expect((await fetch(`${url}/apisix/admin/routes?api_key=x`)).status).toBe(401);
  });
});

describe('methods', () => {
  test('a kind refuses what it does not take', async () => {
    await using running = await start();
    const { call } = running;
    const refused = await Promise.all([
      call('POST', '/consumers', { username: 'a' }),
      call('PATCH', '/consumers/a', {}),
      call('POST', '/global_rules', { plugins: {} }),
      call('POST', '/secrets/vault', {}),
      call('PATCH', '/plugin_metadata/http-logger', {}),
    ]);
    expect(refused.map(({ status, body }) => [status, body.error_msg])).toEqual([
      [405, 'not supported `POST` method for consumer'],
      [405, 'not supported `PATCH` method for consumer'],
      [405, 'not supported `POST` method for global rule'],
      [405, 'not supported `POST` method for secret'],
      [405, 'not supported `PATCH` method for plugin_metadata'],
    ]);
    expect((await call('DELETE', '/routes')).status).toBe(400);
    expect((await call('POST', '/routes/r', { uri: '/', upstream })).body.error_msg).toBe(
      'wrong route id, do not need it',
    );
    expect((await call('OPTIONS', '/routes')).headers.get('content-type')).toContain('text/html');
  });

  test('a patch merges, removes what is null, and reaches into a field', async () => {
    await using running = await start();
    const { call } = running;
    await call('PUT', '/routes/r', {
      uri: '/',
      upstream,
      desc: 'd',
      labels: { a: '1', b: '2' },
      plugins: { cors: {} },
    });
    const merged = await call('PATCH', '/routes/r', { desc: null, labels: { b: '3' } });
    expect(merged.status).toBe(200);
    expect(merged.body.value).toMatchObject({ labels: { a: '1', b: '3' } });
    expect(merged.body.value).not.toHaveProperty('desc');
    const inner = await call('PATCH', '/routes/r/plugins', { 'proxy-rewrite': { uri: '/x' } });
    expect(inner.body.value?.['plugins']).toEqual({ 'proxy-rewrite': { uri: '/x' } });
    expect((await call('PATCH', '/routes/r', { uri: 7 })).status).toBe(400);
    expect((await call('PATCH', '/routes/none', { uri: '/' })).body.message).toBe('Key not found');
  });

  test('a post makes an id', async () => {
    await using running = await start();
    const { call } = running;
    const made = await call('POST', '/upstreams', upstream);
    expect(made.status).toBe(201);
    const id = String(made.body.value?.['id']);
    expect(id).toMatch(/^\d{20}$/);
    expect((await call('GET', `/upstreams/${id}`)).status).toBe(200);
  });
});

describe('references and use', () => {
  test('an upstream that a plugin splits traffic to is in use', async () => {
    await using running = await start();
    const { call } = running;
    await call('PUT', '/upstreams/u', upstream);
    const rules = [{ weighted_upstreams: [{ upstream_id: 'u', weight: 1 }, { weight: 1 }] }];
    expect((await call('PUT', '/plugin_configs/p', { plugins: { 'traffic-split': { rules } } })).status).toBe(201);
    const refused = await call('DELETE', '/upstreams/u');
    expect([refused.status, refused.body.error_msg]).toEqual([
      400,
      'can not delete this upstream, plugin in plugin_config [p] is still using it now',
    ]);
    await call('DELETE', '/plugin_configs/p');
    expect((await call('DELETE', '/upstreams/u')).status).toBe(200);
  });

  test('a proto that is transcoded with is in use, a service with stream routes too', async () => {
    await using running = await start();
    const { call } = running;
    await call('PUT', '/protos/1', { content: 'syntax = "proto3";' });
    await call('PUT', '/services/s', {
      upstream,
      plugins: { 'grpc-transcode': { proto_id: '1', service: 'a.B', method: 'C' } },
    });
    await call('PUT', '/stream_routes/t', { server_port: 9100, service_id: 's' });
    expect((await call('DELETE', '/protos/1')).body.error_msg).toBe(
      'can not delete this proto, service [s] is still using it now',
    );
    expect((await call('DELETE', '/services/s')).body.error_msg).toBe(
      'can not delete this service directly, stream_route [t] is still using it now',
    );
  });

  test('force deletes what is in use, but not on the oldest gateways', async () => {
    for (const [gatewayVersion, status] of [
      ['3.18.0', 200],
      ['3.2.2', 400],
    ] as const) {
      await using running = await start({ gatewayVersion });
      const { call } = running;
      await call('PUT', '/services/s', { upstream });
      await call('PUT', '/routes/r', { uri: '/', service_id: 's' });
      expect((await call('DELETE', '/services/s?force=true')).status).toBe(status);
    }
  });

  test('an upstream takes a client certificate by id, of the right type only', async () => {
    await using running = await start();
    const { call } = running;
    await call('PUT', '/ssls/server', { snis: ['a.example.com'], cert, key });
    await call('PUT', '/ssls/client', { type: 'client', cert, key });
    const put = (id: string) =>
      call('PUT', '/upstreams/u', { ...upstream, scheme: 'https', tls: { client_cert_id: id } });
    expect((await put('none')).body.error_msg).toBe('failed to fetch ssl info by ssl id [none], response code: 404');
    expect((await put('server')).body.error_msg).toBe('failed to fetch ssl info by ssl id [server], wrong ssl type');
    expect((await put('client')).status).toBe(201);
  });

  test('a rule may keep its own plugin', async () => {
    await using running = await start();
    const { call } = running;
    expect((await call('PUT', '/global_rules/a', { plugins: { cors: {} } })).status).toBe(201);
    expect((await call('PUT', '/global_rules/a', { plugins: { cors: {}, prometheus: {} } })).status).toBe(200);
    expect((await call('PUT', '/global_rules/b', { plugins: { prometheus: {} } })).status).toBe(400);
  });
});

describe('lists', () => {
  test('filters by name, label and reference; a gateway before 3.13 ignores the last', async () => {
    await using running = await start();
    await using older = await start({ gatewayVersion: '3.10.0' });
    for (const { call } of [running, older]) {
      await call('PUT', '/services/s', { name: 'one', upstream });
      await call('PUT', '/routes/a', { name: 'alpha', uri: '/a', service_id: 's', labels: { team: 'x' } });
      await call('PUT', '/routes/b', { name: 'beta', uri: '/b', upstream });
      const ids = async (query: string) =>
        (await call('GET', `/routes?${query}`)).body.list?.map(({ value }) => value['id']);
      expect(await ids('name=alph')).toEqual(['a']);
      expect(await ids('label=team')).toEqual(['a']);
      expect(await ids('uri=%2Fb')).toEqual(['b']);
      expect(await ids('filter=service_id%3Ds')).toEqual(call === running.call ? ['a'] : ['a', 'b']);
    }
  });

  test('a list of secrets may be that of one manager', async () => {
    await using running = await start();
    const { call } = running;
    const vault = { uri: 'http://127.0.0.1:8200', prefix: 'kv', token: 't' };
    expect((await call('PUT', '/secrets/vault/1', vault)).status).toBe(201);
    expect((await call('PUT', '/secrets/aws/1', { access_key_id: 'a', secret_access_key: 'b' })).status).toBe(201);
    expect((await call('GET', '/secrets')).body.total).toBe(2);
    expect((await call('GET', '/secrets/aws')).body.list?.[0]?.value['id']).toBe('aws/1');
    expect((await call('PUT', '/secrets/vault/2', { prefix: 'kv' })).body.error_msg).toBe(
      'invalid configuration: property "uri" is required',
    );
    expect((await call('PUT', '/secrets/mine/1', {})).body.error_msg).toBe('invalid secret manager: mine');
  });
});

describe('stream mode off', () => {
  test.each([
    ['3.18.0', 400],
    ['3.2.2', 403],
  ])('%s answers %i', async (gatewayVersion, status) => {
    await using running = await start({ gatewayVersion, streamMode: false });
    for (const [method, path] of [
      ['GET', '/stream_routes'],
      ['PUT', '/stream_routes/t'],
    ] as const) {
      const refused = await running.call(method, path, method === 'PUT' ? { server_port: 1, upstream } : undefined);
      expect([refused.status, refused.body.error_msg]).toEqual([
        status,
        'stream mode is disabled, can not add stream routes',
      ]);
    }
  });
});

describe('what is hidden', () => {
  test('a client key is ciphertext on every read, inline too, and is not encrypted twice', async () => {
    await using running = await start();
    const { call } = running;
    const tls = { client_cert: cert, client_key: key };
    await call('PUT', '/services/s', { upstream: { ...upstream, scheme: 'https', tls } });
    const read = await call('GET', '/services/s');
    expect(read.text).not.toContain('PRIVATE KEY');
    const shown = read.body.value?.['upstream'] as { tls: { client_key: string } };
    expect(shown.tls.client_key).toMatch(/^[A-Za-z0-9+/=]+$/);
    await call('PUT', '/services/s', { upstream: shown });
    expect((await call('GET', '/services/s')).body.value?.['upstream']).toEqual(shown);
  });

  test('no answer of any version holds a private key in plain text', async () => {
    for (const gatewayVersion of ['3.2.2', '3.18.0']) {
      await using running = await start({ gatewayVersion });
      const { call } = running;
      const answers = [
        await call('PUT', '/ssls/x', { snis: ['a.example.com'], cert, key, certs: [cert], keys: [key] }),
        await call('GET', '/ssls/x'),
        await call('GET', '/ssls'),
        await call('PATCH', '/ssls/x', { labels: { a: 'b' } }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200]);
      expect(answers.filter(({ text }) => text.includes('PRIVATE KEY'))).toEqual([]);
    }
  });

  test('what is no certificate and no key is refused', async () => {
    await using running = await start();
    const put = (pair: object) => running.call('PUT', '/ssls/x', { snis: ['a.example.com'], ...pair });
    const broken = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(200)}\n-----END CERTIFICATE-----`;
    expect((await put({ cert: broken, key })).body.error_msg).toContain('failed to parse cert');
    expect((await put({ cert, key: broken })).body.error_msg).toContain('failed to parse key');
    expect((await put({ cert, key, certs: [cert], keys: [] })).body.error_msg).toBe(
      'mismatched number of certs and keys',
    );
  });
});

describe('plugins', () => {
  test('settings that are no object, and plugins of the other subsystem, are refused', async () => {
    await using running = await start();
    const { call } = running;
    expect((await call('PUT', '/routes/r', { uri: '/', upstream, plugins: { cors: 'yes' } })).body.error_msg).toBe(
      'invalid plugin conf "yes" for plugin [cors]',
    );
    const stream = (plugins: object) => call('PUT', '/stream_routes/t', { server_port: 1, upstream, plugins });
    expect((await stream({ 'key-auth': {} })).body.error_msg).toBe('unknown plugin [key-auth]');
    expect((await stream({ 'mqtt-proxy': { protocol_level: 4 } })).status).toBe(201);
  });

  test('defaults come from the branch that applies', async () => {
    await using running = await start({ gatewayVersion: '3.13.0' });
    const stored = await running.call('PUT', '/routes/r', {
      uri: '/',
      upstream,
      plugins: { 'limit-count': { count: 1, time_window: 1, policy: 'redis', redis_host: '127.0.0.1' } },
    });
    expect(stored.body.value?.['plugins']).toEqual({
      'limit-count': {
        count: 1,
        time_window: 1,
        policy: 'redis',
        redis_host: '127.0.0.1',
        redis_port: 6379,
        redis_database: 0,
        redis_timeout: 1000,
        redis_ssl: false,
        redis_ssl_verify: false,
        key: 'remote_addr',
        key_type: 'var',
        rejected_code: 503,
        allow_degradation: false,
        show_limit_quota_header: true,
      },
    });
    const refused = await running.call('PUT', '/routes/r', {
      uri: '/',
      upstream,
      plugins: { 'limit-count': { count: 1, time_window: 1, policy: 'redis' } },
    });
    expect(refused.body.error_msg).toContain('then clause did not match');
  });

  test('an old gateway asks a consumer for an authentication plugin', async () => {
    await using running = await start({ gatewayVersion: '3.10.0' });
    const refused = await running.call('PUT', '/consumers/a', { username: 'a', plugins: { cors: {} } });
    expect([refused.status, refused.body.error_msg]).toEqual([400, 'require one auth plugin']);
  });

  test('a credential takes authentication plugins only', async () => {
    await using running = await start();
    await running.call('PUT', '/consumers/a', { username: 'a' });
    const refused = await running.call('PUT', '/consumers/a/credentials/c', { plugins: { cors: {} } });
    expect(refused.body.error_msg).toBe('only supports auth type plugins in consumer credential');
  });
});

test('the validation of one object looks at its schema, and no further', async () => {
  await using running = await start({ gatewayVersion: '3.13.0' });
  const { call } = running;
  const validate = (kind: string, conf: object) => call('POST', `/schema/validate/${kind}`, conf);
  const plugins = { nope: {} };
  expect((await validate('routes', { uri: '/', service_id: 'none', plugins })).status).toBe(200);
  expect((await validate('services', { nope: 1 })).body.error_msg).toBe('additional properties forbidden, found nope');
  expect((await validate('nonsense', {})).status).toBe(404);
  expect((await call('GET', '/services')).body.total).toBe(0);
});

describe('validation of a whole configuration', () => {
  test('reports every error and every id that stands twice', async () => {
    await using running = await start();
    const answer = await running.call('POST', '/configs/validate', {
      routes: [
        { id: 'a', uri: '/', upstream },
        { id: 'a', uri: '/', upstream },
        { id: 'b', uri: '/', upstream, plugins: { nope: {} } },
      ],
      consumers: [{ username: 'x' }, { id: 'x/credentials/c', plugins: { 'key-auth': {} } }],
      nonsense: [1],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map(({ resource_type: type, index }) => [type, index])).toEqual([
      ['routes', 1],
      ['routes', 2],
      ['consumers', 1],
    ]);
  });
});

test('a value nested too deep ends its own request only', async () => {
  await using running = await start();
  const deep = `{"uri":"/","upstream_id":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  expect((await running.call('PUT', '/routes/r', deep)).status).toBeGreaterThanOrEqual(400);
  expect((await running.call('GET', '/routes')).body.total).toBe(0);
});

test('the Server header can be left out', async () => {
  await using hidden = await start({ serverHeader: false });
  await using shown = await start({ gatewayVersion: '3.14.1' });
  expect((await hidden.call('GET', '/routes')).headers.get('server')).toBeNull();
  // A version between two that were measured keeps its own name.
  expect((await shown.call('GET', '/routes')).headers.get('server')).toBe('APISIX/3.14.1');
  expect((await shown.call('PUT', '/upstreams/u', upstream)).body.value).toHaveProperty('scheme', 'http');
});
