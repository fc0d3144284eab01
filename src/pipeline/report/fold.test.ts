import { describe, expect, it } from 'vitest';
import type { Change } from '../../model/change.js';
import { AdcError, GatewayError } from '../../model/errors.js';
import type { Operation } from '../../model/operation.js';
import type { Resource, State } from '../../model/resource.js';
import type { OperationOutcome, OperationStatus } from '../apply/outcome.js';
import { findEmptied, emptiedText } from './emptied.js';
import { foldOutcomes } from './fold.js';

const now = new Date('2026-11-22T08:00:00Z');
const earlier = new Date('2026-11-22T07:59:00Z');

function resource(kind: Resource['kind'], id: string, parent?: string): Resource {
  const own = { kind, id, key: `${kind}/${id}`, name: id, body: { name: id } };
  return parent === undefined ? own : { ...own, parent };
}

function creation(kind: Resource['kind'], id: string): Change {
  const desired = resource(kind, id);
  return { type: 'create', key: desired.key, kind, id, name: id, desired };
}

function outcome(
  id: string,
  status: OperationStatus,
  changes: readonly string[],
  more: Partial<OperationOutcome> & { readonly endpoint?: string } = {},
): OperationOutcome {
  const { endpoint = 'http://a', ...rest } = more;
  const operation: Operation = {
    id,
    endpoint,
    method: 'PUT',
    path: `/${id}`,
    object: id,
    references: [],
    releases: [],
    claims: [],
    frees: [],
    serves: [],
    changes,
  };
  return { operation, status, at: now, attempts: 1, ...rest };
}

const shop = creation('service', 'shop');
const list = creation('route', 'list');
const refusal = new GatewayError('refused', {
  method: 'PUT',
  url: 'http://a/routes/list',
  status: 400,
  gatewayText: 'no',
});

describe('one result for each change', () => {
  it('folds the two objects of a service into one', () => {
    const report = foldOutcomes({
      changes: [shop],
      outcomes: [
        outcome('upstreams/shop', 'applied', ['service/shop'], { at: earlier }),
        outcome('services/shop', 'applied', ['service/shop']),
      ],
      now,
    });
    expect(report.outcomes).toEqual([{ change: shop, status: 'applied', at: now, endpoint: 'http://a' }]);
    expect(report.summary).toMatchObject({ total: 1, applied: 1 });
    expect(report.success).toBe(true);
  });

  it.each<[OperationStatus, OperationStatus, OperationStatus]>([
    ['applied', 'failed', 'failed'],
    ['skipped', 'failed', 'failed'],
    ['applied', 'unknown', 'unknown'],
    ['applied', 'skipped', 'skipped'],
    ['applied', 'aborted', 'aborted'],
    ['unchanged', 'applied', 'applied'],
    ['unchanged', 'unchanged', 'unchanged'],
  ])('of %s and %s makes %s, in either order', (one, other, expected) => {
    const outcomes = [outcome('a', one, ['service/shop']), outcome('b', other, ['service/shop'])];
    for (const order of [outcomes, outcomes.toReversed()]) {
      expect(foldOutcomes({ changes: [shop], outcomes: order, now }).outcomes[0]?.status).toBe(expected);
    }
  });

  it('names the change that is the reason for a skipped one', () => {
    const { outcomes } = foldOutcomes({
      changes: [shop, list],
      outcomes: [
        outcome('services/shop', 'failed', ['service/shop'], { error: refusal }),
        outcome('routes/list', 'skipped', ['route/list'], { because: 'services/shop' }),
      ],
      now,
    });
    expect(outcomes).toMatchObject([
      { status: 'failed', error: refusal, blamed: true },
      { status: 'skipped', because: shop },
    ]);
  });

  it('takes a change that needed no operation for done', () => {
    expect(foldOutcomes({ changes: [shop], outcomes: [], now }).outcomes).toEqual([
      { change: shop, status: 'unchanged', at: now },
    ]);
  });

  it('makes a failed result of each resource that the gateway cannot hold', () => {
    const route = resource('stream_route', 'mysql', 'service/tcp');
    const desired: State = { resources: new Map([[route.key, route]]) };
    const unsupported = new Map([[route.key, 'stream routes cannot belong to a service before 3.7']]);
    const report = foldOutcomes({ changes: [], outcomes: [], unsupported, desired, now });
    expect(report.success).toBe(false);
    expect(report.outcomes).toMatchObject([
      {
        change: { type: 'create', kind: 'stream_route', id: 'mysql', parentId: 'tcp' },
        status: 'failed',
        blamed: true,
      },
    ]);
    expect(report.outcomes[0]?.error).toMatchObject({ code: 'unsupported' });
  });
});

describe('one request with several changes', () => {
  const both = ['service/shop', 'route/list'];

  it('puts the blame where the gateway put it, in its words', () => {
    const error = new GatewayError('refused', {
      method: 'PUT',
      url: 'http://a/configs',
      status: 400,
      gatewayText: 'all of it',
      blamed: new Map([['route/list', 'uri is missing']]),
    });
    const { outcomes } = foldOutcomes({
      changes: [shop, list],
      outcomes: [outcome('configs', 'failed', both, { error })],
      now,
    });
    expect(outcomes).toMatchObject([
      { status: 'failed', blamed: false, error },
      {
        status: 'failed',
        blamed: true,
        error: { message: expect.stringContaining('error_msg: uri is missing') as string },
      },
    ]);
  });

  it('blames nobody where the gateway blamed nobody', () => {
    const error = new AdcError('unreachable', 'refused');
    const { outcomes } = foldOutcomes({
      changes: [shop, list],
      outcomes: [outcome('configs', 'failed', both, { error })],
      now,
    });
    expect(outcomes.map(({ blamed }) => blamed)).toEqual([false, false]);
  });

  it('blames nobody for a whole document that carries one change, unless the gateway does', () => {
    const fold = (error: Error): unknown =>
      foldOutcomes({ changes: [shop], outcomes: [outcome('configs', 'failed', ['service/shop'], { error })], now })
        .outcomes[0]?.blamed;
    const failure = { method: 'PUT', url: 'http://a/configs' };
    expect(fold(new GatewayError('unreachable', failure))).toBe(false);
    expect(fold(new GatewayError('refused', { ...failure, blamed: new Map([['service/shop', 'no']]) }))).toBe(true);
  });

  it('shows what is blamed although nothing changes it', () => {
    const old = resource('ssl', 'old');
    const current: State = { resources: new Map([[old.key, old]]) };
    const blamed = new Map([
      [old.key, 'cert expired'],
      ['ssl/unknown', 'whatever'],
    ]);
    const error = new GatewayError('refused', { method: 'PUT', url: 'http://a/configs', status: 400, blamed });
    const failed = ['http://a', 'http://b'].map((endpoint) => outcome('configs', 'failed', both, { error, endpoint }));
    const { outcomes } = foldOutcomes({ changes: [shop, list], outcomes: failed, current, now });
    expect(outcomes.map(({ change, blamed }) => [change.type, change.key, blamed])).toEqual([
      ['create', 'service/shop', false],
      ['create', 'route/list', false],
      ['update', 'ssl/old', true],
    ]);
    expect(String(outcomes[2]?.error)).toContain('cert expired');
  });

  it('fails what the endpoint refused although the request went through', () => {
    const refused = new Map([['route/list', 'unknown plugin']]);
    const report = foldOutcomes({
      changes: [shop, list],
      outcomes: [outcome('configs', 'applied', both, { refused })],
      now,
    });
    expect(report.outcomes).toMatchObject([
      { status: 'applied' },
      { status: 'failed', error: { message: expect.stringMatching(/^PUT http:\S+: unknown plugin$/) } },
    ]);
    expect(report.success).toBe(false);
  });
});

describe('endpoints and repairs', () => {
  it('says of each endpoint how it went, with its first failure', () => {
    const error = new AdcError('unreachable', 'connect ECONNREFUSED');
    const report = foldOutcomes({
      changes: [shop],
      outcomes: [
        outcome('a', 'applied', ['service/shop'], { at: earlier }),
        outcome('a2', 'applied', []),
        outcome('b', 'failed', ['service/shop'], { endpoint: 'http://b', error }),
        outcome('b2', 'skipped', [], { endpoint: 'http://b' }),
      ],
      now,
    });
    expect(report.endpoints).toEqual([
      { server: 'http://a', success: true, at: now },
      { server: 'http://b', success: false, error, at: now },
    ]);
    expect(report.outcomes).toMatchObject([{ status: 'failed', endpoint: 'http://b' }]);
  });

  it('is no success where a repair failed, although every change went through', () => {
    const report = foldOutcomes({
      changes: [],
      outcomes: [outcome('DELETE upstreams/x', 'failed', [], { error: refusal })],
      now,
    });
    expect(report).toMatchObject({ success: false, summary: { total: 0 }, repairs: [{ status: 'failed' }] });
  });
});

describe('an emptied collection', () => {
  const deletion = (current: Resource): Change => ({
    type: 'delete',
    key: current.key,
    kind: current.kind,
    id: current.id,
    name: current.name,
    current,
  });
  const stateOf = (...resources: readonly Resource[]): State => ({
    resources: new Map(resources.map((one) => [one.key, one])),
  });
  const current = stateOf(
    resource('service', 'a'),
    resource('service', 'b'),
    resource('ssl', 'c'),
    resource('route', 'r', 'service/a'),
  );
  const changes = ['service/a', 'service/b', 'route/r'].map((key) => deletion(current.resources.get(key) as Resource));

  it('is one of which nothing in scope is left', () => {
    expect(findEmptied(changes, stateOf(), current, new Map())).toEqual([{ kind: 'service', deleted: 2 }]);
    expect(findEmptied(changes.slice(1), stateOf(), current, new Map([['service/a', 'why']]))).toEqual([
      { kind: 'service', deleted: 1 },
    ]);
  });

  it('is none where something is left, or wanted', () => {
    expect(findEmptied(changes.slice(1), stateOf(), current, new Map())).toEqual([]);
    expect(findEmptied(changes, stateOf(resource('service', 'new')), current, new Map())).toEqual([]);
    expect(findEmptied([], stateOf(), current, new Map())).toEqual([]);
  });

  it('is said in plain words', () => {
    expect(emptiedText({ kind: 'service', deleted: 12 })).toBe('all 12 services will be deleted');
    expect(emptiedText({ kind: 'global_rule', deleted: 1 })).toBe('the only global rule will be deleted');
  });
});
