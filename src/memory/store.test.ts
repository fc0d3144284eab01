import { expect, it } from 'vitest';
import { createMemory } from './store.js';

it('keeps what was put in, by space and key', () => {
  const memory = createMemory();
  const value = { a: 1 };
  memory.space<{ a: number }>('lists').set('k', value, 10);
  expect(memory.space<{ a: number }>('lists').get('k')).toBe(value);
  expect(memory.space('other').get('k')).toBeUndefined();
  memory.space('lists').delete('k');
  expect(memory.space('lists').get('k')).toBeUndefined();
});

it('never holds more than its bound, over all spaces, and forgets what was used longest ago', () => {
  const bytes = 100_000;
  const memory = createMemory({ bytes });
  for (let i = 0; i < 500; i += 1) {
    memory.space(`space${i % 3}`).set(`key${i}`, { i }, 1_000);
    memory.space('space0').get('key0');
  }
  const held = Object.values(memory.report());
  expect(held.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(bytes);
  expect(held.reduce((sum, { entries }) => sum + entries, 0)).toBeGreaterThan(50);
  expect(memory.space('space0').get('key0')).toEqual({ i: 0 });
  expect(memory.space('space1').get('key1')).toBeUndefined();
  expect(memory.space('space1').get('key499')).toEqual({ i: 499 });
});

it('counts a replaced value once and keeps no value that alone is over the bound', () => {
  const memory = createMemory({ bytes: 10_000 });
  const space = memory.space('s');
  for (let i = 0; i < 50; i += 1) space.set('same', { i }, 1_000);
  expect(memory.report()['s']).toMatchObject({ entries: 1 });
  space.set('same', {}, 20_000);
  expect(space.get('same')).toBeUndefined();
  expect(memory.report()).toEqual({});
});

it('forgets everything when cleared', () => {
  const memory = createMemory();
  memory.space('s').set('k', {}, 1);
  memory.clear();
  expect(memory.space('s').get('k')).toBeUndefined();
  expect(memory.report()).toEqual({});
});
