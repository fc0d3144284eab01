import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.js';
import { kinds, type Kind } from '../../model/kinds.js';
import { resourceKey, type Resource, type ResourceKey, type State } from '../../model/resource.js';
import { diff } from './diff.js';
import { leaveInUse } from './in-use.js';
import { showTakenUpstreams } from './own-upstreams.js';
import { scopeOf } from './scope.js';

function resource(kind: Kind, id: string, body: JsonObject = {}, parent?: string): Resource {
  const own = { kind, id, key: resourceKey(kind, id), name: id, body };
  return parent === undefined ? own : { ...own, parent };
}

interface More {
  readonly outside?: Readonly<Record<ResourceKey, string>>;
  readonly references?: Readonly<Record<ResourceKey, readonly ResourceKey[]>>;
}

function stateOf(resources: readonly Resource[], { outside, references }: More = {}): State {
  return {
    resources: new Map(resources.map((one) => [one.key, one])),
    ...(outside === undefined ? {} : { outside: new Map(Object.entries(outside)) }),
    ...(references === undefined ? {} : { references: new Map(Object.entries(references)) }),
  };
}

const nothing = stateOf([]);
const alone = 'it belongs to no service';

describe('what is in use', () => {
  const current = stateOf(
    [
      resource('route', 'stranger'),
      resource('upstream', 'pool'),
      resource('ssl', 'cert'),
      resource('plugin_config', 'config'),
      resource('upstream', 'idle'),
      resource('service', 's'),
    ],
    {
      outside: { 'route/stranger': alone },
      references: {
        'route/stranger': ['upstream/pool', 'plugin_config/config', 'upstream/nowhere', 'service/s'],
        'upstream/pool': ['ssl/cert'],
        'upstream/idle': ['ssl/cert'],
      },
    },
  );
  const unmanaged = new Map([['route/stranger', alone]]);

  it('by what is unmanaged stays, and so does what that uses', () => {
    expect([...leaveInUse(current, nothing, unmanaged)]).toEqual([
      ['route/stranger', alone],
      ['upstream/pool', 'it is in use by route "stranger", which is left alone'],
      ['plugin_config/config', 'it is in use by route "stranger", which is left alone'],
      ['ssl/cert', 'it is in use by upstream "pool", which is left alone'],
    ]);
  });

  it('by what is taken over is no longer in use', () => {
    const desired = stateOf([resource('route', 'stranger', {}, 'service/s'), resource('service', 's')]);
    expect(leaveInUse(current, desired, unmanaged)).toBe(unmanaged);
  });

  it('is what the configuration names, whoever uses it', () => {
    const desired = stateOf([resource('upstream', 'pool')]);
    const reasons = leaveInUse(current, desired, unmanaged);
    expect([...reasons.keys()]).toEqual(['route/stranger', 'plugin_config/config']);
  });

  it('by a desired resource stays as well, although the configuration does not hold it', () => {
    const desired = stateOf([
      resource('service', 's', { upstream_id: 'idle' }),
      resource('consumer', 'ann', { group_id: 'gold' }),
    ]);
    const held = stateOf([resource('upstream', 'idle'), resource('consumer_group', 'gold'), resource('ssl', 'x')]);
    expect([...leaveInUse(held, desired, new Map())]).toEqual([
      ['upstream/idle', 'service "s" of the configuration refers to it'],
      ['consumer_group/gold', 'consumer "ann" of the configuration refers to it'],
    ]);
  });

  it('is what the upstream uses that a service leaves to a stranger', () => {
    const held = stateOf(
      [resource('service', 's', { upstream: {} }), resource('ssl', 'cert'), resource('route', 'r')],
      {
        outside: { 'route/r': alone },
        references: {
          'service/s': ['upstream/s', 'ssl/cert'],
          'upstream/s': ['ssl/cert'],
          'route/r': ['upstream/s'],
        },
      },
    );
    const given = new Map([['route/r', alone]]);
    expect(leaveInUse(held, nothing, given).get('ssl/cert')).toBe('it is in use by upstream "s", which is left alone');
    const another = stateOf([resource('service', 's', { upstream_id: 'u' })]);
    expect(leaveInUse(held, another, given).has('ssl/cert')).toBe(true);
    const same = stateOf([resource('service', 's', { upstream: { nodes: [] } })]);
    expect(leaveInUse(held, same, given)).toBe(given);
  });

  it('is not what a leftover uses that goes with this job, unless that is in use itself', () => {
    const why = 'the configuration does not mention upstreams';
    const resources = [resource('upstream', 'left'), resource('ssl', 'cert'), resource('route', 'r')];
    const references = { 'upstream/left': ['ssl/cert'] };
    const leftovers = new Map([['upstream/left', 'service/gone']]);
    const held = { ...stateOf(resources, { references }), leftovers };
    const given = new Map([['upstream/left', why]]);
    expect(leaveInUse(held, nothing, given, () => true).has('ssl/cert')).toBe(false);
    expect(leaveInUse(held, nothing, given, () => false).has('ssl/cert')).toBe(true);
    const more = { references: { ...references, 'route/r': ['upstream/left'] }, outside: { 'route/r': alone } };
    const used = { ...stateOf(resources, more), leftovers };
    const both = new Map([...given, ['route/r', alone]]);
    expect(leaveInUse(used, nothing, both, () => true).get('ssl/cert')).toBe(
      'it is in use by upstream "left", which is left alone',
    );
  });

  it('is the certificate in a route’s inline upstream, as long as an update keeps that', () => {
    const held = stateOf([resource('ssl', 'cert'), resource('route', 'r')], {
      references: { 'route/r': ['ssl/cert'] },
    });
    expect([...leaveInUse(held, stateOf([resource('route', 'r')]), new Map()).keys()]).toEqual(['ssl/cert']);
    expect(leaveInUse(held, stateOf([resource('route', 'r', { upstream_id: 'u' })]), new Map()).size).toBe(0);
    expect(leaveInUse(held, nothing, new Map()).size).toBe(0);
  });
});

describe('what is outside', () => {
  const orphan = resource('route', 'orphan', {}, 'service/s');
  const current = stateOf([orphan, resource('route', 'lone')], {
    outside: { 'route/orphan': 'its service "s" does not exist', 'route/lone': alone },
  });
  const everything = { mentioned: new Set(kinds) };

  it.each([{}, { labels: { team: 'x' } }, { include: ['service'] }])('is outside of every scope', (scope) => {
    expect([...scopeOf(current, { ...everything, ...scope })]).toEqual([
      ['route/orphan', 'its service "s" does not exist'],
      ['route/lone', alone],
    ]);
  });

  it.each([{}, { labels: { team: 'x' } }])('comes into reach with the service it is nested in', (scope) => {
    const desired = stateOf([resource('service', 's', { labels: { team: 'x' } })]);
    const unmanaged = scopeOf(current, { ...everything, ...scope }, desired);
    expect([...unmanaged.keys()]).toEqual(['route/lone']);
    expect(diff({ desired, current, unmanaged }).map(({ type, key }) => `${type} ${key}`)).toEqual([
      'create service/s',
      'delete route/orphan',
    ]);
  });

  it('stays out of reach where services are excluded', () => {
    const desired = stateOf([resource('service', 's')]);
    expect(scopeOf(current, { ...everything, exclude: ['service'] }, desired).get('route/orphan')).toBeDefined();
  });

  it('is never deleted, even where nobody worked out a scope', () => {
    expect(diff({ desired: nothing, current, unmanaged: new Map() })).toEqual([]);
  });

  it('is an update that takes over where it is desired', () => {
    const desired = stateOf([resource('service', 's'), resource('route', 'lone', { uris: ['/'] }, 'service/s')]);
    expect(diff({ desired, current, unmanaged: new Map() })).toMatchObject([
      { type: 'create', key: 'service/s' },
      {
        type: 'update',
        key: 'route/lone',
        takesOver: alone,
        fields: [
          { kind: 'N', path: ['service_id'], rhs: 's' },
          { kind: 'N', path: ['uris'] },
        ],
      },
      { type: 'delete', key: 'route/orphan' },
    ]);
  });
});

describe('the upstream that a service has as its own', () => {
  const service = resource('service', 'x', { upstream: { nodes: [] } });
  const current = stateOf([service], { references: { 'service/x': ['upstream/x'] } });
  const unmanaged = new Map([['service/x', 'it does not carry the label team=x']]);
  const desired = stateOf([resource('upstream', 'x', { name: 'x', nodes: [] })]);

  it('is seen where another is to take its place', () => {
    const seen = showTakenUpstreams({ current, unmanaged }, desired);
    expect(seen.current.resources.get('upstream/x')?.body).toEqual({ name: 'x', nodes: [] });
    expect(seen.unmanaged.get('upstream/x')).toBe('it is the upstream of service "x", which is left alone');
    expect(current.resources.has('upstream/x')).toBe(false);
  });

  it.each<[string, State, State, ReadonlyMap<ResourceKey, string>]>([
    ['nobody wants its place', current, nothing, unmanaged],
    ['the service is managed', current, desired, new Map()],
    ['the service is taken over', current, stateOf([...desired.resources.values(), service]), unmanaged],
    ['it stands inside the service', stateOf([service]), desired, unmanaged],
  ])('is not where %s', (_, held, wanted, reasons) => {
    const given = { current: held, unmanaged: reasons };
    const seen = showTakenUpstreams(given, wanted);
    expect([seen.current, seen.unmanaged]).toEqual([held, reasons]);
    expect(seen.current).toBe(held);
  });
});
