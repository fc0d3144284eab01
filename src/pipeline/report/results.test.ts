import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { creation, resource, stateOf, update } from '../../../test/support/changes.js';
import { AdcError, GatewayError } from '../../model/errors.js';
import { diffReport, errorDocument, failureReport, lintReport, syncReport, validationReport } from './documents.js';
import { foldOutcomes, type ChangeOutcome, type SyncReport } from './fold.js';
import { liveLine, progressFigures, progressLine } from './progress.js';
import { reportLines, resultLine, resultSummary } from './results.js';

const now = new Date('2026-11-22T08:00:00Z');
const plain = picocolors.createColors(false);
const secret = 'planted-s3cret-value';
const shop = resource('service', 's1', { name: 'shop' });
const states = [stateOf(shop)];

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
    expect(line({ status: 'unknown', error: new Error('cut off') })).toMatch(
      /^\? create route: .*: sent, and it may have been applied, for no answer came: cut off$/,
    );
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

  it('tell of one request without an answer once, and say that it may have arrived', () => {
    const error = new GatewayError('unreachable', { method: 'PUT', url: 'http://b/configs', mayHaveActed: true });
    const outcomes = [creation(shop), list].map((change): ChangeOutcome => ({
      change,
      status: 'unknown',
      error,
      at: now,
      endpoint: 'http://b',
    }));
    const endpoints = [
      { server: 'http://a', success: true, at: now },
      { server: 'http://b', success: false, error, isUndecided: true, at: now },
    ];
    const said = 'sent, and it may have been applied, for no answer came: PUT http://b/configs: no answer';
    expect(reportLines(reportOf(outcomes, { endpoints }), text).slice(0, 4)).toEqual([
      `? 2 changes in one request: ${said}`,
      '✔ http://a',
      `✖ http://b: ${said}`,
      'Summary: 0 applied, 0 failed, 2 unknown',
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
