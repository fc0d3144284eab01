import { expect, it } from 'vitest';
import { decodeRequest, type JobOptions } from './requests.js';
import { areIssues, endpointsOf, targetRule } from './targets.js';

function optionsOf(more: Record<string, unknown>): JobOptions {
  const base = { backend: 'apisix-standalone', server: 'https://a/', token: 'one', cacheKey: 'k' };
  const decoded = decodeRequest('/sync', { task: { opts: { ...base, ...more }, config: {} } });
  if (!('opts' in decoded)) throw new Error(JSON.stringify(decoded));
  return decoded.opts;
}

it('gives every server the token, or each its own where there are as many', () => {
  const server = ['http://a', 'http://b/prefix/'];
  expect(endpointsOf(optionsOf({ server }))).toEqual([
    { server: 'http://a', token: 'one' },
    { server: 'http://b/prefix', token: 'one' },
  ]);
  expect(endpointsOf(optionsOf({ server, token: 'one, two' }))).toEqual([
    { server: 'http://a', token: 'one' },
    { server: 'http://b/prefix', token: 'two' },
  ]);
});

it('never splits the token of an apisix gateway', () => {
  expect(endpointsOf(optionsOf({ backend: 'apisix', token: 'one,two' }))).toEqual([
    { server: 'https://a', token: 'one,two' },
  ]);
});

it('gives targets what they lack', () => {
  const targets = [
    { server: 'https://a', token: 'own', tlsServerName: 'a.test' },
    { server: 'https://b', tlsSkipVerify: false },
    { server: 'http://c' },
  ];
  expect(endpointsOf(optionsOf({ server: undefined, targets, tlsSkipVerify: true }))).toEqual([
    { server: 'https://a', token: 'own', tls: { serverName: 'a.test', verify: false } },
    { server: 'https://b', token: 'one', tls: { verify: true } },
    { server: 'http://c', token: 'one' },
  ]);
});

it('names the field that holds certificates or keys which cannot be used', () => {
  const found = endpointsOf(
    optionsOf({
      server: undefined,
      caCert: 'no pem',
      targets: [{ server: 'https://a', tlsClientCert: 'x', tlsClientKey: 'y' }],
    }),
  );
  expect(areIssues(found) && found.map(({ path }) => path.join('.'))).toEqual(
    expect.arrayContaining([
      'task.opts.caCert',
      'task.opts.targets.0.tlsClientCert',
      'task.opts.targets.0.tlsClientKey',
    ]),
  );
});

it.each([
  [[], 'http://anything:1', true],
  [['http://gw:9180'], 'http://gw:9180/base', true],
  [['http://gw:9180'], 'http://gw:9181', false],
  [['http://gw:9180'], 'https://gw:9180', false],
  [['https://gw'], 'https://gw:443', true],
  [['https://gw'], 'https://gw:8443', false],
  [['gw'], 'https://gw:8443', true],
  [['gw'], 'https://gw.evil', false],
  [['gw'], 'https://evilgw', false],
  [['gw:9180'], 'http://gw:9180', true],
  [['gw:80'], 'http://gw', true],
  [['gw:80'], 'https://gw', false],
  [['*.svc.local'], 'http://a.b.svc.local:9180', true],
  [['*.svc.local'], 'http://svc.local', false],
  [['*.svc.local'], 'http://xsvc.local', false],
  [['https://*.svc.local:9443'], 'https://a.svc.local:9443', true],
  [['https://*.svc.local:9443'], 'https://a.svc.local', false],
  [['127.0.0.1', '[::1]'], 'http://[::1]:9180', true],
  [['GW.Example'], 'http://gw.example', true],
])('with %j says of %s: %s', (rules, server, expected) => {
  expect(targetRule(rules)(server)).toBe(expected);
});

it.each(['', 'http://', 'http://a/path', 'ftp://a', 'http://u:p@a', 'a b'])('refuses the rule %j', (rule) => {
  expect(() => targetRule([rule])).toThrow(/--allow-target/);
});
