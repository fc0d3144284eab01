import { draw, type Span } from './faults.js';
import { credentialKeys, globalPlugins, usesOf, type CredentialKey, type Use } from './references.js';
import type { Entry, Store, StoreEvent } from './store.js';

/**
 * What one worker remembers of the store: who uses what, and which keys are taken. It follows the store in order, each
 * change after a delay, and is what deletes and duplicate keys are checked against.
 */
export class Replica {
  readonly #lag: Span;
  readonly #now: () => number;
  #pending: { readonly due: number; readonly event: StoreEvent }[] = [];
  #head = 0;
  #latestDue = 0;
  readonly #users = new Map<string, Map<string, Use>>();
  readonly #globalPlugins = new Map<string, Map<string, string>>();
  readonly #owners = new Map<string, Map<string, CredentialKey>>();

  /** @param lag the delay of each change, in milliseconds
   *  @param now a clock in milliseconds that never goes back */
  constructor(store: Store, lag: Span, now: () => number) {
    this.#lag = lag;
    this.#now = now;
    store.subscribe((event) => this.#follow(event));
  }

  /** Who uses an object, in the order in which they came to be: as far as this worker knows. */
  usersOf(collection: string, id: string): readonly Use[] {
    this.#catchUp();
    return [...(this.#users.get(`${collection}/${id}`)?.values() ?? [])];
  }

  /** Who holds a key that must be unique, as far as this worker knows. */
  ownersOf(plugin: string, key: string): readonly CredentialKey[] {
    this.#catchUp();
    return [...(this.#owners.get(`${plugin} ${key}`)?.values() ?? [])];
  }

  /** The id of another global rule that holds a plugin, as far as this worker knows. */
  globalRuleWith(plugin: string, besides: string): string | undefined {
    this.#catchUp();
    return [...(this.#globalPlugins.get(plugin)?.values() ?? [])].find((id) => id !== besides);
  }

  #follow(event: StoreEvent): void {
    if (this.#lag.max === 0) {
      this.#apply(event);
      return;
    }
    // A worker watches one stream: a later change never overtakes an earlier one.
    this.#latestDue = Math.max(this.#latestDue, this.#now() + draw(this.#lag));
    this.#pending.push({ due: this.#latestDue, event });
    this.#catchUp();
  }

  #catchUp(): void {
    const now = this.#now();
    for (;;) {
      const next = this.#pending[this.#head];
      if (next === undefined || next.due > now) break;
      this.#head += 1;
      this.#apply(next.event);
    }
    if (this.#head > 1024 || this.#head === this.#pending.length) {
      this.#pending = this.#pending.slice(this.#head);
      this.#head = 0;
    }
  }

  #apply(event: StoreEvent): void {
    if (event.before !== undefined) this.#forget(event.before, event.after);
    if (event.after !== undefined) this.#remember(event.after);
  }

  #remember(entry: Entry): void {
    const self = `${entry.collection}/${entry.id}`;
    for (const use of usesOf(entry)) slot(this.#users, `${use.collection}/${use.id}`).set(`${self} ${use.how}`, use);
    for (const plugin of globalPlugins(entry)) slot(this.#globalPlugins, plugin).set(self, entry.id);
    for (const owned of credentialKeys(entry)) slot(this.#owners, `${owned.plugin} ${owned.key}`).set(self, owned);
  }

  #forget(entry: Entry, successor: Entry | undefined): void {
    const self = `${entry.collection}/${entry.id}`;
    // What still holds keeps its place, so that the oldest user is the one that is named.
    const kept = new Set(
      successor === undefined ? [] : usesOf(successor).map((use) => `${use.collection}/${use.id} ${use.how}`),
    );
    for (const use of usesOf(entry)) {
      const target = `${use.collection}/${use.id}`;
      if (!kept.has(`${target} ${use.how}`)) remove(this.#users, target, `${self} ${use.how}`);
    }
    for (const plugin of globalPlugins(entry)) remove(this.#globalPlugins, plugin, self);
    for (const owned of credentialKeys(entry)) remove(this.#owners, `${owned.plugin} ${owned.key}`, self);
  }
}

function slot<T>(index: Map<string, Map<string, T>>, name: string): Map<string, T> {
  const found = index.get(name);
  if (found !== undefined) return found;
  const made = new Map<string, T>();
  index.set(name, made);
  return made;
}

function remove<T>(index: Map<string, Map<string, T>>, name: string, member: string): void {
  const found = index.get(name);
  found?.delete(member);
  if (found?.size === 0) index.delete(name);
}
