import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProxy } from '../../src/pool/proxy.js';
import { bundlePools, makePools, pem, poolReport, rejection, run, serve, text, until } from './support.js';

const ca = pem('ca.pem');
const get = { method: 'GET', path: '/x?y=1' } as const;

/** A proxy on loopback: CONNECT and absolute-form; tells what it was asked. */
async function serveProxy(
  options: { readonly password?: string; readonly tls?: boolean; readonly status?: number } = {},
) {
  const asked: string[] = [];
  const allowed = (request: http.IncomingMessage): boolean =>
    options.password === undefined ||
    request.headers['proxy-authorization'] === `Basic ${Buffer.from(`user:${options.password}`).toString('base64')}`;
  const handle: http.RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (!allowed(request)) {
      response.writeHead(407).end('proxy login');
      return;
    }
    const { 'proxy-authorization': _login, ...headers } = request.headers;
    const onward = http.request(request.url ?? '', { method: request.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  };
  const server = options.tls
    ? https.createServer({ key: pem('server.key'), cert: pem('server.pem') }, handle)
    : http.createServer(handle);
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (!allowed(request) || options.status !== undefined) {
      socket.end(`HTTP/1.1 ${options.status ?? 407} Proxy Says No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward])
      end.on('error', () => {}).on('close', () => [socket, onward].map((s) => s.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, port, origin: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}` };
}

test('https goes through a tunnel, which is opened once and then used again', async () => {
  const server = await serve((_request, response) => response.end('through'), { tls: {} });
  const proxy = await serveProxy();
  const pools = makePools({ proxyEnv: { HTTPS_PROXY: proxy.origin } });
  const lease = await pools.lease({ origin: server.origin, tls: { ca } });
  for (let round = 0; round < 3; round += 1) expect(text(await lease.request(get))).toBe('through');
  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${server.port}`]);
  expect(poolReport(pools)).toMatchObject({ proxy: proxy.origin, created: 1, reused: 2 });
  await pools.close();
  await until('the tunnel is closed', () => server.sockets.size === 0);
});

test('http is asked for in absolute form, with the login for the proxy', async () => {
  const server = await serve((request, response) => response.end(JSON.stringify(request.headers)));
  const proxy = await serveProxy({ password: 'pass' });
  const pools = makePools({ proxyEnv: { http_proxy: `http://user:pass@127.0.0.1:${proxy.port}` } });
  const lease = await pools.lease({ origin: server.origin });
  const answer = await lease.request({ ...get, headers: { 'x-api-key': 'k' } });
  expect(JSON.parse(text(answer))).toMatchObject({ 'x-api-key': 'k', host: `127.0.0.1:${server.port}` });
  expect(text(answer)).not.toContain('proxy-authorization');
  expect(proxy.asked).toEqual([`GET ${server.origin}/x?y=1`]);
  expect(server.requests[0]?.url).toBe('/x?y=1');
  expect(poolReport(pools).proxy).toBe(proxy.origin);
});

test('each proxy has its own pool', async () => {
  const server = await serve(undefined, { tls: {} });
  const [one, two] = await Promise.all([serveProxy(), serveProxy()]);
  const env: Record<string, string> = { https_proxy: one.origin };
  const pools = makePools({ proxyEnv: env });
  await (await pools.lease({ origin: server.origin, tls: { ca } })).request(get);
  env['https_proxy'] = two.origin;
  await (await pools.lease({ origin: server.origin, tls: { ca } })).request(get);
  env['no_proxy'] = '127.0.0.1';
  await (await pools.lease({ origin: server.origin, tls: { ca } })).request(get);
  expect(pools.report().pools.map((pool) => pool.proxy)).toEqual([one.origin, two.origin, undefined]);
  expect([one.asked.length, two.asked.length, server.accepted]).toEqual([1, 1, 3]);
});

test('a proxy that refuses the tunnel, or is not there, is named without its password', async () => {
  const server = await serve(undefined, { tls: {} });
  const proxy = await serveProxy({ password: 'pass' });
  const ask = async (url: string): Promise<Error> => {
    const pools = makePools({ proxyEnv: { HTTPS_PROXY: url }, retries: 0 });
    return rejection((await pools.lease({ origin: server.origin, tls: { ca } })).request(get));
  };
  const wrong = await ask(`http://user:hidden@127.0.0.1:${proxy.port}`);
  expect(wrong).toMatchObject({ code: 'unreachable' });
  expect(wrong.message).toBe(
    `GET ${server.origin}/x?y=1: proxy ${proxy.origin} refused the tunnel to 127.0.0.1:${server.port}: 407 Proxy Says No`,
  );
  const absent = await ask('http://user:hidden@127.0.0.1:1');
  expect(absent.message).toBe(`GET ${server.origin}/x?y=1: proxy http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1`);
  expect(server.accepted).toBe(0);
});

test('TLS inside the tunnel is that of the gateway', async () => {
  const server = await serve(undefined, { tls: { cert: pem('server-self-signed.pem') } });
  const proxy = await serveProxy();
  const pools = makePools({ proxyEnv: { HTTPS_PROXY: proxy.origin } });
  const error = await rejection((await pools.lease({ origin: server.origin, tls: { ca } })).request(get));
  expect(error).toMatchObject({ code: 'tls_handshake' });
});

test.each(['http', 'https'] as const)('a proxy may itself speak TLS (%s gateway)', async (scheme) => {
  const module = await bundlePools();
  const server = await serve((_request, response) => response.end('through'), scheme === 'https' ? { tls: {} } : {});
  const proxy = await serveProxy({ tls: true, password: 'pass' });
  const program = `
    const [module, origin, proxy, ca] = process.argv.slice(1);
    const { createPoolManager } = await import(module);
    const pools = createPoolManager({ proxyEnv: { http_proxy: proxy, https_proxy: proxy } });
    const lease = await pools.lease({ origin, tls: { ca } });
    for (let round = 0; round < 2; round += 1) {
      const answer = await lease.request({ method: 'GET', path: '/' });
      process.stdout.write(Buffer.from(answer.body) + ' ');
    }
    await pools.close();
  `;
  const url = `https://user:pass@localhost:${proxy.port}`;
  // The proxy's certificate is judged by the default authorities, not by the gateway's.
  const env = { NODE_EXTRA_CA_CERTS: join(import.meta.dirname, 'fixtures/ca.pem') };
  expect(await run(program, [module, server.origin, url, ca], env)).toEqual({ code: 0, out: 'through through ' });
  expect(proxy.asked).toHaveLength(scheme === 'https' ? 1 : 2);
});

test('a value that is no proxy is refused without being shown', async () => {
  const pools = makePools({ proxyEnv: { HTTPS_PROXY: 'socks5://user:hidden@localhost' } });
  const error = await rejection(pools.lease({ origin: 'https://127.0.0.1:1' }));
  expect(error).toMatchObject({ code: 'usage', message: 'HTTPS_PROXY: expected the URL of an http or https proxy' });
});

const proxy = 'http://proxy:3128';

test('variables: by scheme, lower case first, a port and a scheme may be missing', () => {
  const find = (url: string, env: Record<string, string>): string | undefined => findProxy(new URL(url), env)?.origin;
  expect(find('https://a', { HTTPS_PROXY: proxy })).toBe(proxy);
  expect(find('http://a', { HTTPS_PROXY: proxy })).toBeUndefined();
  expect(find('http://a', { HTTP_PROXY: proxy })).toBe(proxy);
  expect(find('http://a', { HTTP_PROXY: 'http://upper', http_proxy: proxy })).toBe(proxy);
  expect(find('http://a', { HTTP_PROXY: 'http://upper', http_proxy: '' })).toBeUndefined();
  expect(find('http://a', { http_proxy: 'proxy:3128' })).toBe(proxy);
  expect(findProxy(new URL('http://a'), { http_proxy: 'https://proxy' })).toEqual({
    origin: 'https://proxy',
    protocol: 'https:',
    host: 'proxy',
    port: 443,
  });
});

test.each<[string, string, boolean]>([
  ['http://example.com', '*', true],
  ['http://example.com', 'example.com', true],
  ['http://www.example.com', 'example.com', true],
  ['http://www.example.com', '.example.com', true],
  ['http://example.com', '.example.com', true],
  ['http://notexample.com', 'example.com', false],
  ['http://example.com', 'www.example.com', false],
  ['http://EXAMPLE.com', 'Example.COM', true],
  ['http://example.com.', 'example.com', true],
  ['http://example.com', 'other.com, example.com', true],
  ['http://example.com', 'other.com example.com', true],
  ['http://example.com', '', false],
  ['http://example.com', ',', false],
  ['http://example.com:9180', 'example.com:9180', true],
  ['http://example.com:9181', 'example.com:9180', false],
  ['http://example.com', 'example.com:80', true],
  ['http://127.0.0.1:9180', '127.0.0.1', true],
  ['http://127.0.0.1:9180', '0.0.1', false],
  ['http://10.1.2.3', '10.0.0.0/8', true],
  ['http://11.1.2.3', '10.0.0.0/8', false],
  ['http://[::1]:9180', '::1', true],
  ['http://[::1]:9180', '[::1]:9180', true],
  ['http://[fd00::5]', 'fd00::/8', true],
  ['http://10.1.2.3', 'fd00::/8', false],
  ['http://10.1.2.3', '10.0.0.0/99', false],
])('%s with NO_PROXY="%s": direct is %s', (url, noProxy, direct) => {
  expect(findProxy(new URL(url), { http_proxy: proxy, NO_PROXY: noProxy }) === undefined).toBe(direct);
});
