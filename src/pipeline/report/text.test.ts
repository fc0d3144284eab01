import { load } from 'js-yaml';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Change, FieldChange, Update } from '../../model/change.js';
import { AdcError, GatewayError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import type { Resource, State } from '../../model/resource.js';
import { fieldChanges } from '../diff/fields.js';
import { changeLines, changeSummary, emptiedLines, unmanagedLines } from './changes.js';
import { diffDocument, diffYaml } from './diff-file.js';
import { diffReport, errorDocument, failureReport, lintReport, syncReport, validationReport } from './documents.js';
import { foldOutcomes, type ChangeOutcome, type SyncReport } from './fold.js';
import { liveLine, progressFigures, progressLine } from './progress.js';
import { reportLines, resultLine, resultSummary } from './results.js';

const plain = picocolors.createColors(false);
const now = new Date('2026-11-22T08:00:00Z');
const secret = 'planted-s3cret-value';

function resource(kind: Resource['kind'], id: string, body: JsonObject, parent?: string): Resource {
  const name = typeof body['name'] === 'string' ? body['name'] : id;
  const own = { kind, id, key: kind === 'consumer_credential' ? `${kind}/ann/${id}` : `${kind}/${id}`, name, body };
  return parent === undefined ? own : { ...own, parent };
}

const stateOf = (...resources: readonly Resource[]): State => ({
  resources: new Map(resources.map((one) => [one.key, one])),
});

function update(current: Resource, desired: Resource, fields?: readonly FieldChange[]): Update {
  const { key, kind, id, name } = desired;
  const parentId = desired.parent?.slice(desired.parent.indexOf('/') + 1);
  const change = { type: 'update', key, kind, id, name, current, desired } as const;
  const whole: Update = { ...change, fields: fields ?? fieldChanges(current.body, desired.body) };
  return parentId === undefined ? whole : { ...whole, parentId };
}

function creation(desired: Resource): Change {
  const { key, kind, id, name } = desired;
  const parentId = desired.parent?.slice(desired.parent.indexOf('/') + 1);
  return { type: 'create', key, kind, id, name, desired, ...(parentId === undefined ? {} : { parentId }) };
}

function deletion(current: Resource): Change {
  const { key, kind, id, name } = current;
  return { type: 'delete', key, kind, id, name, current };
}

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

describe('progress', () => {
  it('is told in the words people know', () => {
    expect(progressLine({ total: 50, done: 12, failed: 0, running: 10 }, 3_000)).toBe(
      'progress 12/50 (24%) applied, 0 failed, elapsed 3s eta 9s',
    );
    expect(progressLine({ total: 50, done: 0, failed: 0, running: 10 }, 0)).toContain('eta ?');
    expect(progressLine({ total: 9_000, done: 3_000, failed: 40, running: 10 }, 61_000)).toBe(
      'progress 2960/9000 (33%) applied, 40 failed, elapsed 1m 1s eta 2m 2s',
    );
  });

  it('is at its end when all has ended, and before the first has not begun', () => {
    expect(progressFigures({ total: 4, done: 4, failed: 1, running: 0 }, 2_000)).toEqual({
      total: 4,
      applied: 3,
      failed: 1,
      percent: 100,
      rate: 2,
      elapsed: 2_000,
      eta: 0,
    });
    expect(progressFigures({ total: 0, done: 0, failed: 0, running: 0 }, 0)).toMatchObject({
      percent: 100,
      rate: 0,
      eta: 0,
    });
  });

  it('fits the width of the terminal', () => {
    for (const width of [10, 40, 60, 80, 200]) {
      const line = liveLine({ total: 100_000, done: 33_333, failed: 12, running: 10 }, 3_600_000 * 2, width);
      expect(line.length).toBeLessThan(Math.max(width, 1));
    }
    expect(liveLine({ total: 4, done: 2, failed: 0, running: 1 }, 1_000, 80)).toBe(
      '[###############...............] 2/4 50%  0 failed  2.0/s  eta 1s',
    );
  });
});

describe('the lines of a sync', () => {
  const list = creation(resource('route', 'r1', { name: 'list' }, 'service/s1'));
  const text = { colors: plain, states };
  const refused = new GatewayError('refused', {
    method: 'PUT',
    url: 'http://gw/apisix/admin/routes/r1',
    status: 400,
    statusText: 'Bad Request',
    gatewayText: 'invalid \u001B[31mconfiguration',
  });
  const line = (more: Partial<ChangeOutcome>): string =>
    resultLine({ change: list, status: 'applied', at: now, ...more }, text);

  it('say how each change ended and why', () => {
    expect(line({})).toBe('✔ create route: "list" in service "shop"');
    expect(line({ status: 'failed', error: refused })).toBe(
      '✖ create route: "list" in service "shop": PUT http://gw/apisix/admin/routes/r1, responded with status 400 Bad Request, error_msg: invalid \\u001b[31mconfiguration',
    );
    expect(line({ status: 'skipped', because: creation(shop) })).toBe(
      '- create route: "list" in service "shop" skipped: create service: "shop" failed',
    );
    expect(line({ status: 'aborted', error: new AdcError('aborted', 'not started: the job was stopped') })).toBe(
      '- create route: "list" in service "shop" not started: the job was stopped',
    );
    expect(line({ status: 'unknown', error: new Error('cut off') })).toMatch(/^\? .*not known: cut off$/);
    expect(line({ status: 'unchanged' })).toContain('in place already');
  });

  const reportOf = (outcomes: readonly ChangeOutcome[], more: Partial<SyncReport> = {}): SyncReport => {
    const folded = foldOutcomes({ changes: [], outcomes: [], now });
    const summary = { ...folded.summary, total: outcomes.length };
    for (const { status } of outcomes) summary[status] += 1;
    return { ...folded, outcomes, summary, success: outcomes.every(({ status }) => status === 'applied'), ...more };
  };

  it('leave out what succeeded, sum up, and say that another run completes it', () => {
    const report = reportOf([
      { change: creation(shop), status: 'applied', at: now },
      { change: list, status: 'failed', error: refused, at: now, blamed: true },
    ]);
    const lines = reportLines(report, text);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^✖ create route: "list"/);
    expect(lines[1]).toBe('Summary: 1 applied, 1 failed');
    expect(lines[2]).toContain('running the same command again completes it');
    expect(reportLines(reportOf([{ change: list, status: 'applied', at: now }]), text)).toEqual([
      'Summary: 1 applied, 0 failed',
    ]);
  });

  it('tell once what failed many changes in one request, and each endpoint', () => {
    const error = new AdcError('unreachable', 'PUT http://b/apisix/admin/configs: connect ECONNREFUSED');
    const outcomes = [creation(shop), list].map((change): ChangeOutcome => ({
      change,
      status: 'failed',
      error,
      at: now,
      endpoint: 'http://b',
      blamed: false,
    }));
    const endpoints = [
      { server: 'http://a', success: true, at: now },
      { server: 'http://b', success: false, error, at: now },
    ];
    expect(reportLines(reportOf(outcomes, { endpoints }), text).slice(0, 3)).toEqual([
      '✖ 2 changes in one request: PUT http://b/apisix/admin/configs: connect ECONNREFUSED',
      '✔ http://a',
      '✖ http://b: PUT http://b/apisix/admin/configs: connect ECONNREFUSED',
    ]);
  });

  it('count every ending there was', () => {
    const outcomes = (['applied', 'unchanged', 'failed', 'skipped', 'aborted', 'unknown'] as const).map(
      (status): ChangeOutcome => ({ change: list, status, at: now }),
    );
    expect(resultSummary(reportOf(outcomes))).toBe(
      'Summary: 1 applied, 1 already in place, 1 failed, 1 skipped, 1 not started, 1 unknown',
    );
  });
});

describe('documents for machines', () => {
  const failure = new GatewayError('refused', {
    method: 'PUT',
    url: 'http://gw/x',
    status: 400,
    gatewayText: 'no',
    headers: { 'x-api-key': secret },
  });

  it('of a diff hold what a person sees', () => {
    const facts = {
      changes: [{ ...update(shop, resource('service', 's1', { name: 'shop', hosts: ['h'] })), takesOver: 'why' }],
      emptied: [{ kind: 'ssl', deleted: 3 }] as const,
      unsupported: new Map([['stream_route/t', 'not before 3.7']]),
      unmanaged: new Map([['route/x', 'y']]),
      notices: [{ level: 'warning', message: 'careful', key: 'route/x' }] as const,
      version: '3.18.0',
    };
    expect(diffReport(facts)).toEqual({
      summary: { create: 0, update: 1, delete: 0 },
      changes: [
        {
          resourceType: 'service',
          type: 'update',
          resourceId: 's1',
          resourceName: 'shop',
          diff: [{ kind: 'N', path: ['hosts'], rhs: ['h'] }],
          takesOver: 'why',
        },
      ],
      warnings: ['all 3 SSLs will be deleted'],
      unsupported: [{ key: 'stream_route/t', reason: 'not before 3.7' }],
      unmanaged: 1,
      notices: [{ level: 'warning', message: 'careful', key: 'route/x' }],
      version: '3.18.0',
    });
  });

  it('of a sync hold a result for each change', () => {
    const report = foldOutcomes({ changes: [creation(shop)], outcomes: [], now });
    expect(syncReport(report, { notices: [], emptied: [] })).toMatchObject({
      success: true,
      summary: { total: 1, unchanged: 1 },
      results: [
        {
          resourceType: 'service',
          type: 'create',
          resourceId: 's1',
          status: 'unchanged',
          at: '2026-11-22T08:00:00.000Z',
        },
      ],
      repairs: [],
      endpoints: [],
    });
  });

  it('of failures name code, request and the gateway’s words, and no header', () => {
    expect(errorDocument(failure)).toEqual({
      code: 'refused',
      message: 'PUT http://gw/x, responded with status 400, error_msg: no',
      request: { method: 'PUT', url: 'http://gw/x' },
      status: 400,
      gatewayText: 'no',
    });
    expect(errorDocument(new TypeError('odd'))).toEqual({ message: 'odd' });
    const problem = {
      message: 'bad',
      file: '/a.yaml',
      line: 2,
      column: 3,
      path: ['services', 0, 'name'],
      excerpt: secret,
    };
    expect(failureReport(new AdcError('lint', 'lint failed', { problems: [problem] }))).toEqual({
      success: false,
      error: {
        code: 'lint',
        message: 'lint failed',
        problems: [{ message: 'bad', file: '/a.yaml', line: 2, column: 3, path: 'services[0].name' }],
      },
    });
  });

  it('of validate and lint say whether all is well', () => {
    const issue = { collection: 'routes', id: 'r1', name: 'list', index: 0, message: 'uri is missing' } as const;
    expect(validationReport({ depth: 'full', issues: [issue], notices: [] })).toEqual({
      success: false,
      depth: 'full',
      errors: [{ collection: 'routes', message: 'uri is missing', id: 'r1', name: 'list', index: 0 }],
      notices: [],
    });
    expect(lintReport([])).toEqual({ success: true, errors: [], notices: [] });
    expect(lintReport([{ message: 'x' }])).toMatchObject({ success: false, errors: [{ message: 'x' }] });
  });
});
