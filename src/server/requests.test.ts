import { expect, it } from 'vitest';
import { formatPath } from '../model/json.js';
import { decodeRequest, type JobPath } from './requests.js';

const opts = { backend: 'apisix', server: 'http://127.0.0.1:9180', token: 'secret-token', cacheKey: 'gw' };

function problems(document: unknown, path: JobPath = '/sync'): string[] {
  const decoded = decodeRequest(path, document);
  return 'opts' in decoded ? [] : decoded.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

function withOpts(more: Record<string, unknown>): unknown {
  return { task: { opts: { ...opts, ...more }, config: {} } };
}

it('takes the smallest request and fills in defaults', () => {
  expect(decodeRequest('/sync', { task: { opts, config: { services: [] } } })).toEqual({
    opts: { ...opts, lint: true, requestConcurrent: 10, timeout: 30_000, bypassCache: false },
    config: { services: [] },
  });
});

it('tolerates unknown options, and nothing unknown outside of them', () => {
  expect(problems(withOpts({ futureOption: { deep: true } }))).toEqual([]);
  expect(problems({ task: { opts, config: {}, extra: 1 }, more: 2 })).toEqual([
    'task.extra: is not known here',
    'more: is not known here',
  ]);
});

it('says everything that is wrong at once', () => {
  expect(problems({ task: { opts: { backend: 'kong', server: 'nowhere', lint: 'yes', timeout: -1 } } }).sort()).toEqual(
    [
      'task.config: is required',
      'task.opts.backend: unknown backend; known are apisix, apisix-standalone',
      'task.opts.cacheKey: is required',
      'task.opts.lint: Invalid input: expected boolean, received string',
      'task.opts.server: must be an http:// or https:// URL',
      'task.opts.timeout: Too small: expected number to be >=0',
      'task.opts.token: is required',
    ],
  );
});

it.each([
  [{ server: 'ftp://gateway' }, 'task.opts.server'],
  [{ server: 'http://user:password@gateway' }, 'task.opts.server'],
  [{ server: [] }, 'task.opts.server'],
  [{ server: ['http://a', 'http://b'] }, 'task.opts.server: must hold one gateway'],
  [{ token: '' }, 'task.opts.token'],
  [{ cacheKey: '' }, 'task.opts.cacheKey'],
  [{ labelSelector: { a: 1 } }, 'task.opts.labelSelector.a'],
  [{ labelSelector: null }, 'task.opts.labelSelector'],
  [{ includeResourceType: ['services'] }, 'task.opts.includeResourceType[0]'],
  [{ includeResourceType: ['service'], excludeResourceType: ['ssl'] }, 'task.opts.excludeResourceType'],
  [{ requestConcurrent: 0 }, 'task.opts.requestConcurrent'],
  [{ timeout: '30s' }, 'task.opts.timeout'],
  [{ tlsClientCert: 'pem' }, 'task.opts.tlsClientKey: is required with tlsClientCert'],
  [{ tlsClientKey: 'pem' }, 'task.opts.tlsClientCert: is required with tlsClientKey'],
  [{ targets: [{ server: 'http://a' }] }, 'task.opts.targets: excludes server'],
  [{ server: undefined, targets: [] }, 'task.opts.targets'],
  [
    { backend: 'apisix-standalone', server: ['http://a', 'http://b'], token: 'one,two,three' },
    'task.opts.token: holds 3 tokens for 2 servers',
  ],
  [{ server: undefined, targets: [{ server: 'http://a', tlsClientKey: 'x' }] }, 'task.opts.targets[0].tlsClientCert'],
  [{ server: undefined, targets: [{ server: 'http://a', unknown: 1 }] }, 'task.opts.targets[0].unknown'],
  [{ server: undefined, token: undefined, targets: [{ server: 'http://a' }] }, 'task.opts.token: is required'],
  [{ token: 'a\r\nX-Other: b' }, 'task.opts.token: holds characters'],
  [{ labelSelector: JSON.parse('{"__proto__":"a"}') }, 'task.opts.labelSelector.__proto__: cannot be used'],
])('refuses %j', (more, expected) => {
  const found = problems(withOpts(more));
  expect(found.filter((problem) => problem.startsWith(expected))).toHaveLength(1);
});

it.each([
  null,
  1,
  'text',
  [],
  {},
  { task: null },
  { task: [] },
  { task: { opts: [], config: {} } },
  { task: { opts, config: [] } },
])('refuses %j', (document) => {
  expect(problems(document)).not.toEqual([]);
});

it('takes targets instead of server, with tokens of their own', () => {
  const targets = [{ server: 'http://a', token: 'one' }, { server: 'http://b' }];
  expect(problems(withOpts({ backend: 'apisix-standalone', server: undefined, targets }))).toEqual([]);
  expect(
    problems(withOpts({ backend: 'apisix-standalone', server: undefined, token: undefined, targets: [targets[0]] })),
  ).toEqual([]);
});

it('asks for no config where none is used', () => {
  expect(problems({ task: { opts } }, '/dump')).toEqual([]);
  expect(problems({ task: { opts, config: {} } }, '/dump')).toEqual(['task.config: is not known here']);
});
