import { expect, it } from 'vitest';
import { resourceKey } from '../../model/resource.js';
import { collectionOf, objectRef, type AdminObject } from '../shared/collections.js';
import { createKnowledge } from './knowledge.js';
import { toOperations } from './operations.js';
import { createDraft } from '../shared/draft.js';

const objects = new Map(
  [
    { collection: 'plugin_configs', id: 'p', value: { plugins: {} } },
    { collection: 'ssls', id: 'c', value: {} },
    { collection: 'routes', id: 'r', value: { uri: '/', plugin_config_id: 'p' } },
    { collection: 'upstreams', id: 'u', value: { tls: { client_cert_id: 'c' } } },
  ].map((object) => [objectRef((object as AdminObject).collection, object.id), object as AdminObject]),
);

it('refuses to delete what something uses that no gateway looks at, until that was written', () => {
  const knowledge = createKnowledge();
  knowledge.read(objects);
  const draft = createDraft(objects);
  for (const [kind, id] of [
    ['plugin_config', 'p'],
    ['ssl', 'c'],
    ['route', 'r'],
    ['upstream', 'u'],
  ] as const)
    draft.remove(objectRef(collectionOf[kind], id), [resourceKey(kind, id)]);
  const [config, ssl, route, upstream] = toOperations(draft, { features: new Set(), endpoint: 'http://gateway.test' });
  if (config === undefined || ssl === undefined || route === undefined || upstream === undefined)
    throw new Error('four deletes were drafted');
  const check = (operation: typeof config) => () => knowledge.checkUnused(operation, 'http://gateway.test/x');
  expect(check(config)).toThrow('was not sent: routes/r still uses it');
  expect(check(ssl)).toThrow('was not sent: upstreams/u still uses it');
  expect(check(upstream)).not.toThrow();
  knowledge.note(route);
  knowledge.note(upstream);
  expect(check(config)).not.toThrow();
  expect(check(ssl)).not.toThrow();
});
