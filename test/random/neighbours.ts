import { expect } from 'vitest';
import { deriveId } from '../../src/model/ids.js';
import type { JsonObject } from '../../src/model/json.js';
import { certificates } from '../cases/documents.js';
import type { RawObjects } from './stored.js';
import type { Subject } from './subject.js';
import type { World } from './world.js';

const other = { labels: { owner: 'somebody-else' } };
const limit = { 'limit-count': { count: 1, time_window: 1, rejected_code: 429 } };

/** Objects that no configuration can hold, or that one without the three opt-in collections does not manage. */
export const outside: Readonly<Record<string, JsonObject>> = {
  'upstreams/alien': { type: 'roundrobin', nodes: { '10.5.0.1:80': 1 } },
  'upstreams/7': { name: 'spare', type: 'roundrobin', nodes: { 'alien.test:80': 1, '10.5.0.3': 2 }, ...other },
  'upstreams/1': { name: 'number one', type: 'roundrobin', nodes: [{ host: '10.5.0.2', port: 80, weight: 1 }] },
  [`upstreams/${deriveId('idle')}`]: {
    name: 'idle',
    type: 'roundrobin',
    nodes: [],
    labels: { __ADC_SHARED: 'true' },
  },
  'plugin_configs/alien': { plugins: { cors: {} }, desc: 'by hand' },
  'consumer_groups/alien': { plugins: limit },
  'protos/alien': { content: 'syntax = "proto3"; message A { string a = 1; }' },
  'routes/alien': { uri: '/alien', host: 'alien.test', upstream_id: 'alien', plugin_config_id: 'alien' },
  'routes/alien-too': { uris: ['/same'], upstream: { type: 'roundrobin', nodes: { '10.5.0.4:80': 1 } } },
  'routes/alien-split': {
    uri: '/split',
    upstream_id: 'alien',
    plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: '1', weight: 1 }, { weight: 2 }] }] } },
  },
};

/** Objects that a label selector leaves out. */
export function ofOthers(world: World): Readonly<Record<string, JsonObject>> {
  const plugins = { 'key-auth': { key: 'key-of-the-alien' } };
  return {
    'services/alien': { name: 'alpha', upstream: { type: 'roundrobin', nodes: { '10.5.1.1:80': 1 } }, ...other },
    'services/alien-shared': { name: 'their own', upstream_id: 'alien', plugins: { cors: {} } },
    'routes/alien-inside': { uri: '/inside', service_id: 'alien', remote_addr: '10.0.0.0/8' },
    'consumers/alien': { username: 'alien', plugins, ...other },
    ...(world.abilities.credentials
      ? { 'consumers/alien/credentials/1': { plugins: { 'key-auth': { key: 'key-of-the-alien-too' } } } }
      : {}),
    'ssls/alien': {
      sni: 'alien.test',
      cert: certificates.shop.certificate,
      key: certificates.shop.key,
      certs: [certificates.blog.certificate],
      keys: [certificates.blog.key],
    },
  };
}

/** Writes objects past the tool, and gives what is stored of them. */
export async function plantAll(subject: Subject, objects: Readonly<Record<string, JsonObject>>): Promise<RawObjects> {
  for (const [path, value] of Object.entries(objects)) {
    const refusal = await subject.plant(path, value);
    if (refusal !== undefined) throw new Error(refusal);
  }
  const [raw] = await subject.raw();
  return new Map(Object.keys(objects).map((path) => [path, raw?.get(path) ?? {}]));
}

/** Holds that objects are stored as they were, down to their times. */
export function expectUntouched(raw: RawObjects, before: RawObjects): void {
  for (const [path, value] of before)
    expect([path, withoutCiphertext(raw.get(path))]).toEqual([path, withoutCiphertext(value)]);
}

/** Keys come encrypted anew at each read on some versions. */
function withoutCiphertext(value: JsonObject | undefined): JsonObject | undefined {
  if (value === undefined) return undefined;
  const { key: _key, keys: _keys, ...rest } = value;
  return rest;
}
