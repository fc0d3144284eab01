import type { JsonObject } from '../../model/json.js';
import { asObject } from './values.js';
import { compileDefaults } from './defaults.js';

/**
 * The defaults of a stored upstream for the fields that linting a file would fill in as well. They are the gateway's
 * own: where the two differ (passive checks) reading a file that left the field out would mean something else than the
 * gateway does.
 */
const upstreamDefaults: JsonObject = {
  properties: {
    type: { default: 'roundrobin' },
    scheme: { default: 'http' },
    pass_host: { default: 'pass' },
    nodes: { items: { properties: { priority: { default: 0 } } } },
    keepalive_pool: {
      properties: { size: { default: 320 }, idle_timeout: { default: 60 }, requests: { default: 1000 } },
    },
    checks: {
      properties: {
        active: {
          properties: {
            type: { default: 'http' },
            timeout: { default: 1 },
            concurrency: { default: 10 },
            http_path: { default: '/' },
            https_verify_certificate: { default: true },
            healthy: {
              properties: {
                http_statuses: { default: [200, 302] },
                successes: { default: 2 },
                interval: { default: 1 },
              },
            },
            unhealthy: {
              properties: {
                http_statuses: { default: [429, 404, 500, 501, 502, 503, 504, 505] },
                http_failures: { default: 5 },
                tcp_failures: { default: 2 },
                timeouts: { default: 3 },
                interval: { default: 1 },
              },
            },
          },
        },
        passive: {
          properties: {
            type: { default: 'http' },
            healthy: {
              properties: {
                http_statuses: {
                  default: [
                    200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
                  ],
                },
                successes: { default: 5 },
              },
            },
            unhealthy: {
              properties: {
                http_statuses: { default: [429, 500, 503] },
                http_failures: { default: 5 },
                tcp_failures: { default: 2 },
                timeouts: { default: 7 },
              },
            },
          },
        },
      },
    },
  },
};

/** The trust in a client certificate's authority, as linting would fill it. */
const clientDefaults: JsonObject = { properties: { depth: { default: 1 } } };

const fillUpstream = compileDefaults(upstreamDefaults);
const fillClient = compileDefaults(clientDefaults);

/** An upstream read from a gateway, with what linting a file would write into it. */
export function withUpstreamDefaults(upstream: JsonObject): JsonObject {
  return asObject(fillUpstream?.(upstream)) ?? upstream;
}

/** As {@link withUpstreamDefaults}, for the `client` of an SSL. */
export function withClientDefaults(client: JsonObject): JsonObject {
  return asObject(fillClient?.(client)) ?? client;
}
