import { afterAll, beforeAll, expect, it } from 'vitest';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openApiDocument } from '../../src/server/openapi.js';
import { clientCertificate, fixture, put, send, startTestServer, task, type TestServer } from './support.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ bodyLimit: 100_000 });
});
afterAll(async () => await server.close());

it('answers 404 in JSON to what it does not know', async () => {
  for (const [method, path] of [
    ['GET', '/sync'],
    ['POST', '/sync'],
    ['PUT', '/'],
    ['PUT', '/sync/'],
    ['DELETE', '/nowhere'],
  ] as const) {
    const reply = await send(method, server.url, path);
    expect([reply.status, reply.json]).toEqual([404, { message: `there is no ${method} ${path}` }]);
  }
});

it('refuses keys that would vanish on the way, instead of working with what is left', async () => {
  for (const lint of [true, false]) {
    const body = JSON.stringify(task('http://127.0.0.1:9', 'key', { collection: [] }, { lint }));
    const reply = await send('PUT', server.url, '/sync', { body: body.replace('"collection"', '"__proto__"') });
    expect([reply.status, reply.json.errors]).toEqual([
      400,
      [{ path: ['task', 'config', '__proto__'], message: expect.stringContaining('cannot be used') }],
    ]);
  }
});

it('blames nobody who calls for how the server itself is set up', async () => {
  const misled = await startTestServer({}, { proxyEnv: { http_proxy: 'ftp://proxy' } });
  const body = task('http://127.0.0.1:9', 'key', { services: [] });
  const replies = await Promise.all(['/sync', '/validate'].map(async (path) => await put(misled.url, path, body)));
  await misled.close();
  expect(replies.map(({ status, json }) => [status, json.message, json.source])).toEqual([
    [500, expect.stringContaining('http_proxy'), undefined],
    [500, expect.stringContaining('http_proxy'), undefined],
  ]);
});

it('takes the absolute form of its own URLs', async () => {
  const [plain, absolute] = await Promise.all(
    ['/openapi.json', `${server.url}/openapi.json?x=1`].map(async (path) => await send('GET', server.url, path)),
  );
  expect(absolute?.text).toBe(plain?.text);
});

it.each([
  '',
  '{',
  '{"task":',
  'task: {}',
  'null',
  '[]',
  '"x"',
  '{"task":{"opts":{},"config":null}}',
  '['.repeat(50_000),
])('answers 400 with every problem to the body %#', async (body) => {
  const reply = await send('PUT', server.url, '/sync', { body });
  expect(reply.status).toBe(400);
  expect(reply.headers['content-type']).toBe('application/json');
  expect(reply.json.message).toBeTypeOf('string');
  expect(reply.json.errors.length).toBeGreaterThan(0);
  for (const error of reply.json.errors)
    expect(error).toEqual({ path: expect.any(Array), message: expect.any(String) });
  const validation = await send('PUT', server.url, '/validate', { body });
  expect([validation.status, validation.json.success, validation.json.source]).toEqual([400, false, 'input']);
});

it('lints before anything else happens, and says everything that is wrong', async () => {
  const config = { services: [{ routes: [{ name: 'r', uris: 'no list' }] }], ssls: null, unknown: [] };
  const reply = await put(server.url, '/sync', task('http://127.0.0.1:1', 'token', config));
  expect(reply.status).toBe(400);
  const paths = reply.json.errors.map(({ path }: { path: unknown[] }) => path.join('.'));
  expect(paths).toEqual(
    expect.arrayContaining([
      'task.config.services.0.name',
      'task.config.services.0.routes.0.uris',
      'task.config.unknown',
    ]),
  );
  expect(paths.some((path: string) => path.startsWith('task.config.ssls'))).toBe(true);
  const validation = await put(server.url, '/validate', task('http://127.0.0.1:1', 'token', config));
  expect([validation.status, validation.json.source]).toEqual([400, 'lint']);
  expect(validation.json.errors[0].error).toBe(validation.json.errors[0].message);
});

it('refuses a key without a value, which would delete everything under it, with and without lint', async () => {
  for (const lint of [true, false]) {
    for (const key of ['services', 'consumers', 'global_rules', 'upstreams']) {
      const reply = await put(server.url, '/sync', task('http://127.0.0.1:1', 'token', { [key]: null }, { lint }));
      expect([key, lint, reply.status]).toEqual([key, lint, 400]);
    }
  }
});

it('keeps the answer below what a Kubernetes condition takes, and counts what it leaves out', async () => {
  const config = { services: Array.from({ length: 2_000 }, () => ({ unknown: 1 })) };
  const reply = await put(server.url, '/sync', task('http://127.0.0.1:1', 'token', config));
  expect(reply.status).toBe(400);
  expect(reply.text.length).toBeLessThan(32 * 1024);
  expect(reply.json.errors.length).toBeGreaterThan(50);
  expect(reply.json.message).toMatch(/and \d+ more$/);
});

it('answers 413 above the limit, announced or not', async () => {
  const body = Buffer.alloc(200_000, 0x20);
  const announced = await send('PUT', server.url, '/sync', { body });
  expect([announced.status, announced.json]).toEqual([413, { message: 'the body is larger than 100000 bytes' }]);
  const chunked = await send('PUT', server.url, '/sync', { body, chunked: true });
  expect(chunked.status).toBe(413);
});

it('does not take compressed bodies', async () => {
  const reply = await send('PUT', server.url, '/sync', { body: '{}', headers: { 'content-encoding': 'gzip' } });
  const message = 'the body must not be compressed (Content-Encoding)';
  expect([reply.status, reply.json]).toEqual([400, { message, errors: [{ path: [], message }] }]);
});

it('takes over a request id, or makes one', async () => {
  const taken = await send('PUT', server.url, '/sync', { body: '{', headers: { 'x-request-id': 'abc-123' } });
  expect(taken.headers['x-request-id']).toBe('abc-123');
  expect(server.lines.some((line) => JSON.parse(line).requestId === 'abc-123')).toBe(true);
  const strange = await send('PUT', server.url, '/sync', { body: '{', headers: { 'x-request-id': 'a b"c' } });
  expect(strange.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

it('announces no short keep-alive', async () => {
  const reply = await send('GET', server.url, '/openapi.json', { headers: { connection: 'keep-alive' } });
  expect(reply.headers['keep-alive']).toBe('timeout=600');
});

it.each([
  [{ caCert: 'nonsense' }, 'caCert', 'not PEM: no certificate found'],
  [{ tlsClientKey: fixture('server.key') }, 'tlsClientKey', 'does not match the certificate in tlsClientCert'],
  [{ tlsClientKey: fixture('client-encrypted.key') }, 'tlsClientKey', 'is encrypted, and no passphrase is given'],
  [{ tlsClientCert: fixture('client-expired.pem') }, 'tlsClientCert', 'expired on'],
])(
  'names the field of bad TLS material and what is wrong with it, before any connection is made: %#',
  async (more, field, what) => {
    const identity = { tlsClientCert: clientCertificate(0), tlsClientKey: fixture('client.key') };
    const reply = await put(server.url, '/sync', task('https://127.0.0.1:1', 'token', {}, { ...identity, ...more }));
    expect(reply.status).toBe(400);
    expect(reply.json.errors).toContainEqual({
      path: ['task', 'opts', field],
      message: expect.stringContaining(what),
    });
    expect(reply.json.message).toContain(`task.opts.${field}: `);
  },
);

it('describes itself by a document in which every reference and every schema holds', async () => {
  const reply = await send('GET', server.url, '/openapi.json');
  expect(reply.status).toBe(200);
  expect(reply.json).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  const document = reply.json;
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info).toEqual(expect.objectContaining({ title: expect.any(String), version: expect.any(String) }));
  expect(Object.keys(document.paths)).toEqual(['/sync', '/diff', '/validate', '/dump', '/openapi.json']);
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item as object));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { responses } of operations) {
    for (const [status, response] of Object.entries(responses as Record<string, { description: string }>)) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect(response.description).toBeTypeOf('string');
    }
  }
  const references = [...reply.text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((found) => found[1]);
  expect(references.length).toBeGreaterThan(10);
  for (const name of references) expect(document.components.schemas).toHaveProperty([name as string]);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'adc', components: document.components });
  for (const name of Object.keys(document.components.schemas)) ajv.compile({ $ref: `adc#/components/schemas/${name}` });
  const check = ajv.compile({ $ref: 'adc#/components/schemas/SyncRequest' });
  expect(check(task('http://a', 't', { services: [] }))).toBe(true);
  expect(check({ task: {} })).toBe(false);
  expect(check({ task: { ...(task('http://a', 't', {}) as { task: object }).task, extra: 1 } })).toBe(false);
});
