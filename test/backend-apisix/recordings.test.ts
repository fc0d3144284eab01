import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/model/json.js';
import type { Reading } from '../../src/backend/backend.js';
import { startOddity, type Oddity } from './gateway.js';
import { exchangeOf } from './recorded.js';

/** The lists of a recording, each at the moment it was asked for with something in it. */
const cases: Readonly<Record<string, string>> = {
  routes: 'route: list',
  services: 'service: list',
  upstreams: 'upstream: list',
  ssls: 'ssl: list',
  consumers: 'consumer: list',
  consumer_groups: 'consumer_group: list',
  plugin_configs: 'plugin_config: list',
  global_rules: 'global_rule: list',
  plugin_metadata: 'plugin_metadata: list',
  stream_routes: 'stream_route: list',
  'consumers/ann/credentials': 'credential: list',
};

describe.each(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])('the recorded answers of gateway %s', (version) => {
  let gateway: Oddity;
  let reading: Reading;
  const hasCredentials = !['3.2.2', '3.10.0'].includes(version);

  beforeAll(async () => {
    gateway = await startOddity((request, response) => {
      const name = cases[(request.url ?? '').replace('/apisix/admin/', '')] ?? 'credential: list of a consumer without';
      const recorded = exchangeOf(version, name).response;
      response.writeHead(recorded.status, recorded.headers);
      response.end(recorded.json === undefined ? recorded.text : JSON.stringify(recorded.json));
    });
    const backend = gateway.open();
    reading = await backend.read();
    backend.close();
  });
  afterAll(() => gateway.close());

  const body = (key: string): JsonObject | undefined => reading.state.resources.get(key)?.body;

  it('are read as a state, with the version', () => {
    expect(reading.version).toBe(version);
    const counts: Record<string, number> = {};
    for (const { kind } of reading.state.resources.values()) counts[kind] = (counts[kind] ?? 0) + 1;
    expect(counts).toMatchObject({
      upstream: version === '3.2.2' ? 7 : 6,
      ssl: 5,
      consumer_group: 1,
      plugin_metadata: 1,
      global_rule: 1,
    });
    expect(counts['consumer_credential'] ?? 0).toBe(hasCredentials ? (version === '3.18.0' ? 2 : 3) : 0);
  });

  it('hold services with references and inline upstreams', () => {
    expect(body('service/s1')).toMatchObject({
      name: 'one',
      description: 'first',
      labels: { team: 'a' },
      hosts: ['a.example.com'],
      upstream_id: 'u1',
      plugins: { 'limit-count': { count: 2, time_window: 60 } },
    });
    expect(body('service/s2')).toMatchObject({
      name: 'two',
      upstream: { nodes: [{ host: '127.0.0.1', port: 1980, weight: 1, priority: 0 }] },
    });
  });

  it('hold routes in the plural, and leave out what is outside services', () => {
    expect(body('route/r1')).toMatchObject({ uris: ['/r1', '/r1/*'], description: 'd', priority: 5 });
    expect(body('route/r3')).toMatchObject({ uris: ['/r3'], hosts: ['b.example.com'], remote_addrs: ['127.0.0.1'] });
    expect(reading.state.outside?.get('route/r2')).toBe('it belongs to no service');
    expect(reading.notices.some(({ message }) => message.startsWith('route "r2" is not managed'))).toBe(true);
  });

  it('show no key and no ciphertext', () => {
    const text = JSON.stringify([...reading.state.resources]);
    expect(text).not.toMatch(/ENCRYPTED-KEY|"client_key"|<KEY-/);
    expect(body('ssl/x2')?.['certificates']).toEqual([{ certificate: '<CERT-1>' }, { certificate: '<CERT-2>' }]);
    expect(body('upstream/u7')?.['tls']).toMatchObject({ client_cert: '<CERT-1>' });
  });

  it('hold stream routes of services where gateways know them', () => {
    expect(reading.state.outside?.has('stream_route/t2')).toBe(version === '3.2.2');
    const alone = body('stream_route/t1') === undefined ? undefined : 'it belongs to no service';
    expect(reading.state.outside?.get('stream_route/t1')).toBe(alone);
  });

  it('hold nothing that is the gateway’s own', () => {
    for (const { key, body: content } of reading.state.resources.values()) {
      expect(isJsonObject(content)).toBe(true);
      expect(Object.keys(content), key).not.toEqual(expect.arrayContaining(['create_time']));
      expect(Object.keys(content), key).not.toEqual(expect.arrayContaining(['id']));
    }
  });

  it('differ in nothing from themselves', async () => {
    const { resources, outside } = reading.state;
    const dumped = { resources: new Map([...resources].filter(([key]) => outside?.has(key) !== true)) };
    const { state } = reading.project(dumped);
    expect(state).toBe(dumped);
    expect(reading.lower([], state)).toEqual([]);
  });
});
