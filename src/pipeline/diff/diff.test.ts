import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, Normalise } from '../../model/change.js';
import type { JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { resourceKey, type Resource, type State } from '../../model/resource.js';
import {
  anyBody,
  anyJson,
  anyPair,
  anyState,
  applyChanges,
  applyFields,
  deepFreeze,
} from '../../../test/support/states.js';
import { diff } from './diff.js';
import { equalJson } from '../../model/equal.js';
import { fieldChanges } from './fields.js';
import { resendSsls } from './force.js';

const none: ReadonlyMap<string, string> = new Map();

function resource(kind: Kind, id: string, body: JsonObject, parent?: string): Resource {
  const key = resourceKey(kind, id, parent?.slice(parent.indexOf('/') + 1));
  const own = { kind, id, key, name: typeof body['name'] === 'string' ? body['name'] : id, body };
  return parent === undefined ? own : { ...own, parent };
}

function stateOf(...resources: readonly Resource[]): State {
  return { resources: new Map(resources.map((one) => [one.key, one])) };
}

/** Two states hold the same where each resource has the same place and an equal body. */
function contentOf(state: State): unknown {
  return [...state.resources.values()]
    .map(({ key, parent, body }) => ({ key, parent, body }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

describe('properties', () => {
  it('applying diff(a, b) to a gives b, and neither is touched', () => {
    fc.assert(
      fc.property(anyPair, ([current, desired]) => {
        deepFreeze(current);
        deepFreeze(desired);
        const changes = diff({ desired, current, unmanaged: none });
        expect(contentOf(applyChanges(current, changes))).toEqual(contentOf(desired));
      }),
    );
  });

  it('diff(a, a) is empty, whatever the order of keys and resources', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const other = {
          resources: new Map([...state.resources].toReversed().map(([key, one]) => [key, reordered(one)])),
        };
        expect(diff({ desired: deepFreeze(state), current: deepFreeze(other), unmanaged: none })).toEqual([]);
      }),
    );
  });

  it('does not depend on the order in which the states hold their resources', () => {
    fc.assert(
      fc.property(anyPair, ([current, desired]) => {
        const turned = (state: State): State => ({ resources: new Map([...state.resources].toReversed()) });
        const changes = diff({ desired, current, unmanaged: none });
        expect(diff({ desired: turned(desired), current: turned(current), unmanaged: none })).toEqual(changes);
      }),
    );
  });

  it('field changes alone turn the old body into the new one', () => {
    fc.assert(
      fc.property(anyBody, anyBody, (lhs, rhs) => {
        expect(applyFields(lhs, fieldChanges(deepFreeze(lhs), deepFreeze(rhs)))).toEqual(rhs);
      }),
    );
  });

  it('equalJson says what a comparison of sorted texts says', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (left, right) => {
        expect(equalJson(left, right)).toBe(sortedText(left) === sortedText(right));
        expect(equalJson(left, structuredClone(left))).toBe(true);
        expect(equalJson(left, right)).toBe(fieldChanges({ left }, { left: right }).length === 0);
      }),
    );
  });
});

function reordered(one: Resource): Resource {
  return { ...one, body: Object.fromEntries(Object.entries(one.body).toReversed()) };
}

function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) =>
    typeof held === 'object' && held !== null && !Array.isArray(held)
      ? { entries: Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)) }
      : held,
  );
}

describe('what differs', () => {
  it('lists changes in an order in which they could be carried out', () => {
    const changes = diff({
      desired: stateOf(
        resource('route', 'r2', { name: 'b' }),
        resource('service', 's', { name: 'shop', hosts: ['x'] }),
        resource('upstream', 'u', { name: 'shared' }),
      ),
      current: stateOf(
        resource('ssl', 'c', {}),
        resource('service', 'o', { name: 'old' }),
        resource('route', 'r1', { name: 'a' }),
        resource('service', 's', { name: 'shop', hosts: ['y'] }),
      ),
      unmanaged: none,
    });
    expect(changes.map(({ type, kind, name }) => `${type} ${kind} ${name}`)).toEqual([
      'create upstream shared',
      'update service shop',
      'create route b',
      'delete route a',
      'delete service old',
      'delete ssl c',
    ]);
  });

  it('shows each changed field in the form of diff.yaml', () => {
    const fields = fieldChanges(
      { a: 1, gone: { x: 1 }, list: [1, 2, 3], plugins: { cors: { max_age: 5 }, old: {} }, turned: [1] },
      { a: 2, list: [1, 9], plugins: { cors: { max_age: 6 }, new: { on: true } }, longer: ['x'], turned: { b: 1 } },
    );
    expect(fields).toEqual([
      { kind: 'E', path: ['a'], lhs: 1, rhs: 2 },
      { kind: 'D', path: ['gone'], lhs: { x: 1 } },
      { kind: 'E', path: ['list', 1], lhs: 2, rhs: 9 },
      { kind: 'A', path: ['list'], index: 2, item: { kind: 'D', lhs: 3 } },
      { kind: 'N', path: ['longer'], rhs: ['x'] },
      { kind: 'E', path: ['plugins', 'cors', 'max_age'], lhs: 5, rhs: 6 },
      { kind: 'N', path: ['plugins', 'new'], rhs: { on: true } },
      { kind: 'D', path: ['plugins', 'old'], lhs: {} },
      { kind: 'E', path: ['turned'], lhs: [1], rhs: { b: 1 } },
    ]);
  });

  it('sees a route that moved to another service, and an upstream that left one', () => {
    const body = { name: 'r' };
    const changes = diff({
      desired: stateOf(resource('route', 'r', body, 'service/new'), resource('upstream', 'u', body)),
      current: stateOf(resource('route', 'r', body, 'service/old'), resource('upstream', 'u', body, 'service/old')),
      unmanaged: none,
    });
    expect(changes).toMatchObject([
      { kind: 'upstream', type: 'update', fields: [{ kind: 'D', path: ['service_id'], lhs: 'old' }] },
      {
        kind: 'route',
        type: 'update',
        parentId: 'new',
        fields: [{ kind: 'E', path: ['service_id'], lhs: 'old', rhs: 'new' }],
      },
    ]);
    expect(changes[0]).not.toHaveProperty('parentId');
  });

  it('compares credentials of equal id per consumer', () => {
    const changes = diff({
      desired: stateOf(resource('consumer_credential', 'k', { name: 'k' }, 'consumer/ann')),
      current: stateOf(resource('consumer_credential', 'k', { name: 'k' }, 'consumer/bob')),
      unmanaged: none,
    });
    expect(changes.map(({ type, parentId }) => [type, parentId])).toEqual([
      ['create', 'ann'],
      ['delete', 'bob'],
    ]);
  });
});

describe('scope', () => {
  it('never deletes what is unmanaged, and takes over what is desired', () => {
    const current = stateOf(resource('service', 'a', { name: 'a' }), resource('service', 'b', { name: 'b' }));
    const unmanaged = new Map([
      ['service/a', 'it does not carry the label team=x'],
      ['service/b', 'it does not carry the label team=x'],
    ]);
    const desired = stateOf(resource('service', 'a', { name: 'a', labels: { team: 'x' } }));
    expect(diff({ desired, current, unmanaged })).toMatchObject([
      {
        type: 'update',
        key: 'service/a',
        takesOver: 'it does not carry the label team=x',
        fields: [{ kind: 'N', path: ['labels'] }],
      },
    ]);
  });

  it('has nothing to do where what is taken over is equal already', () => {
    const state = stateOf(resource('upstream', 'u', { name: 'u' }, 'service/s'));
    expect(
      diff({
        desired: state,
        current: stateOf(...state.resources.values()),
        unmanaged: new Map([['upstream/u', 'why']]),
      }),
    ).toEqual([]);
  });
});

describe('normalised', () => {
  const fillScheme: Normalise = ({ current, desired }) => ({
    lhs: { scheme: 'http', ...current.body },
    rhs: { scheme: 'http', ...desired.body },
  });

  it('drops differences that vanish, keeps others, and shows the normalised sides', () => {
    const desired = stateOf(
      resource('upstream', 'same', { name: 'same' }),
      resource('upstream', 'other', { name: 'other' }),
    );
    const current = stateOf(
      resource('upstream', 'same', { name: 'same', scheme: 'http' }),
      resource('upstream', 'other', { name: 'other', scheme: 'grpc' }),
    );
    expect(diff({ desired, current, unmanaged: none, normalise: fillScheme })).toMatchObject([
      { key: 'upstream/other', fields: [{ kind: 'E', path: ['scheme'], lhs: 'grpc', rhs: 'http' }] },
    ]);
  });

  it('asks for nothing where the sides are equal as they are', () => {
    const state = stateOf(resource('ssl', 'c', { snis: ['a'] }));
    const normalise: Normalise = () => {
      throw new Error('was asked');
    };
    expect(diff({ desired: state, current: stateOf(...state.resources.values()), unmanaged: none, normalise })).toEqual(
      [],
    );
  });

  it('keeps a changed parent although the bodies are equal', () => {
    const changes = diff({
      desired: stateOf(resource('route', 'r', { name: 'r' }, 'service/b')),
      current: stateOf(resource('route', 'r', { name: 'r', scheme: 'http' }, 'service/a')),
      unmanaged: none,
      normalise: fillScheme,
    });
    expect(changes).toMatchObject([{ fields: [{ path: ['service_id'] }] }]);
  });
});

it('re-sends equal SSLs on request, each once and in order', () => {
  const desired = stateOf(
    resource('ssl', 'a', { snis: ['a'] }),
    resource('ssl', 'b', { snis: ['b'], type: 'server' }),
    resource('ssl', 'c', { snis: ['c'] }),
    resource('service', 's', {}),
  );
  const current = stateOf(
    resource('ssl', 'a', { snis: ['a'] }),
    resource('ssl', 'b', { snis: ['b'] }),
    resource('service', 's', {}),
  );
  const forced = resendSsls(diff({ desired, current, unmanaged: none }), desired, current);
  const seen = (change: Change): unknown => [
    change.type,
    change.id,
    change.type === 'update' ? change.fields.length : 0,
  ];
  expect(forced.map(seen)).toEqual([
    ['update', 'a', 0],
    ['update', 'b', 1],
    ['create', 'c', 0],
  ]);
});

it('lists 130,000 changes of one resource each', () => {
  const many = Array.from({ length: 130_000 }, (_, number) => resource('route', `r${number}`, { name: `r${number}` }));
  const changes = diff({
    desired: stateOf(...many.slice(0, 65_000)),
    current: stateOf(...many.slice(65_000)),
    unmanaged: none,
  });
  expect(changes).toHaveLength(130_000);
});
