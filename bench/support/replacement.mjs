// Two states that have nothing in common, and the operations that lead from one to the other.

function routes(count, first) {
  const resources = new Map();
  for (let number = first; number < first + count; number += 1) {
    const key = `route/r${number}`;
    const body = {
      name: `route-${number}`,
      uris: [`/a/${number}`, `/b/${number}/*`],
      methods: ['GET', 'POST'],
      labels: { team: 'a', 'managed-by': 'adc' },
      plugins: { 'limit-count': { count: 100, time_window: 60, rejected_code: 429 }, cors: { allow_origins: '*' } },
      priority: number % 7,
    };
    resources.set(key, { kind: 'route', key, id: `r${number}`, name: body.name, parent: 'service/s', body });
  }
  return { resources };
}

/** So many routes, and as many others that are wanted instead. */
export function replacement(count) {
  return { current: routes(count, 0), desired: routes(count, count) };
}

/** One operation for each change; all of them share a word of what they serve. */
export function operationsOf(changes) {
  return changes.map((change) => ({
    id: `${change.type} ${change.key}`,
    endpoint: 'http://127.0.0.1:9180',
    method: change.type === 'delete' ? 'DELETE' : 'PUT',
    path: `/apisix/admin/routes/${change.id}`,
    object: `routes/${change.id}`,
    references: change.type === 'delete' ? [] : ['services/s'],
    releases: change.type === 'delete' ? ['services/s'] : [],
    claims: [],
    frees: [],
    serves: [`http *${(change.desired ?? change.current).body.uris[0]}`, 'http */common'],
    changes: [change.key],
  }));
}
