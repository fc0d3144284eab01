// The configurations that are measured with: the same text every time.

/**
 * Services with an upstream of their own and so many routes each, and consumers with one credential each.
 *
 * @param options `equalNames`: routes of different services have the same names; `changed`: one route in so many differs
 */
export function configuration({ services, routes, consumers = 0, equalNames = false, changed = 0 }) {
  let number = 0;
  return {
    services: Array.from({ length: services }, (_, service) => ({
      name: `service-${service}`,
      hosts: [`host-${service}.example.com`],
      labels: { team: `team-${service % 20}`, stage: 'production' },
      upstream: {
        type: 'roundrobin',
        scheme: 'http',
        nodes: [
          { host: `10.${service >> 16}.${(service >> 8) & 255}.${service & 255}`, port: 8080, weight: 100 },
          { host: `backend-${service}.internal.example.com`, port: 8080, weight: 50 },
        ],
        timeout: { connect: 5, send: 15, read: 30 },
      },
      routes: Array.from({ length: routes }, (_, route) => {
        number += 1;
        const isChanged = changed > 0 && number % changed === 0;
        return {
          name: equalNames ? `route-${route}` : `route-${service}-${route}`,
          uris: [`/service-${service}/route-${route}`, `/service-${service}/route-${route}/*`],
          methods: ['GET', 'POST', 'PUT'],
          priority: isChanged ? 7 : 1,
          plugins: {
            'proxy-rewrite': { regex_uri: [`^/service-${service}/(.*)`, '/$1'] },
            'limit-count': { count: 100, time_window: 60, rejected_code: 429, key_type: 'var', key: 'remote_addr' },
          },
        };
      }),
    })),
    ...(consumers === 0
      ? {}
      : {
          consumers: Array.from({ length: consumers }, (_, consumer) => ({
            username: `consumer_${consumer}`,
            credentials: [
              {
                name: `key-${consumer}`,
                type: 'key-auth',
                config: { key: `key-of-consumer-${consumer}-${'x'.repeat(16)}` },
              },
            ],
          })),
        }),
  };
}
