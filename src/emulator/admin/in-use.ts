import type { Use } from '../references.js';
import type { Collection } from '../store.js';
import type { Replica } from '../replica.js';
import type { Rules } from '../versions.js';
import { adminKinds } from './kinds.js';
import { refuse } from './refusal.js';

/** The collections whose objects stand in the way of a delete, in the order in which they are looked through. */
const guards: Readonly<Partial<Record<Collection, readonly Collection[]>>> = {
  upstreams: ['routes', 'services', 'stream_routes', 'plugin_configs', 'consumers', 'consumer_groups', 'global_rules'],
  services: ['routes', 'stream_routes'],
  plugin_configs: ['routes'],
  consumer_groups: ['consumers'],
  protos: ['routes', 'services', 'plugin_configs', 'consumers', 'consumer_groups', 'global_rules'],
};

/**
 * Refuses to delete what is in use, as far as the worker remembers.
 *
 * @throws Refusal (400) naming one user.
 */
export function checkUnused(collection: Collection, id: string, replica: Replica, rules: Rules): void {
  if (collection === 'plugin_configs' && !rules.guardsPluginConfigs) return;
  const users = replica.usersOf(collection, id);
  if (users.length === 0) return;
  for (const guard of guards[collection] ?? []) {
    const use = users.find((candidate) => candidate.user.collection === guard);
    if (use !== undefined) throw refuse(400, sentence(collection, use));
  }
}

function sentence(collection: Collection, use: Use): string {
  const target = adminKinds[collection].word;
  const user = `${adminKinds[use.user.collection].userWord} [${use.user.id}] is still using it now`;
  if (collection === 'services') return `can not delete this ${target} directly, ${user}`;
  if (collection === 'upstreams' && use.how === 'plugin') return `can not delete this ${target}, plugin in ${user}`;
  return `can not delete this ${target}, ${user}`;
}
