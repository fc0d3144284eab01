import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { AdcError, GatewayError } from '../../src/model/errors.js';
import { checkIdentity, identityHash } from '../../src/pool/identity.js';
import type { TlsIdentity } from '../../src/pool/pool.js';
import { clientCertificates, makePools, passphrase, pem, poolReport, rejection, serve, text } from './support.js';

const ca = pem('ca.pem');
const key = pem('client.key');
const [cert = ''] = clientCertificates();
const get = { method: 'GET', path: '/x' } as const;

const garbage = 'this is not PEM';
const broken = '-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n';
const brokenKey = '-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n';

// Promise 11. Break: in src/pool/identity.ts, leave out the row of `checkIdentity` that compares key and certificate;
// and each of its other rows.
test.each<[string, TlsIdentity, readonly (readonly [string, RegExp])[]]>([
  ['a CA that is not PEM', { ca: garbage }, [['caCert', /^caCert: not PEM: no certificate found$/]]],
  ['a CA that cannot be decoded', { ca: ca + broken }, [['caCert', /^caCert: certificate 2 of 2 cannot be decoded$/]]],
  ['a key for a CA', { ca: key }, [['caCert', /^caCert: holds a PRIVATE KEY, not a CERTIFICATE$/]]],
  ['an expired CA', { ca: pem('server-expired.pem') }, [['caCert', /^caCert: .*CN=localhost expired on 2020-02-01T/]]],
  ['a certificate that is not PEM', { cert: garbage, key }, [['tlsClientCert', /^tlsClientCert: not PEM/]]],
  [
    'an expired certificate',
    { cert: pem('client-expired.pem'), key },
    [['tlsClientCert', /^tlsClientCert: the certificate of CN=client-expired expired on 2020-02-01T00:00:00.000Z$/]],
  ],
  [
    'a key that is not PEM',
    { cert, key: garbage },
    [['tlsClientKey', /^tlsClientKey: not PEM: no private key found$/]],
  ],
  ['a certificate for a key', { cert, key: cert }, [['tlsClientKey', /^tlsClientKey: holds a CERTIFICATE, not/]]],
  [
    'a key that cannot be decoded',
    { cert, key: brokenKey },
    [['tlsClientKey', /^tlsClientKey: .* cannot be decoded$/]],
  ],
  [
    'a key of another certificate',
    { cert, key: pem('server.key') },
    [['tlsClientKey', /^tlsClientKey: does not match the certificate in tlsClientCert$/]],
  ],
  ['a certificate alone', { cert }, [['tlsClientKey', /^tlsClientKey: missing, while tlsClientCert is given$/]]],
  ['a key alone', { key }, [['tlsClientCert', /^tlsClientCert: missing, while tlsClientKey is given$/]]],
  [
    'an encrypted key without a passphrase',
    { cert, key: pem('client-encrypted.key') },
    [['tlsClientKey', /^tlsClientKey: is encrypted, and no passphrase is given$/]],
  ],
  [
    'a key encrypted in the old way, without a passphrase',
    { cert, key: pem('client-encrypted-old.key') },
    [['tlsClientKey', /is encrypted, and no passphrase/]],
  ],
  [
    'an encrypted key with a wrong passphrase',
    { cert, key: pem('client-encrypted.key'), passphrase: 'wrong' },
    [['tlsClientKey', /^tlsClientKey: cannot be decrypted: the passphrase is wrong$/]],
  ],
  [
    'several things at once',
    { ca: garbage, cert: pem('client-expired.pem'), key: pem('server.key') },
    [
      ['caCert', /not PEM/],
      ['tlsClientCert', /expired/],
      ['tlsClientKey', /does not match/],
    ],
  ],
])('%s is refused before any connection is made', async (_what, tls, expected) => {
  const server = await serve(undefined, { tls: {} });
  const pools = makePools();
  const error = await rejection(pools.lease({ origin: server.origin, tls }));
  expect(error).toBeInstanceOf(AdcError);
  expect(error).toMatchObject({ code: 'tls_material', http: 400 });
  const { problems } = error as AdcError;
  expect(problems.map((problem) => problem.path)).toEqual(expected.map(([field]) => [field]));
  for (const [index, [, words]] of expected.entries()) expect(problems[index]?.message).toMatch(words);
  expect(error.message).toBe(problems.map((problem) => problem.message).join('; '));
  expect(server.accepted).toBe(0);
  expect(pools.report().pools).toEqual([]);
});

test('messages use the names that are given: those of flags and files', () => {
  const names = {
    caCert: '--ca-cert-file ca.pem',
    tlsClientCert: '--tls-client-cert-file a.pem',
    tlsClientKey: '--tls-client-key-file a.key',
  };
  expect(() => checkIdentity({ cert, key: pem('server.key') }, names)).toThrow(
    '--tls-client-key-file a.key: does not match the certificate in --tls-client-cert-file a.pem',
  );
  expect(() => checkIdentity({ cert, key }, names)).not.toThrow();
  expect(() => checkIdentity({ ca: ca + pem('server-expired.pem') }, names)).not.toThrow();
});

// Promise 11. Break: in src/pool/manager.ts, let `#makePool` evict before it makes the destination.
test('bad material harms no other pool', async () => {
  const server = await serve();
  const pools = makePools({ poolsMax: 1 });
  (await pools.lease({ origin: server.origin })).release();
  await rejection(pools.lease({ origin: 'https://127.0.0.1:1', tls: { ca: garbage } }));
  expect(pools.report().evictions).toBe(0);
  expect(poolReport(pools).origin).toBe(server.origin);
});

test.each(['client-encrypted.key', 'client-encrypted-old.key'])('an encrypted key (%s) is used', async (file) => {
  const server = await serve(
    (request, response) => response.end(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN)),
    { tls: { ca, requestCert: true, rejectUnauthorized: true } },
  );
  const tls = { ca, cert, key: pem(file), passphrase };
  const lease = await makePools().lease({ origin: server.origin, tls });
  expect(text(await lease.request(get))).toBe('client-01');
});

test.each<[string, { cert: string; key?: string; ca?: string; requestCert?: boolean }, TlsIdentity, RegExp]>([
  [
    'a self-signed certificate',
    { cert: pem('server-self-signed.pem') },
    { ca },
    /self-signed and not among the trusted/,
  ],
  ['an unknown CA', { cert: pem('server.pem') }, { ca: pem('other-ca.pem') }, /issued by an unknown CA/],
  ['an unknown CA, with the default ones', { cert: pem('server.pem') }, {}, /issued by an unknown CA/],
  ['an expired certificate', { cert: pem('server-expired.pem') }, { ca }, /has expired/],
  [
    'a certificate for another host',
    { cert: pem('server-other-host.pem') },
    { ca },
    /is for another host name \(127\.0\.0\.1 is none of DNS:other\.example\)/,
  ],
])('a handshake that fails for %s says so, and is not repeated', async (_what, options, tls, words) => {
  const server = await serve(undefined, { tls: options });
  const pools = makePools();
  const error = await rejection((await pools.lease({ origin: server.origin, tls })).request(get));
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: 'tls_handshake' });
  expect(error.message).toMatch(/^GET https:\/\/127\.0\.0\.1:\d+\/x: TLS handshake failed: /);
  expect(error.message).toMatch(words);
  expect(server.accepted).toBe(1);
  expect(poolReport(pools).retried).toEqual({});
});

test('a server that speaks no TLS is told apart', async () => {
  const server = await serve();
  const lease = await makePools().lease({ origin: server.origin.replace('http', 'https') });
  const error = await rejection(lease.request(get));
  expect(error).toMatchObject({ code: 'tls_handshake' });
  expect(error.message).toContain('does not speak TLS on this port (plain HTTP?)');
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server that demands a client certificate (%s) is named',
  async (version) => {
    const server = await serve(undefined, {
      tls: { ca, requestCert: true, rejectUnauthorized: true, minVersion: version, maxVersion: version },
    });
    const pools = makePools({ retryBase: 1 });
    const error = await rejection((await pools.lease({ origin: server.origin, tls: { ca } })).request(get));
    expect(error).toMatchObject({ code: 'tls_handshake' });
    expect(error.message).toMatch(/demands? a client certificate/);
    expect(poolReport(pools).retried).toEqual({});
  },
);

test('the server name is sent and verified, verification can be switched off, and a version demanded', async () => {
  const names: (string | false | null | undefined)[] = [];
  const server = await serve(
    (request, response) => {
      const socket = request.socket as TLSSocket & { servername?: string };
      names.push(socket.servername);
      response.end(socket.getProtocol());
    },
    { tls: { cert: pem('server-other-host.pem') } },
  );
  const pools = makePools();
  const ask = async (tls: TlsIdentity): Promise<string> => {
    const lease = await pools.lease({ origin: server.origin, tls });
    return text(await lease.request(get));
  };
  expect(await ask({ ca, serverName: 'other.example' })).toBe('TLSv1.3');
  expect(await ask({ verify: false })).toBe('TLSv1.3');
  expect(names).toEqual(['other.example', false]);

  const old = await serve(undefined, { tls: { maxVersion: 'TLSv1.2' } });
  const lease = await pools.lease({ origin: old.origin, tls: { ca, minVersion: 'TLSv1.3' } });
  const error = await rejection(lease.request(get));
  expect(error).toMatchObject({ code: 'tls_handshake' });
  expect(error.message).toMatch(/version of TLS|handshake/);
});

test('the authorities of the system are trusted beside a CA only when asked for', async () => {
  const server = await serve(undefined, { tls: {} });
  const pools = makePools();
  // Asked for or not, the given CA is trusted.
  for (const systemCa of [true, false]) {
    const lease = await pools.lease({ origin: server.origin, tls: { ca, systemCa } });
    expect((await lease.request(get)).status).toBe(200);
  }
  const none = await pools.lease({ origin: server.origin, tls: { systemCa: false } });
  expect(await rejection(none.request(get))).toMatchObject({ code: 'tls_handshake' });
});

test('only the first connection of a pool needs a full handshake', async () => {
  const reused: boolean[] = [];
  const server = await serve(
    (request, response) => {
      reused.push((request.socket as TLSSocket).isSessionReused());
      response.setHeader('connection', 'close');
      response.end();
    },
    { tls: {} },
  );
  const lease = await makePools().lease({ origin: server.origin, tls: { ca } });
  for (let round = 0; round < 3; round += 1) await lease.request(get);
  expect(reused).toEqual([false, true, true]);
});

test('the hash tells identities apart, and knows what is the default', () => {
  const all = [
    {},
    { verify: false },
    { minVersion: 'TLSv1.2' },
    { systemCa: false },
    { ca },
    { serverName: 'a' },
  ] as const;
  expect(new Set(all.map((tls) => identityHash(tls))).size).toBe(all.length);
  expect(identityHash({})).toBe(identityHash({ verify: true, systemCa: true }));
  expect(identityHash({ ca })).toBe(identityHash({ ca, systemCa: false }));
  expect(identityHash({})).toMatch(/^[0-9a-f]{64}$/);
});
