import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../model/json.js';
import { kinds, type Kind } from '../../model/kinds.js';
import { resourceKey, type Resource, type State } from '../../model/resource.js';
import { scopeOf, type Scope } from './scope.js';

function resource(kind: Kind, id: string, labels?: JsonObject, parent?: string): Resource {
  const key = resourceKey(kind, id, parent?.slice(parent.indexOf('/') + 1));
  const own = { kind, id, key, name: `the ${id}`, body: labels === undefined ? {} : { labels } };
  return parent === undefined ? own : { ...own, parent };
}

const all: ReadonlySet<Kind> = new Set(kinds);

/** One of every kind, each nested one in the service or consumer of that label. */
function everything(labels: JsonObject): State {
  const resources = [
    resource('service', 's', labels),
    resource('route', 'r', undefined, 'service/s'),
    resource('stream_route', 'sr', undefined, 'service/s'),
    resource('upstream', 'named', undefined, 'service/s'),
    resource('upstream', 'shared', labels),
    resource('ssl', 'c', labels),
    resource('consumer', 'ann', labels),
    resource('consumer_credential', 'k', undefined, 'consumer/ann'),
    resource('consumer_group', 'g', labels),
    resource('plugin_config', 'p', labels),
    resource('global_rule', 'cors'),
    resource('plugin_metadata', 'syslog'),
  ];
  return { resources: new Map(resources.map((one) => [one.key, one])) };
}

const unmanagedKeys = (state: State, scope: Scope): string[] => [...scopeOf(state, scope).keys()].sort();

describe('labels', () => {
  it('keep everything that carries all pairs, and what is never filtered', () => {
    const scope = { labels: { team: 'a', env: 'x' }, mentioned: all };
    expect(unmanagedKeys(everything({ team: 'a', env: 'x', more: 'y' }), scope)).toEqual([]);
  });

  it.each<[string, JsonObject]>([
    ['a missing label', { team: 'a' }],
    ['another value', { team: 'a', env: 'z' }],
    ['a list, even of that value', { team: 'a', env: ['x'] }],
    ['no label of its own but an inherited name', { team: 'a', toString: 'x' }],
  ])('leave alone what has %s, with all that is nested in it', (_, labels) => {
    const unmanaged = scopeOf(everything(labels), { labels: { team: 'a', env: 'x' }, mentioned: all });
    expect([...unmanaged.keys()].sort()).toEqual([
      'consumer/ann',
      'consumer_credential/ann/k',
      'consumer_group/g',
      'plugin_config/p',
      'route/r',
      'service/s',
      'ssl/c',
      'stream_route/sr',
      'upstream/named',
      'upstream/shared',
    ]);
    expect(unmanaged.get('service/s')).toBe('it does not carry the label env=x');
    expect(unmanaged.get('route/r')).toBe('its service "the s" is left alone: it does not carry the label env=x');
    expect(unmanaged.get('consumer_credential/ann/k')).toContain('its consumer "the ann" is left alone');
  });

  it('leave alone what is nested in nothing', () => {
    const orphan = resource('route', 'r', { team: 'a' }, 'service/gone');
    const state = { resources: new Map([[orphan.key, orphan]]) };
    expect(scopeOf(state, { labels: { team: 'a' }, mentioned: all }).get('route/r')).toBe('its service does not exist');
    expect(scopeOf(state, { mentioned: all }).size).toBe(0);
  });
});

describe('what is nested in a desired parent', () => {
  const scope = { labels: { team: 'a' }, mentioned: all };
  const current = everything({ team: 'b' });
  const held = (key: string): Resource => current.resources.get(key) ?? resource('route', key);
  const wanted = { resources: new Map([['service/s', held('service/s')]]) };

  it('comes into scope with a service that is taken over, and goes where it is not desired', () => {
    const unmanaged = scopeOf(current, scope, wanted);
    expect(unmanaged.get('service/s')).toBe('it does not carry the label team=a');
    expect(['route/r', 'stream_route/sr', 'upstream/named'].filter((key) => unmanaged.has(key))).toEqual([]);
    expect(unmanaged.has('consumer_credential/ann/k')).toBe(true);
  });

  it('says why it was left alone so far where it is desired itself', () => {
    const both = { resources: new Map([...wanted.resources, ['route/r', held('route/r')]]) };
    expect(scopeOf(current, scope, both).get('route/r')).toContain('its service "the s" is left alone');
  });

  it('is left alone where services are excluded', () => {
    const excluded = scopeOf(current, { ...scope, exclude: ['service'] }, wanted);
    expect(excluded.get('route/r')).toContain('resource type service is not selected');
  });
});

describe('resource types', () => {
  it('include covers what is nested, and nothing else', () => {
    const managed = (scope: Scope): string[] => {
      const state = everything({});
      const unmanaged = scopeOf(state, scope);
      return [...state.resources.keys()].filter((key) => !unmanaged.has(key)).sort();
    };
    expect(managed({ include: ['service'], mentioned: all })).toEqual([
      'route/r',
      'service/s',
      'stream_route/sr',
      'upstream/named',
    ]);
    expect(managed({ include: ['consumer', 'global_rule'], mentioned: all })).toEqual([
      'consumer/ann',
      'consumer_credential/ann/k',
      'global_rule/cors',
    ]);
    expect(managed({ include: ['upstream'], mentioned: all })).toEqual(['upstream/shared']);
  });

  it('include of a word without a collection leaves nothing; an empty list says nothing', () => {
    const state = everything({});
    expect(scopeOf(state, { include: ['route'], mentioned: all }).size).toBe(state.resources.size);
    expect(scopeOf(state, { include: ['stream_service'], mentioned: all }).size).toBe(state.resources.size);
    expect(scopeOf(state, { include: [], exclude: [], mentioned: all }).size).toBe(0);
  });

  it('exclude drops collections with what is nested in them; other words do nothing', () => {
    expect(unmanagedKeys(everything({}), { exclude: ['service', 'ssl'], mentioned: all })).toEqual([
      'route/r',
      'service/s',
      'ssl/c',
      'stream_route/sr',
      'upstream/named',
    ]);
    expect(unmanagedKeys(everything({}), { exclude: ['route', 'consumer_credential'], mentioned: all })).toEqual([]);
  });
});

it('leaves the kinds alone that the configuration does not mention, but not named upstreams', () => {
  const unmanaged = scopeOf(everything({}), { mentioned: new Set<Kind>(['plugin_config']) });
  expect([...unmanaged]).toEqual([
    ['upstream/shared', 'the configuration does not mention upstreams'],
    ['consumer_group/g', 'the configuration does not mention consumer_groups'],
  ]);
});
