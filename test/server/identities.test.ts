import { createServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientCertificate, fixture, put, startTestServer, task, type TestServer } from './support.js';

let server: TestServer;
let gateway: HttpsServer;
let url = '';
/** By connection: whose certificate it was opened with, and the keys that were sent on it. */
const connections = new Map<TLSSocket, { readonly who: string; readonly tokens: Set<string>; requests: number }>();

beforeAll(async () => {
  server = await startTestServer();
  gateway = createServer(
    {
      key: fixture('server.key'),
      cert: fixture('server.pem'),
      ca: fixture('ca.pem'),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const seen = connections.get(socket) ?? {
        who: String(socket.getPeerCertificate().subject.CN),
        tokens: new Set(),
        requests: 0,
      };
      connections.set(socket, seen);
      seen.requests += 1;
      seen.tokens.add(String(request.headers['x-api-key']));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"total":0,"list":[]}');
    },
  );
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await server.close();
  gateway.closeAllConnections();
  gateway.close();
});

it('keeps requests of different TLS identities apart, at the same moment, and lets those of one share connections', async () => {
  const jobs = Array.from({ length: 60 }, async (_, index) => {
    const who = index % 3;
    const identity = {
      caCert: fixture('ca.pem'),
      tlsClientCert: clientCertificate(who),
      tlsClientKey: fixture('client.key'),
    };
    const reply = await put(
      server.url,
      '/sync',
      task(url, `token-of-${who}-${index % 2}`, {}, { ...identity, cacheKey: `k${index}`, requestConcurrent: 2 }),
    );
    return [reply.status, reply.json.status];
  });
  for (const result of await Promise.all(jobs)) expect(result).toEqual([202, 'success']);
  expect(new Set([...connections.values()].map(({ who }) => who))).toEqual(
    new Set(['client-01', 'client-02', 'client-03']),
  );
  let requests = 0;
  for (const { who, tokens, requests: count } of connections.values()) {
    requests += count;
    for (const token of tokens) expect(token).toMatch(new RegExp(`^token-of-${Number(who.slice(-2)) - 1}-`));
  }
  expect(connections.size).toBeLessThan(requests / 2);
  const report = server.pools.report();
  expect(new Set(report.pools.map(({ identity }) => identity)).size).toBe(3);
});

it('tells a missing authority, a missing certificate and a wrong name apart, and skips verification where told', async () => {
  const identity = { tlsClientCert: clientCertificate(0), tlsClientKey: fixture('client.key') };
  const ask = async (opts: Record<string, unknown>, target = url): Promise<string> => {
    const reply = await put(
      server.url,
      '/sync',
      task(target, 'token-of-0-0', {}, { cacheKey: 'one', timeout: 3_000, ...opts }),
    );
    return reply.status === 202 ? 'success' : `${reply.status} ${reply.json.message}`;
  };
  expect(await ask(identity)).toMatch(/^500 GET https:\S+: .*(unable to verify|self.signed|UNABLE_TO_VERIFY)/i);
  expect(await ask({ caCert: fixture('ca.pem') })).toMatch(/^500 GET https:\S+: /);
  expect(await ask({ ...identity, caCert: fixture('other-ca.pem') })).toMatch(/^500 GET https:\S+: /);
  expect(await ask({ ...identity, tlsSkipVerify: true })).toBe('success');
  expect(await ask({ ...identity, caCert: fixture('ca.pem') })).toBe('success');
  const named = {
    server: undefined,
    token: undefined,
    targets: [
      { server: url, token: 'token-of-0-0', caCert: fixture('ca.pem'), ...identity, tlsServerName: 'other.example' },
    ],
  };
  expect(await ask(named)).toMatch(/^500 .*other\.example/);
});

it('asks each target with its own identity and token', async () => {
  connections.clear();
  const target = {
    server: url,
    token: 'token-of-1-0',
    caCert: fixture('ca.pem'),
    tlsClientCert: clientCertificate(1),
    tlsClientKey: fixture('client.key'),
  };
  const around = { tlsClientCert: clientCertificate(2), tlsClientKey: fixture('client.key') };
  const reply = await put(
    server.url,
    '/sync',
    task(url, 'token-of-2-0', {}, { ...around, server: undefined, targets: [target] }),
  );
  expect([reply.status, reply.json.status]).toEqual([202, 'success']);
  expect([...connections.values()].map(({ who, tokens }) => [who, ...tokens])).toEqual(
    expect.arrayContaining([['client-02', 'token-of-1-0']]),
  );
  expect([...connections.values()].every(({ who }) => who === 'client-02')).toBe(true);
});
