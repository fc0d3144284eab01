import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { logLevels } from '../../src/server/options.js';
import { clientCertificate, fixture, put, send, startTestServer, task, type Reply } from './support.js';

/** Every secret begins with this; keys are found by a line from their middle. */
const planted = 'planted-';
const keyLines = ['client.key', 'server.key'].map((name) => fixture(name).split('\n')[1] ?? '');

const config = {
  services: [
    {
      name: 's',
      upstream: {
        nodes: [{ host: '127.0.0.1', port: 1, weight: 1 }],
        scheme: 'https',
        tls: { client_cert: clientCertificate(0), client_key: fixture('client.key') },
      },
      plugins: {
        'openid-connect': {
          client_id: 'id',
          client_secret: `${planted}client-secret`,
          discovery: 'https://d/',
          session: { secret: `${planted}session-secret` },
        },
      },
      routes: [
        {
          name: 'r',
          uris: ['/r'],
          plugins: { 'proxy-rewrite': { headers: { set: { Authorization: `Bearer ${planted}header-token` } } } },
        },
      ],
    },
  ],
  ssls: [{ snis: ['localhost'], certificates: [{ certificate: fixture('server.pem'), key: fixture('server.key') }] }],
  consumers: [
    {
      username: 'ann',
      plugins: { 'basic-auth': { username: 'ann', password: `${planted}password` } },
      credentials: [
        { name: 'k', type: 'key-auth', config: { key: `${planted}api-key` } },
        { name: 'j', type: 'jwt-auth', config: { key: 'ann', secret: `${planted}jwt-secret` } },
      ],
    },
  ],
  global_rules: { 'key-auth': { header: 'X', _meta: {} } },
  plugin_metadata: {
    'error-log-logger': {
      clickhouse: {
        user: 'u',
        password: `${planted}clickhouse`,
        database: 'd',
        logtable: 't',
        endpoint_addr: 'http://c',
      },
    },
  },
};

const opts = {
  token: `${planted}admin-key`,
  tlsClientCert: clientCertificate(0),
  tlsClientKey: fixture('client.key'),
};

/** A gateway that repeats all it hears, headers included. */
let echo: HttpServer;
let echoUrl = '';
let gateway: Emulator;
beforeAll(async () => {
  gateway = await startEmulator({ adminKey: `${planted}admin-key` });
  echo = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const isList = request.method === 'GET' && !request.url?.includes('schema');
      const heard = `${JSON.stringify(request.headers)} ${body}`;
      response.writeHead(isList ? 200 : 400, { 'content-type': 'application/json', server: 'APISIX/3.18.0' });
      response.end(JSON.stringify(isList ? { total: 0, list: [] } : { error_msg: `no: ${heard}` }));
    });
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  echoUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
});
afterAll(async () => {
  echo.closeAllConnections();
  echo.close();
  await gateway.close();
});

function leaks(text: string): string[] {
  return [...(text.match(/planted-[a-z-]+/g) ?? []), ...keyLines.filter((line) => text.includes(line))];
}

it.concurrent.each(logLevels)('never says a secret, in the log at level %s or in an answer', async (logLevel) => {
  const server = await startTestServer({ logLevel });
  const replies: Reply[] = [];
  const keep = (reply: Reply): void => void replies.push(reply);
  const job = (url: string, document: unknown = config, more: Record<string, unknown> = {}): unknown =>
    task(url, opts.token, document, { ...opts, ...more });
  const headers = { authorization: `Bearer ${planted}bearer`, cookie: `${planted}cookie` };

  for (const path of ['/sync', '/validate', '/diff']) {
    // Taken, refused by a gateway that repeats everything, unreachable, not allowed in.
    keep(await put(server.url, path, job(gateway.url), { headers }));
    keep(await put(server.url, path, job(echoUrl), { headers }));
    keep(await put(server.url, path, job(echoUrl, config, { lint: false }), { headers }));
    keep(await put(server.url, path, job('http://127.0.0.1:9')));
    keep(await put(server.url, path, job(gateway.url, config, { token: `${planted}wrong-key` })));
    // Against the schema, against the shape, against JSON.
    keep(
      await put(
        server.url,
        path,
        job(gateway.url, { ...config, [`${planted}collection`.slice(8)]: `${planted}value` }),
      ),
    );
    keep(
      await put(
        server.url,
        path,
        job(gateway.url, { consumers: [{ username: [`${planted}username`], credentials: `${planted}list` }] }),
      ),
    );
    keep(
      await put(
        server.url,
        path,
        job(gateway.url, { ssls: [{ snis: ['a'], certificates: [{ certificate: 'x', key: `${planted}key` }] }] }),
      ),
    );
    keep(
      await put(
        server.url,
        path,
        job(gateway.url, config, { backend: `${planted}backend`, timeout: `${planted}timeout` }),
      ),
    );
    keep(await put(server.url, path, job(`http://u:${planted}url-password@127.0.0.1:9`)));
    keep(
      await put(server.url, path, job(gateway.url, config, { tlsClientKey: `${planted}pem`, caCert: `${planted}pem` })),
    );
    const text = JSON.stringify(job(gateway.url));
    for (const end of [20, 100, text.indexOf('admin-key') + 3, text.indexOf('api-key') + 2, text.length - 1]) {
      keep(await send('PUT', server.url, path, { body: text.slice(0, end) }));
      keep(await send('PUT', server.url, path, { body: `${text.slice(0, end)}"}}` }));
    }
  }
  keep(
    await put(server.url, '/dump', {
      task: { opts: { ...opts, backend: 'apisix', server: 'http://127.0.0.1:9', cacheKey: 'k' } },
    }),
  );
  keep(await send('GET', server.statusUrl, '/metrics'));
  keep(await send('GET', server.statusUrl, '/debug/pools'));
  await server.close();

  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 202, 400, 500]));
  for (const { text } of replies) expect(leaks(text)).toEqual([]);
  expect(leaks(server.lines.join(''))).toEqual([]);
  if (logLevel === 'silent') expect(server.lines).toEqual([]);
  else if (['trace', 'debug', 'info'].includes(logLevel)) {
    const jobs = server.lines.map((line) => JSON.parse(line)).filter(({ operation }) => operation !== undefined);
    expect(jobs).toHaveLength(replies.length - 2);
    expect(jobs[0]).toMatchObject({
      level: expect.any(String),
      timestamp: expect.any(String),
      requestId: expect.any(String),
      message: expect.any(String),
      operation: 'sync',
      backend: 'apisix',
      tookMs: expect.any(Number),
      waitedMs: expect.any(Number),
    });
  }
});

it('never says a secret of a standalone document that an instance refuses and repeats', async () => {
  const heard: string[] = [];
  const instance = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const isWrite = request.method === 'PUT' || request.method === 'POST';
      if (isWrite) heard.push(body);
      response.writeHead(isWrite ? 400 : 200, { 'content-type': 'application/json', server: 'APISIX/3.18.0' });
      const refusal = { error_msg: `no: ${JSON.stringify(request.headers)} ${body}` };
      response.end(JSON.stringify(isWrite ? refusal : { routes_conf_version: 0 }));
    });
  });
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(instance.address() as AddressInfo).port}`;
  const server = await startTestServer({ logLevel: 'trace' });
  const more = { ...opts, backend: 'apisix-standalone', server: [url, 'http://127.0.0.1:9'] };
  const replies: Reply[] = [];
  for (const path of ['/sync', '/diff', '/validate']) {
    replies.push(await put(server.url, path, task(url, opts.token, config, more)));
  }
  replies.push(await send('GET', server.statusUrl, '/metrics'));
  await server.close();
  instance.closeAllConnections();
  instance.close();

  expect(heard.some((body) => leaks(body).length > 0)).toBe(true);
  expect(replies[0]?.json).toMatchObject({ success_count: 0, status: expect.stringContaining('failure') as string });
  for (const { text } of replies) expect(leaks(text)).toEqual([]);
  expect(leaks(server.lines.join(''))).toEqual([]);
});
