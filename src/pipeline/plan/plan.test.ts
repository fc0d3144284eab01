import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../../../test/support/states.js';
import type { Operation, Plan } from '../../model/operation.js';
import { plan } from './plan.js';

/** `PUT services/a` or `DELETE services/a`, with whatever else is said of it. */
function operation(id: string, more: Partial<Operation> = {}): Operation {
  const [method = '', object = ''] = id.split(' ');
  return {
    id,
    endpoint: 'http://gateway:9180',
    method: method === 'DELETE' ? 'DELETE' : 'PUT',
    path: `/apisix/admin/${object}`,
    object,
    references: [],
    releases: [],
    claims: [],
    frees: [],
    serves: [],
    changes: [],
    ...more,
  };
}

/** The graph read backwards, by names: what each operation and each join (`join 7`) waits for, in the order of the plan. */
function waitsOf({ operations, order }: Plan): ReadonlyMap<string, readonly string[]> {
  const nameOf = (node: number): string => operations[node]?.id ?? `join ${node}`;
  const waits = new Map(Array.from({ length: order.size }, (_, node) => [nameOf(node), new Set<string>()]));
  for (let node = 0; node < order.size; node += 1) {
    const waiting = order.dependents.subarray(order.starts[node], order.starts[node + 1]);
    for (const dependent of waiting) waits.get(nameOf(dependent))?.add(nameOf(node));
  }
  return new Map([...waits].map(([name, needs]) => [name, [...needs]]));
}

/** Everything an operation waits for, directly or not, joins included. */
function needsOf(waits: ReadonlyMap<string, readonly string[]>, id: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...(waits.get(id) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const need of waits.get(next) ?? []) open.push(need);
  }
  return seen;
}

/** Whether every operation stands after all it waits for: also a proof that the plan has no ring. */
function isOrdered(made: Plan): boolean {
  const waits = waitsOf(made);
  const places = new Map(made.operations.map(({ id }, place) => [id, place]));
  return made.operations.every(({ id }, place) =>
    [...needsOf(waits, id)].every((need) => need.startsWith('join ') || (places.get(need) ?? Infinity) < place),
  );
}

const direct = (made: Plan): Record<string, readonly string[]> => Object.fromEntries(waitsOf(made));

describe('the table of edges', () => {
  it('writes what is referenced first', () => {
    const made = plan([
      operation('PUT routes/r', { references: ['services/s', 'plugin_configs/p'] }),
      operation('PUT services/s', { references: ['upstreams/s', 'upstreams/elsewhere'] }),
      operation('PUT upstreams/s'),
      operation('PUT plugin_configs/p'),
    ]);
    expect(direct(made)).toEqual({
      'PUT upstreams/s': [],
      'PUT plugin_configs/p': [],
      'PUT services/s': ['PUT upstreams/s'],
      'PUT routes/r': ['PUT plugin_configs/p', 'PUT services/s'],
    });
  });

  it('deletes an object after all that let go of it', () => {
    const made = plan([
      operation('DELETE upstreams/s'),
      operation('DELETE services/s', { releases: ['upstreams/s'] }),
      operation('DELETE routes/r1', { releases: ['services/s'] }),
      operation('PUT routes/r2', { releases: ['services/s'], references: ['services/t'] }),
      operation('PUT services/t'),
    ]);
    expect(direct(made)).toEqual({
      'PUT services/t': [],
      'PUT routes/r2': ['PUT services/t'],
      'DELETE routes/r1': [],
      'DELETE services/s': ['DELETE routes/r1', 'PUT routes/r2'],
      'DELETE upstreams/s': ['DELETE services/s'],
    });
  });

  it('frees before it claims, and keeps what an operation both gives up and takes out of it', () => {
    const made = plan([
      operation('PUT consumers/b', { claims: ['key'] }),
      operation('DELETE consumers/a', { frees: ['key'] }),
      operation('PUT consumers/c', { claims: ['own'], frees: ['own'] }),
    ]);
    expect(direct(made)).toEqual({
      'DELETE consumers/a': [],
      'PUT consumers/b': ['DELETE consumers/a'],
      'PUT consumers/c': [],
    });
  });

  it('answers traffic anew before it stops answering it', () => {
    const made = plan([
      operation('DELETE routes/old', { serves: ['http */a'] }),
      operation('DELETE routes/other', { serves: ['http */b'] }),
      operation('PUT routes/new', { serves: ['http */a'] }),
    ]);
    expect(direct(made)).toEqual({
      'DELETE routes/other': [],
      'PUT routes/new': [],
      'DELETE routes/old': ['PUT routes/new'],
    });
  });

  it('knows nothing of objects of other endpoints', () => {
    const made = plan([
      operation('PUT services/s', { endpoint: 'http://a', claims: ['k'] }),
      operation('PUT routes/r', { endpoint: 'http://b', references: ['services/s'], frees: ['k'], serves: ['w'] }),
      operation('DELETE routes/q', { endpoint: 'http://a', serves: ['w'] }),
    ]);
    expect([...waitsOf(made).values()]).toEqual([[], [], []]);
  });

  it('keeps independent operations free, in the order they came', () => {
    const ids = ['PUT services/c', 'PUT services/a', 'DELETE services/b'];
    const made = plan(ids.map((id) => operation(id)));
    expect(made.operations.map(({ id }) => id)).toEqual(ids);
    expect([...waitsOf(made).values()].flat()).toEqual([]);
  });

  it('has nothing for nothing, and refuses to do the same to one object twice', () => {
    const nothing = { size: 0, starts: new Int32Array(1), dependents: new Int32Array(0) };
    expect(plan([])).toEqual({ operations: [], order: nothing });
    expect(() => plan([operation('PUT services/a'), operation('PUT services/a')])).toThrow('do the same to one object');
  });
});

describe('rings', () => {
  const vacate = operation('vacate consumers/a', { object: 'consumers/a', frees: ['2'] });

  it('lets serving give way where it stands against claims', () => {
    const made = plan([
      operation('PUT routes/new', { serves: ['w'], claims: ['k'] }),
      operation('DELETE routes/old', { serves: ['w'], frees: ['k'] }),
      operation('DELETE routes/third', { serves: ['w'] }),
    ]);
    expect(direct(made)).toEqual({
      'DELETE routes/old': [],
      'PUT routes/new': ['DELETE routes/old'],
      'DELETE routes/third': ['PUT routes/new'],
    });
  });

  it('opens a ring of claims by vacating one object, and only one', () => {
    const made = plan([
      operation('PUT consumers/a', { claims: ['1'], frees: ['2'], vacate }),
      operation('PUT consumers/b', { claims: ['2'], frees: ['3'], vacate: operation('vacate consumers/b') }),
      operation('PUT consumers/c', { claims: ['3'], frees: ['1'], vacate: operation('vacate consumers/c') }),
    ]);
    expect(direct(made)).toEqual({
      'vacate consumers/a': [],
      'PUT consumers/b': ['vacate consumers/a'],
      'PUT consumers/c': ['PUT consumers/b'],
      'PUT consumers/a': ['vacate consumers/a', 'PUT consumers/c'],
    });
  });

  it('vacates nothing before what the operation needs anyway is there', () => {
    const made = plan([
      operation('PUT consumers/a', { claims: ['1'], frees: ['2'], vacate, references: ['consumer_groups/g'] }),
      operation('PUT consumers/b', { claims: ['2'], frees: ['1'] }),
      operation('PUT consumer_groups/g'),
    ]);
    expect(waitsOf(made).get('vacate consumers/a')).toEqual(['PUT consumer_groups/g']);
    expect(isOrdered(made)).toBe(true);
  });

  it('vacates nothing where there is no ring', () => {
    const made = plan([
      operation('PUT consumers/a', { claims: ['1'], frees: ['2'], vacate }),
      operation('PUT consumers/b', { claims: ['2'] }),
    ]);
    expect(made.operations.map(({ id }) => id)).toEqual(['PUT consumers/a', 'PUT consumers/b']);
  });

  it('cuts a ring that nothing can vacate, so that the gateway decides', () => {
    const made = plan([
      operation('PUT global_rules/a', { claims: ['1'], frees: ['2'] }),
      operation('PUT global_rules/b', { claims: ['2'], frees: ['1'] }),
    ]);
    expect(made.operations).toHaveLength(2);
    expect(isOrdered(made)).toBe(true);
  });

  it('cuts a ring of references', () => {
    const made = plan([
      operation('PUT services/a', { references: ['services/b'] }),
      operation('PUT services/b', { references: ['services/a'] }),
    ]);
    expect(made.operations).toHaveLength(2);
    expect(isOrdered(made)).toBe(true);
  });

  it('opens many rings at once', () => {
    const operations = Array.from({ length: 2_000 }, (_, number) => {
      const other = number ^ 1;
      return operation(`PUT consumers/${number}`, {
        claims: [`k${other}`],
        frees: [`k${number}`],
        vacate: operation(`vacate consumers/${number}`),
      });
    });
    const made = plan(operations);
    expect(made.operations).toHaveLength(3_000);
    expect(isOrdered(made)).toBe(true);
  });
});

describe('properties', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const some = fc.uniqueArray(names, { maxLength: 3 });
  const anyOperations = fc
    .uniqueArray(
      fc.record({
        name: names,
        remove: fc.boolean(),
        out: some,
        claims: some,
        frees: some,
        serves: some,
        can: fc.boolean(),
      }),
      { selector: ({ name, remove }) => `${name}${remove}`, maxLength: 10 },
    )
    .map((rows) =>
      rows.map(({ name, remove, out, claims, frees, serves, can }) => {
        const made = operation(`${remove ? 'DELETE' : 'PUT'} ${name}`, {
          references: remove ? [] : out,
          releases: remove ? out : [],
          claims: remove ? [] : claims,
          frees,
          serves,
        });
        return can && !remove ? { ...made, vacate: operation(`vacate ${name}`, { object: name, frees }) } : made;
      }),
    );

  it('holds every operation once, in an order that can be walked, without touching them', () => {
    fc.assert(
      fc.property(anyOperations, (operations) => {
        deepFreeze(operations);
        const made = plan(operations);
        const planned = made.operations.map(({ id }) => id);
        expect(planned.filter((id) => !id.startsWith('vacate')).toSorted()).toEqual(
          operations.map(({ id }) => id).toSorted(),
        );
        expect(isOrdered(made)).toBe(true);
        expect(plan(operations)).toEqual(made);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every edge of the table where the operations allow it', () => {
    // References go to later letters only, and what is freed is claimed by later letters only: no ring can be.
    const ringless = anyOperations.map((operations) =>
      operations.map((one): Operation => {
        const later = (words: readonly string[]): readonly string[] => words.filter((word) => word > one.object);
        const earlier = (words: readonly string[]): readonly string[] => words.filter((word) => word < one.object);
        return {
          ...one,
          references: later(one.references),
          releases: later(one.releases),
          claims: [],
          frees: earlier(one.frees),
        };
      }),
    );
    fc.assert(
      fc.property(ringless, (operations) => {
        const made = plan(operations);
        const waits = waitsOf(made);
        expect(made.operations).toHaveLength(operations.length);
        for (const one of operations) {
          const needs = needsOf(waits, one.id);
          for (const other of operations) {
            if (other.id === one.id) continue;
            const mustWait =
              (one.method === 'PUT' && other.method === 'PUT' && one.references.includes(other.object)) ||
              (one.method === 'DELETE' && other.releases.includes(one.object)) ||
              (one.method === 'PUT' && other.method === 'DELETE' && one.object === other.object);
            if (mustWait) expect(needs).toContain(other.id);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

it('stays small where many serve what many others stop serving', () => {
  const many = Array.from({ length: 5_000 }, (_, number) => number);
  const made = plan([
    ...many.map((number) => operation(`PUT routes/n${number}`, { serves: ['http */'], references: ['services/s'] })),
    ...many.map((number) => operation(`DELETE routes/o${number}`, { serves: ['http */'], releases: ['services/t'] })),
    operation('PUT services/s'),
    operation('DELETE services/t'),
  ]);
  expect(made.order.dependents).toHaveLength(20_000);
  expect(needsOf(waitsOf(made), 'DELETE routes/o7').size).toBe(5_002);
});
