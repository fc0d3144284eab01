import { load } from 'js-yaml';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { creation, deletion, resource, stateOf, update } from '../../../test/support/changes.js';
import type { FieldChange } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { Resource } from '../../model/resource.js';
import { changeLines, changeSummary, emptiedLines, unmanagedLines } from './changes.js';
import { diffDocument, diffYaml } from './diff-file.js';
import { diffReport } from './documents.js';

const plain = picocolors.createColors(false);
const secret = 'planted-s3cret-value';
const shop = resource('service', 's1', { name: 'shop' });
const states = [stateOf(shop)];

describe('the lines of a diff', () => {
  it('show each change, and each field of an update, old → new', () => {
    const current = resource(
      'route',
      'r1',
      { name: 'list', uris: ['/a', '/b'], priority: 1, labels: { x: 'y' } },
      'service/s1',
    );
    const desired = resource(
      'route',
      'r1',
      { name: 'list', uris: ['/a'], priority: 2, plugins: { 'limit-count': { count: 5 } } },
      'service/s1',
    );
    const lines = [
      creation(shop),
      update(current, desired),
      deletion(resource('ssl', 'c', { name: 'a.test,b.test' })),
    ].flatMap((change) => changeLines(change, { colors: plain, states }));
    expect(lines).toEqual([
      '+ create service: "shop"',
      '~ update route: "list" in service "shop"',
      '    - labels: {"x":"y"}',
      '    + plugins: {"limit-count":{"count":5}}',
      '    ~ priority: 1 → 2',
      '    - uris[1]: "/b"',
      '- delete ssl: "a.test,b.test"',
    ]);
  });

  it('cut long values, escape control characters and name what is taken over or forced', () => {
    const old = resource('route', 'r1', { name: 'x', filter_func: 'f'.repeat(5000) });
    const wanted = resource('route', 'r1', { name: 'x\u001B[2J\u009B', filter_func: 'g' });
    const lines = changeLines(
      { ...update(old, wanted), takesOver: 'it does not carry the label team=a' },
      { colors: plain, states: [] },
    );
    expect(lines[0]).toBe('~ update route: "x\\u001b[2J\\u009b"');
    expect(lines[1]).toBe('    takes it over: it does not carry the label team=a');
    expect(lines.join('\n')).toContain('… (5,002 characters) → "g"');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(260);
    // oxlint-disable-next-line no-control-regex
    expect(lines.join('')).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
    expect(changeLines(update(old, old, []), { colors: plain, states: [] })[1]).toContain('sent again');
  });

  it('colour titles by type where colours are wanted', () => {
    const colors = picocolors.createColors(true);
    expect(changeLines(creation(shop), { colors, states })[0]).toContain(colors.green('+ create service: "shop"'));
  });

  it('sum up', () => {
    const changes = [creation(shop), update(shop, shop, []), deletion(shop), deletion(shop)];
    expect(changeSummary(changes)).toBe('Summary: 1 will be created, 1 will be updated, 2 will be deleted');
    expect(emptiedLines([{ kind: 'service', deleted: 12 }], plain)).toEqual([
      'Warning: all 12 services will be deleted',
    ]);
    expect(unmanagedLines(new Map([['service/s1', 'it does not carry the label a=b']]), stateOf(shop))).toEqual([
      'left alone: service "shop": it does not carry the label a=b',
    ]);
  });
});

describe('secrets', () => {
  const keyOf = (end: string): string => `-----BEGIN PRIVATE KEY-----\n${secret}${end}\n-----END PRIVATE KEY-----`;
  /** Pairs of bodies that differ in a secret, in every place that can hold one. */
  const pairs: readonly (readonly [Resource['kind'], (value: string) => JsonObject])[] = [
    ['ssl', (value) => ({ snis: ['a'], certificates: [{ certificate: 'c', key: keyOf(value) }] })],
    ['service', (value) => ({ name: 's', upstream: { tls: { client_cert: 'c', client_key: keyOf(value) } } })],
    ['upstream', (value) => ({ name: 'u', tls: { client_cert: 'c', client_key: keyOf(value) } })],
    ['consumer', (value) => ({ username: 'ann', plugins: { 'key-auth': { key: `${secret}${value}` } } })],
    [
      'consumer_credential',
      (value) => ({ name: 'k', type: 'jwt-auth', config: { key: 'k', secret: `${secret}${value}` } }),
    ],
    ['route', (value) => ({ name: 'r', plugins: { 'openid-connect': { client_secret: `${secret}${value}` } } })],
    ['route', (value) => ({ name: 'r', vars: [['http_x_api_key', '==', `${secret}${value}`]] })],
    [
      'route',
      (value) => ({ name: 'r', plugins: { x: { headers: [{ name: 'X-Api-Key', value: `${secret}${value}` }] } } }),
    ],
    ['global_rule', (value) => ({ endpoint: 'e', auth: { password: `${secret}${value}` } })],
    ['plugin_metadata', (value) => ({ access_token: `${secret}${value}` })],
  ];

  it.each(pairs)('of a %s are in no line, no document and no file (%#)', (kind, bodyOf) => {
    const [current, desired] = [resource(kind, 'x', bodyOf('-old')), resource(kind, 'x', bodyOf('-new'))];
    const changes = [update(current, desired), creation(desired), deletion(current)];
    const facts = { changes, desired: stateOf(desired), current: stateOf(current) };
    const report = { ...facts, emptied: [], unsupported: new Map(), unmanaged: new Map(), notices: [] };
    const shown = [
      ...changes.flatMap((change) => changeLines(change, { colors: plain, states: [] })),
      ...diffYaml(facts),
      JSON.stringify(diffReport(report)),
    ].join('\n');
    expect(shown).not.toContain(secret);
    expect(shown).toContain('a secret that differs');

    const clear = [
      ...changes.flatMap((change) => changeLines(change, { colors: plain, states: [], showSecrets: true })),
      ...diffYaml(facts, { showSecrets: true }),
    ].join('\n');
    expect(clear).toContain(`${secret}-old`);
    expect(clear).toContain(`${secret}-new`);
  });

  it('that are added or removed whole are masked inside', () => {
    const bare = resource('consumer', 'ann', { username: 'ann' });
    const withKey = resource('consumer', 'ann', { username: 'ann', plugins: { 'key-auth': { key: secret } } });
    for (const change of [update(bare, withKey), update(withKey, bare)]) {
      const lines = changeLines(change, { colors: plain, states: [] }).join('\n');
      expect(lines).toContain('plugins: {"key-auth":{"key":"***"}}');
      expect(lines).not.toContain(secret);
    }
  });

  it('stay hidden where both sides were normalised into another shape', () => {
    const current = resource('route', 'r', { name: 'r', vars: [['http_x_api_key', '==', secret]] });
    const desired = resource('route', 'r', { name: 'r', vars: [['http_x_api_key', '==', 5]] });
    const fields: readonly FieldChange[] = [{ kind: 'E', path: ['vars', 0, 2], lhs: `${secret}!`, rhs: `${secret}?` }];
    expect(changeLines(update(current, desired, fields), { colors: plain, states: [] }).join('\n')).not.toContain(
      secret,
    );
  });
});

describe('diff.yaml', () => {
  const route = resource('route', 'r1', { name: 'list', uris: ['/items'] }, 'service/s1');
  const stream = resource('stream_route', 't1', { name: 'tcp' }, 'service/s1');
  const named = resource('upstream', 'u1', { name: 'canary', nodes: [] }, 'service/s1');
  const whole = stateOf(shop, route, stream, named);

  it('lists every change with its keys in their order, and what is nested in a created or deleted parent', () => {
    const changes = [
      creation(shop),
      creation(route),
      deletion(shop),
      update(shop, resource('service', 's1', { name: 'shop', hosts: ['h'] })),
    ];
    const entries = [...diffDocument({ changes, desired: whole, current: whole })];
    expect(entries.map((entry) => Object.keys(entry))).toEqual([
      ['resourceType', 'type', 'resourceId', 'resourceName', 'newValue'],
      ['resourceType', 'type', 'resourceId', 'resourceName', 'newValue', 'parentId'],
      ['resourceType', 'type', 'resourceId', 'resourceName', 'oldValue'],
      ['resourceType', 'type', 'resourceId', 'resourceName', 'oldValue', 'newValue', 'diff'],
    ]);
    const nested = { routes: [route.body], stream_routes: [stream.body], upstreams: [named.body] };
    expect(entries[0]).toMatchObject({
      resourceType: 'service',
      type: 'create',
      newValue: { name: 'shop', ...nested },
    });
    expect(entries[2]).toMatchObject({ oldValue: nested });
    expect(entries[3]).toMatchObject({
      oldValue: { name: 'shop' },
      newValue: { name: 'shop', hosts: ['h'] },
      diff: [{ kind: 'N', path: ['hosts'], rhs: ['h'] }],
    });
    expect(entries[3]?.['newValue']).not.toHaveProperty('routes');
  });

  it('is YAML that reads back as it was, kinds quoted, without anchors', () => {
    const changes = [update(shop, resource('service', 's1', { name: 'shop', hosts: ['h'] })), creation(route)];
    const facts = { changes, desired: whole, current: whole };
    const text = [...diffYaml(facts)].join('');
    expect(load(text)).toEqual([...diffDocument(facts)]);
    expect(text).toContain("kind: 'N'");
    expect(text).not.toMatch(/[&*]ref/);
    expect([...diffYaml({ ...facts, changes: [] })].join('')).toBe('[]\n');
  });

  it('names the consumer of a credential', () => {
    const key = resource('consumer_credential', 'k', { name: 'k', type: 'key-auth', config: {} }, 'consumer/ann');
    const ann = resource('consumer', 'ann', { username: 'ann' });
    const [consumer, credential] = [
      ...diffDocument({ changes: [creation(ann), creation(key)], desired: stateOf(ann, key), current: stateOf() }),
    ];
    expect(consumer).toMatchObject({ newValue: { username: 'ann', credentials: [{ name: 'k' }] } });
    expect(credential).toMatchObject({ parentId: 'ann' });
  });
});
