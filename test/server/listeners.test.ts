import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/server/options.js';
import { clientCertificate, fixture, fixturePath, send, startTestServer, until, type TestServer } from './support.js';

let folder = '';
const open: TestServer[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adc-server-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (server) => await server.close()));
  rmSync(folder, { recursive: true });
});

async function start(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  open.push(server);
  return server;
}

const refusal = async (options: Partial<ServerOptions>): Promise<string> =>
  await start(options).then(
    () => 'started',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

it.each([
  ['ftp://127.0.0.1:1', /cannot listen on "ftp:/],
  ['127.0.0.1:3000', /cannot listen on/],
  ['http://127.0.0.1:0/path', /a host and a port only/],
  ['unix:relative.sock', /the absolute path of a socket/],
  ['https://127.0.0.1:0', /both --tls-cert-file and --tls-key-file must be provided/],
])('refuses to listen on %s', async (listen, words) => {
  expect(await refusal({ listen })).toMatch(words);
});

it('says which address is taken', async () => {
  const server = await start();
  expect(await refusal({ listen: server.url })).toMatch(/^cannot listen on http:\/\/127\.0\.0\.1:\d+: .*EADDRINUSE/);
  expect(await refusal({ statusPort: Number(new URL(server.statusUrl).port) })).toMatch(
    /^cannot listen on status port \d+: .*EADDRINUSE/,
  );
});

it('serves a unix socket with mode 0660, and takes it away at the end', async () => {
  const path = join(folder, 'adc.sock');
  for (const listen of [`unix:${path}`, `unix://${path}`]) {
    const server = await start({ listen });
    expect(server.url).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect((await send('GET', server.url, '/openapi.json')).status).toBe(200);
    await server.close();
    expect(existsSync(path)).toBe(false);
  }
});

it('refuses a path that holds anything but a socket nobody serves', async () => {
  const path = join(folder, 'precious');
  writeFileSync(path, 'data');
  expect(await refusal({ listen: `unix:${path}` })).toMatch(/there is something that is no socket/);
  expect(statSync(path).size).toBe(4);
  expect(await refusal({ listen: `unix:${folder}` })).toMatch(/there is something that is no socket/);
  const socket = join(folder, 'live.sock');
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(socket, resolve));
  expect(await refusal({ listen: `unix:${socket}` })).toMatch(/another process serves it/);
  await new Promise<void>((resolve) => other.close(() => resolve()));
});

it('serves HTTPS, and with an authority only clients that it signed', async () => {
  const tls = { certFile: fixturePath('server.pem'), keyFile: fixturePath('server.key') };
  const plain = await start({ listen: 'https://127.0.0.1:0', tls });
  expect((await send('GET', plain.url, '/openapi.json', { ca: fixture('ca.pem') })).status).toBe(200);
  const mutual = await start({ listen: 'https://127.0.0.1:0', tls: { ...tls, clientCaFile: fixturePath('ca.pem') } });
  const client = { ca: fixture('ca.pem'), cert: clientCertificate(0), key: fixture('client.key') };
  expect((await send('GET', mutual.url, '/openapi.json', client)).status).toBe(200);
  await expect(send('GET', mutual.url, '/openapi.json', { ca: fixture('ca.pem') })).rejects.toThrow();
  const expired = { ...client, cert: fixture('client-expired.pem') };
  await expect(send('GET', mutual.url, '/openapi.json', expired)).rejects.toThrow();
});

it.each([
  [{ certFile: '/nowhere.pem', keyFile: fixturePath('server.key') }, /^--tls-cert-file \/nowhere\.pem: ENOENT/],
  [{ certFile: fixturePath('server.pem'), keyFile: fixturePath('client.key') }, /does not belong to --tls-cert-file/],
  [{ certFile: fixturePath('make.sh'), keyFile: fixturePath('server.key') }, /^--tls-cert-file .*make\.sh: /],
  [
    { certFile: fixturePath('server.pem'), keyFile: fixturePath('server.key'), clientCaFile: fixturePath('make.sh') },
    /^--ca-cert-file .*make\.sh: /,
  ],
])('names the file that cannot be used: %#', async (tls, words) => {
  expect(await refusal({ listen: 'https://127.0.0.1:0', tls })).toMatch(words);
});

it('serves new certificates when they change or on reload, keeps the old ones when the new are broken, and cuts nobody off', async () => {
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  copyFileSync(fixturePath('server.pem'), certFile);
  copyFileSync(fixturePath('server.key'), keyFile);
  const server = await start({ listen: 'https://127.0.0.1:0', tls: { certFile, keyFile } });
  const { port } = new URL(server.url);
  const subject = async (): Promise<string> =>
    await new Promise((resolve, reject) => {
      const socket = tlsConnect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });
  expect(await subject()).toBe('localhost');
  const kept = tlsConnect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false });
  await new Promise((resolve) => kept.once('secureConnect', resolve));

  copyFileSync(fixturePath('server-other-host.pem'), certFile);
  await until('the change is seen', async () => (await subject()) === 'other.example');
  writeFileSync(certFile, 'broken');
  await server.reload();
  expect(await subject()).toBe('other.example');
  expect(
    server.lines.some((line) => line.includes('certificates and token stay as they were') && line.includes(certFile)),
  ).toBe(true);
  copyFileSync(fixturePath('server.pem'), certFile);
  await server.reload();
  expect(await subject()).toBe('localhost');

  kept.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [first] = await new Promise<string[]>((resolve) =>
    kept.once('data', (chunk) => resolve(String(chunk).split('\r\n'))),
  );
  expect(first).toBe('HTTP/1.1 200 OK');
  kept.destroy();
});

it('closes clients that connect and say nothing, or stop half way, while it serves others', async () => {
  const server = await start({ headersTimeout: 400, requestTimeout: 800 });
  const { port, hostname } = new URL(server.url);
  const sockets: Socket[] = [];
  let closed = 0;
  for (let index = 0; index < 300; index += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.on('close', () => (closed += 1));
    socket.resume();
    if (index % 3 === 1) socket.write('PUT /sync HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    if (index % 3 === 2) socket.write('PUT /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{"task":');
    sockets.push(socket);
  }
  expect((await send('GET', server.url, '/openapi.json')).status).toBe(200);
  await until('all are closed', () => closed === sockets.length);
  await until('nothing is held', async () =>
    /^adc_request_bodies_bytes 0$/m.test((await send('GET', server.statusUrl, '/metrics')).text),
  );
});

it('turns bodies away when all of them together are too much, and takes them again later', async () => {
  const server = await start({ bodyLimit: 100_000, bodiesLimit: 150_000 });
  const { port, hostname } = new URL(server.url);
  const slow = connect(Number(port), hostname);
  slow.write(`PUT /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(99_000)}`);
  await until('it holds', async () =>
    /^adc_request_bodies_bytes 99000$/m.test((await send('GET', server.statusUrl, '/metrics')).text),
  );
  const refused = await send('PUT', server.url, '/sync', { body: ' '.repeat(60_000) });
  expect(refused.status).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  slow.destroy();
  await until(
    'it lets go',
    async () => (await send('PUT', server.url, '/sync', { body: ' '.repeat(60_000) })).status === 400,
  );
});

it('never holds more connections than it may', async () => {
  const server = await start({ maxConnections: 20 });
  const { port, hostname } = new URL(server.url);
  let closed = 0;
  const sockets = Array.from({ length: 50 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.on('close', () => (closed += 1));
    socket.resume();
    return socket;
  });
  await until('thirty are turned away', () => closed === 30);
  for (const socket of sockets) socket.destroy();
  await until(
    'others get in',
    async () =>
      await send('GET', server.url, '/openapi.json').then(
        ({ status }) => status === 200,
        () => false,
      ),
  );
});

it('asks for the bearer token, and takes a new one from its file', async () => {
  const authTokenFile = join(folder, 'token');
  writeFileSync(authTokenFile, 'planted-one\n');
  const server = await start({ authTokenFile });
  const withToken = async (token: string | undefined): Promise<number> =>
    (
      await send('PUT', server.url, '/sync', {
        body: '{',
        ...(token === undefined ? {} : { headers: { authorization: token } }),
      })
    ).status;
  expect(await withToken(undefined)).toBe(401);
  expect(await withToken('Bearer planted')).toBe(401);
  expect(await withToken('Basic planted-one')).toBe(401);
  expect(await withToken('Bearer planted-one')).toBe(400);
  writeFileSync(authTokenFile, 'planted-two');
  await server.reload();
  expect(await withToken('Bearer planted-one')).toBe(401);
  expect(await withToken('bearer planted-two')).toBe(400);
  expect(server.lines.filter((line) => line.includes('"status":401'))).toHaveLength(4);
  expect(server.lines.join('')).not.toContain('planted');
  writeFileSync(authTokenFile, '\n');
  await server.reload();
  expect(await withToken('Bearer ')).toBe(401);
  expect(await refusal({ authTokenFile })).toMatch(/it is empty/);
});

it('talks to allowed gateways only', async () => {
  const server = await start({ allowTargets: ['127.0.0.1', 'https://*.gw.test:9443'] });
  const opts = { backend: 'apisix', token: 't', cacheKey: 'k' };
  const ask = async (gateway: string): Promise<[number, string]> => {
    const body = JSON.stringify({ task: { opts: { ...opts, server: gateway }, config: {} } });
    const { status, json } = await send('PUT', server.url, '/sync', { body });
    return [status, json.message];
  };
  expect(await ask('http://169.254.169.254')).toEqual([
    403,
    'http://169.254.169.254 is not among the targets that this server allows',
  ]);
  expect((await ask('http://127.0.0.1:9'))[0]).toBe(500);
  await expect(startTestServer({ allowTargets: ['http://a/b'] })).rejects.toThrow(/--allow-target "http:\/\/a\/b"/);
});

it('warns when it can be reached from elsewhere and nothing guards it', async () => {
  const warned = ({ lines }: TestServer): boolean => lines.some((line) => JSON.parse(line).level === 'warn');
  const token = join(folder, 'token');
  writeFileSync(token, 'x');
  expect(warned(await start({ listen: 'http://0.0.0.0:0' }))).toBe(true);
  expect(warned(await start({ listen: 'http://[::]:0' }))).toBe(true);
  expect(warned(await start())).toBe(false);
  expect(warned(await start({ listen: `unix:${join(folder, 's')}` }))).toBe(false);
  expect(warned(await start({ listen: 'http://0.0.0.0:0', authTokenFile: token }))).toBe(false);
  expect(warned(await start({ listen: 'http://0.0.0.0:0', allowTargets: ['gw'] }))).toBe(false);
});
