import { describe, expect, test } from 'vitest';
import { Replica } from './replica.js';
import { Store } from './store.js';

function setUp(lag: { min: number; max: number }) {
  const clock = { now: 0 };
  const store = new Store();
  return { clock, store, replica: new Replica(store, lag, () => clock.now) };
}

const users = (replica: Replica) => replica.usersOf('services', 's').map(({ user }) => user.id);

describe('what a worker remembers', () => {
  test('is the store itself without a lag', () => {
    const { store, replica } = setUp({ min: 0, max: 0 });
    store.put('routes', 'r', { service_id: 's' });
    expect(users(replica)).toEqual(['r']);
    store.delete('routes', 'r');
    expect(users(replica)).toEqual([]);
  });

  test('trails the store by the lag', () => {
    const { clock, store, replica } = setUp({ min: 5, max: 5 });
    store.put('routes', 'r', { service_id: 's' });
    clock.now = 4.9;
    expect(users(replica)).toEqual([]);
    clock.now = 5;
    expect(users(replica)).toEqual(['r']);
    store.delete('routes', 'r');
    expect(users(replica)).toEqual(['r']);
    clock.now = 10;
    expect(users(replica)).toEqual([]);
  });

  test('follows in order, whatever each delay is', () => {
    for (let round = 0; round < 50; round += 1) {
      const { clock, store, replica } = setUp({ min: 2, max: 7 });
      store.put('routes', 'r', { service_id: 's' });
      store.delete('routes', 'r');
      // Were the delete ever seen first, the route would stay for good.
      for (clock.now = 0; clock.now <= 8; clock.now += 0.5) users(replica);
      expect(users(replica)).toEqual([]);
    }
  });

  test('forgets what it applied: a long stream of changes leaves nothing behind', () => {
    const { clock, store, replica } = setUp({ min: 5, max: 5 });
    for (let index = 0; index < 20_000; index += 1) {
      clock.now += 1;
      store.put('routes', 'r', { service_id: `s${index}` });
    }
    clock.now += 10;
    expect(replica.usersOf('services', 's19999')).toHaveLength(1);
    expect(replica.usersOf('services', 's19998')).toEqual([]);
  });

  test('names the oldest user first, however often that one is written', () => {
    const { store, replica } = setUp({ min: 0, max: 0 });
    store.put('routes', 'b', { service_id: 's' });
    store.put('routes', 'a', { service_id: 's' });
    store.put('routes', 'b', { service_id: 's', desc: 'again' });
    expect(users(replica)).toEqual(['b', 'a']);
    store.put('routes', 'b', { service_id: 'other' });
    expect(users(replica)).toEqual(['a']);
  });

  test('knows who holds a key', () => {
    const { store, replica } = setUp({ min: 0, max: 0 });
    const owners = (key: string) => replica.ownersOf('key-auth', key).map(({ owner }) => owner.id);
    store.put('consumers', 'ann', { username: 'ann', plugins: { 'key-auth': { key: 'k' } } });
    store.put('credentials', 'bob/c', { plugins: { 'key-auth': { key: 'k' } } });
    expect(owners('k')).toEqual(['ann', 'bob/c']);
    store.put('consumers', 'ann', { username: 'ann', plugins: { 'key-auth': { key: 'l' } } });
    expect([owners('k'), owners('l')]).toEqual([['bob/c'], ['ann']]);
  });
});
