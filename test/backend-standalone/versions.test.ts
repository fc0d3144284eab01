import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Document } from '../../src/backend/standalone/document.js';
import { chooseVersions, type Chosen } from '../../src/backend/standalone/versions.js';
import { createMemory } from '../../src/memory/store.js';
import { service, startGroup, type Group } from './group.js';

const holding = (...versions: readonly number[]): readonly Document[] =>
  versions.map((version) => ({ sections: new Map([['routes', { version, items: [] }]]) }));

const space = () => createMemory().space<Chosen>('versions');

describe('a version', () => {
  test('is a time in milliseconds, or a little later', () => {
    const now = 1_795_000_000_000;
    for (const random of [0, 0.5, 0.999_999]) {
      const above = chooseVersions({
        documents: holding(5),
        space: space(),
        cacheKey: 'a',
        now: () => now,
        random: () => random,
      });
      const version = above(5);
      expect(version).toBeGreaterThanOrEqual(now);
      expect(version).toBeLessThan(now + 5000);
      expect(Number.isInteger(version)).toBe(true);
    }
  });

  test('is one for the whole job, above what any instance holds', () => {
    const high = 99_000_000_000_000;
    const above = chooseVersions({ documents: holding(3, high, 7), space: space(), cacheKey: 'a' });
    expect(above(3)).toBeGreaterThan(high);
    expect(above(7)).toBe(above(3));
    expect(above(above(3))).toBeGreaterThan(above(3) - 1);
    expect(String(high).length).toBe(14);
  });

  test('is never chosen twice in one process, however the clock stands or jumps back', () => {
    const shared = space();
    const chosen: number[] = [];
    for (const now of [1000, 1000, 1000, 500, 1, 1000]) {
      const above = chooseVersions({ documents: [], space: shared, cacheKey: 'a', now: () => now, random: () => 0 });
      chosen.push(above(0));
    }
    expect(chosen).toEqual([1000, 1001, 1002, 1003, 1004, 1005]);
  });

  test('is most probably another in another process that has read the same at the same moment', () => {
    const draw = (): number =>
      chooseVersions({ documents: holding(10), space: space(), cacheKey: 'a', now: () => 1_795_000_000_000 })(10);
    const drawn = new Set(Array.from({ length: 200 }, draw));
    expect(drawn.size).toBeGreaterThan(180);
  });
});

describe('a clock that jumps back', () => {
  let group: Group | undefined;
  afterEach(async () => {
    vi.restoreAllMocks();
    await group?.close();
    group = undefined;
  });

  test.each(['kept', 'lost'])('never makes a lower version, with the memory %s', async (kept) => {
    group = await startGroup({ instances: 2 });
    const versions: number[] = [];
    const clock = vi.spyOn(Date, 'now');
    for (const [round, back] of [0, 86_400_000, 3600_000, 10 * 86_400_000].entries()) {
      clock.mockImplementation(() => 1_795_000_000_000 - back);
      if (kept === 'lost') group.memory.clear();
      const { report } = await group.sync({ services: [service('shop', [`r${round}`])] });
      expect(report?.endpoints.every(({ success }) => success)).toBe(true);
      for (const index of [0, 1]) {
        const document = await group.documentOf(index);
        expect(document['routes']).toMatchObject([{ id: `r${round}` }]);
        if (index === 0) versions.push(document.routes_conf_version);
      }
    }
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);
  });
});
