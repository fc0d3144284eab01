import type { Json, JsonObject } from '../../src/model/json.js';
import { certificates } from '../cases/documents.js';
import type { Draw } from './draw.js';
import { globalPlugins, httpPlugins, pluginMetadata } from './plugins.js';
import type { Subject } from './subject.js';
import type { World } from './world.js';

/*
 * What people and other tools leave on a gateway: ids that are numbers and the same in all collections, no names, single
 * forms, upstreams inside services and routes, nodes as maps, rules with several plugins.
 */

/** An object past the tool, by its path. */
export type Planted = readonly (readonly [path: string, value: JsonObject])[];

const ids = ['1', '2', '3'];

function upstream(draw: Draw, world: World): JsonObject {
  const nodes = draw.pick<Json>([
    { '10.0.0.1:80': 1 },
    { 'node.test': 1, '10.0.0.2:8080': 0 },
    [{ host: '10.0.0.3', port: 8080, weight: 1 }],
    [{ host: 'node.test', port: 80, weight: 2, priority: 1, metadata: { zone: 'a' } }],
    [],
    ...(world.since('3.10.0') ? [[{ host: 'no-port.test', weight: 1 }]] : []),
  ]);
  return {
    ...(draw.chance(10) ? { service_name: 'users', discovery_type: 'dns' } : { nodes }),
    ...draw.maybe(60, 'type', () => draw.pick(['roundrobin', 'least_conn'])),
    ...draw.maybe(20, 'scheme', () => draw.pick(['https', 'grpc', 'http'])),
    ...draw.maybe(20, 'desc', () => 'by hand'),
    ...draw.maybe(20, 'labels', () => ({ env: draw.pick(['a', '["x"]']) })),
    ...draw.maybe(15, 'checks', () => ({
      active: { http_path: '/h', ...draw.maybe(50, 'req_headers', () => ['a: b']) },
      ...draw.maybe(50, 'passive', () => ({ healthy: { successes: draw.int(0, 2) } })),
    })),
    ...draw.maybe(10, 'keepalive_pool', () => ({ size: 3 })),
    ...draw.maybe(10, 'timeout', () => ({ connect: 0.5, send: 1, read: 1 })),
    ...draw.maybe(10, 'tls', () => ({
      client_cert: certificates.shop.certificate,
      client_key: certificates.shop.key,
    })),
  };
}

const one = (draw: Draw, single: string, many: string, values: readonly string[]): JsonObject =>
  draw.chance(50) ? { [single]: draw.pick(values) } : { [many]: values };

function target(draw: Draw, world: World, upstreams: readonly string[]): JsonObject {
  const kind = draw.int(0, 3);
  if (kind === 0) return {};
  if (kind === 1 && upstreams.length > 0) return { upstream_id: draw.pick(upstreams) };
  return { upstream: { ...upstream(draw, world), ...draw.maybe(30, 'name', () => 'a name') } };
}

/** Draws what others might have written, in the order in which a gateway takes it. */
export function drawPlanted(draw: Draw, world: World): Planted {
  const planted: [string, JsonObject][] = [];
  const put = (path: string, value: JsonObject): void => void planted.push([path, value]);
  const some = (percent: number): readonly string[] => draw.some(ids, percent);

  const upstreams = some(50);
  for (const id of upstreams) {
    put(`upstreams/${id}`, {
      ...upstream(draw, world),
      ...draw.maybe(50, 'name', () => draw.pick(['same name', `upstream ${id}`])),
    });
  }
  const configs = some(30);
  for (const id of configs)
    put(`plugin_configs/${id}`, { plugins: httpPlugins(draw, world), ...draw.maybe(30, 'desc', () => 'by hand') });
  const groups = some(30);
  for (const id of groups) put(`consumer_groups/${id}`, { plugins: httpPlugins(draw, world) });
  const services = some(70);
  for (const id of services) {
    put(`services/${id}`, {
      ...target(draw, world, upstreams),
      ...draw.maybe(60, 'name', () => draw.pick(['same name', `service ${id}`])),
      ...draw.maybe(30, 'hosts', () => ['a.test']),
      ...draw.maybe(20, 'enable_websocket', () => true),
      ...draw.maybe(30, 'plugins', () => httpPlugins(draw, { ...world, splitTargets: upstreams })),
    });
  }
  for (const id of some(80)) {
    const service = services.length > 0 && draw.chance(80) ? { service_id: draw.pick(services) } : {};
    const found = target(draw, world, upstreams);
    put(`routes/${id}`, {
      ...one(draw, 'uri', 'uris', ['/a', '/b']),
      ...(draw.chance(40) ? one(draw, 'host', 'hosts', ['a.test', '*.b.test']) : {}),
      ...(draw.chance(20) ? one(draw, 'remote_addr', 'remote_addrs', ['10.0.0.0/8', '::1']) : {}),
      ...draw.maybe(50, 'name', () => draw.pick(['same name', `route ${id}`])),
      ...service,
      ...found,
      ...draw.maybe(20, 'status', () => draw.int(0, 1)),
      ...draw.maybe(20, 'priority', () => draw.int(0, 5)),
      ...draw.maybe(20, 'methods', () => draw.pick<Json>([['GET'], []])),
      ...draw.maybe(20, 'vars', () => draw.pick<Json>([[], [['arg_a', '==', 'b']]])),
      ...draw.maybe(20, 'desc', () => 'by hand'),
      ...(configs.length > 0 && draw.chance(30) ? { plugin_config_id: draw.pick(configs) } : {}),
      ...(Object.keys({ ...service, ...found }).length === 0 || draw.chance(40)
        ? { plugins: httpPlugins(draw, { ...world, splitTargets: upstreams }) }
        : {}),
    });
  }
  for (const username of draw.some(['ann', 'bob'], 60)) {
    const plugins = { 'key-auth': { key: `key of ${username}` } };
    put(`consumers/${username}`, {
      username,
      ...(world.abilities.bareConsumers ? draw.maybe(50, 'plugins', () => plugins) : { plugins }),
      ...draw.maybe(20, 'desc', () => 'by hand'),
      ...(groups.length > 0 && draw.chance(40) ? { group_id: draw.pick(groups) } : {}),
    });
    if (!world.abilities.credentials) continue;
    for (const id of some(40)) {
      put(`consumers/${username}/credentials/${id}`, {
        plugins: draw.pick<JsonObject>([
          { 'key-auth': { key: `${username} ${id}` } },
          { 'basic-auth': { username: `${username} ${id}`, password: 'secret of others' } },
          {},
        ]),
        ...draw.maybe(30, 'name', () => draw.pick(['same name', `credential ${id}`])),
      });
    }
  }
  for (const id of some(40)) {
    put(`ssls/${id}`, {
      ...one(draw, 'sni', 'snis', [`${id}.test`, 'b.test']),
      cert: certificates.shop.certificate,
      key: certificates.shop.key,
      ...(draw.chance(40) ? { certs: [certificates.blog.certificate], keys: [certificates.blog.key] } : {}),
      ...draw.maybe(20, 'status', () => 0),
      ...draw.maybe(20, 'labels', () => ({ a: 'b' })),
    });
  }
  const rules = globalPlugins(draw, world);
  const names = Object.keys(rules);
  const first = names.filter(() => draw.chance(60));
  for (const [id, chosen] of [
    [draw.pick(['1', 'cors', 'by-hand']), first],
    ['2', names.filter((name) => !first.includes(name))],
  ] as const) {
    if (chosen.length > 0)
      put(`global_rules/${id}`, { plugins: Object.fromEntries(chosen.map((name) => [name, rules[name] ?? {}])) });
  }
  for (const [name, value] of Object.entries(pluginMetadata(draw, world)))
    put(`plugin_metadata/${name}`, value as JsonObject);
  return planted;
}

/** Writes what was drawn. What the gateway refuses is left out: not everything that is drawn goes together. */
export async function plantWhatIsTaken(subject: Subject, planted: Planted): Promise<void> {
  for (const [path, value] of planted) await subject.plant(path, value);
}
