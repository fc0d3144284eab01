import type fc from 'fast-check';
import type { Json, JsonObject } from '../../src/model/json.js';
import { deriveId, deriveNestedId } from '../../src/model/ids.js';
import { certificates } from '../cases/documents.js';
import { drawn, type Draw } from './draw.js';
import { globalPlugins, httpPlugins, pluginMetadata, streamPlugins } from './plugins.js';
import type { World } from './world.js';

/*
 * Configurations that are valid, and that have names, ids, keys and references in common with each other: few names to
 * choose from make what one file creates collide with what another had.
 */

const serviceNames = ['alpha', 'beta', 'gamma delta', 'Größe'];
const routeNames = ['one', 'two', 'three', 'four words in it'];
const sharedNames = ['pool', 'alpha', 'spare', 'beta'];
const usernames = ['ann', 'bob', 'carl', 'dora_4'];
const hosts = ['a.test', '*.b.test', 'c.test'];

/** Hands out each of a list at most once. */
class Pool<T> {
  #left: readonly T[];

  constructor(list: readonly T[]) {
    this.#left = list;
  }

  take(draw: Draw): T | undefined {
    if (this.#left.length === 0) return undefined;
    const taken = draw.pick(this.#left);
    this.#left = this.#left.filter((one) => one !== taken);
    return taken;
  }
}

function labels(draw: Draw): JsonObject {
  return draw.maybe(30, 'labels', () => ({
    team: draw.pick(['x', 'y']),
    ...draw.maybe(30, 'tags', () => draw.pick<Json>([['a', 'b'], ['c'], 'd'])),
  }));
}

function described(draw: Draw): JsonObject {
  return { ...draw.maybe(25, 'description', () => draw.pick(['first', 'second, "quoted"'])), ...labels(draw) };
}

function explicitId(draw: Draw, ids: Pool<string>): { id?: string } {
  const id = draw.chance(35) ? ids.take(draw) : undefined;
  return id === undefined ? {} : { id };
}

function checks(draw: Draw): JsonObject {
  return {
    active: {
      ...draw.maybe(50, 'http_path', () => '/health'),
      ...draw.maybe(40, 'http_request_headers', () => ['x-check: 1']),
      ...draw.maybe(50, 'healthy', () => draw.pick<JsonObject>([{}, { interval: 3 }])),
      ...draw.maybe(50, 'unhealthy', () => draw.pick<JsonObject>([{}, { http_failures: 2 }])),
    },
    ...draw.maybe(40, 'passive', () => ({ ...draw.maybe(50, 'healthy', () => ({})), unhealthy: { timeouts: 3 } })),
  };
}

function upstream(draw: Draw, certificateIds: readonly string[], isStream = false): JsonObject {
  if (isStream) return { scheme: 'tcp', nodes: [{ host: draw.pick(['10.0.1.1', 'db.test']), port: 3306, weight: 1 }] };
  const source: JsonObject = draw.chance(10)
    ? { discovery_type: 'dns', service_name: draw.pick(['users', 'items']) }
    : {
        nodes: Array.from({ length: draw.int(0, 3) }, (_, index) => ({
          host: draw.pick(['10.0.0.1', `10.0.0.${index + 2}`, 'node.test', '::1']),
          port: 8080 + index,
          weight: draw.int(0, 2),
          ...draw.maybe(20, 'priority', () => draw.int(-1, 1)),
        })),
      };
  const hash: JsonObject = draw.chance(15)
    ? { type: 'chash', hash_on: 'header', key: 'x-user' }
    : draw.maybe(20, 'type', () => draw.pick(['least_conn', 'ewma', 'roundrobin']));
  const tls: JsonObject = draw.chance(10)
    ? { scheme: 'https', tls: { client_cert: certificates.blog.certificate, client_key: certificates.blog.key } }
    : certificateIds.length > 0 && draw.chance(20)
      ? { scheme: 'https', tls: { client_cert_id: draw.pick(certificateIds) } }
      : draw.maybe(10, 'scheme', () => draw.pick(['https', 'grpc']));
  return {
    ...source,
    ...hash,
    ...tls,
    ...draw.maybe(15, 'retries', () => draw.int(0, 2)),
    ...draw.maybe(10, 'timeout', () => ({ connect: 1, send: 2, read: draw.int(1, 3) })),
    ...draw.maybe(10, 'keepalive_pool', () => draw.pick<JsonObject>([{}, { size: 5 }])),
    ...draw.maybe(10, 'pass_host', () => 'node'),
    ...draw.maybe(15, 'checks', () => checks(draw)),
    ...described(draw),
  };
}

/** Each authentication plugin with an identity that nobody else in the configuration has. */
class Identities {
  readonly #keys: Readonly<Record<string, Pool<string>>>;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    const pool = (prefix: string): Pool<string> =>
      new Pool(['1', '2', '3', '4', '5'].map((end) => `${world.prefix}${prefix}-${end}`));
    this.#keys = {
      'key-auth': pool('key'),
      'basic-auth': pool('user'),
      'jwt-auth': pool('jwt'),
      'hmac-auth': pool('hmac'),
    };
  }

  take(draw: Draw): readonly [plugin: string, config: JsonObject] | undefined {
    const plugin = draw.pick(Object.keys(this.#keys));
    const key = this.#keys[plugin]?.take(draw);
    if (key === undefined) return undefined;
    switch (plugin) {
      case 'key-auth':
        return [plugin, { key }];
      case 'basic-auth':
        return [plugin, { username: key, password: draw.pick(['pass-word-1', 'pass-word-2']) }];
      case 'jwt-auth':
        return [
          plugin,
          {
            key,
            secret: '0123456789abcdef0123456789abcdef',
            ...draw.maybe(40, 'algorithm', () => draw.pick(['HS256', 'HS512'])),
          },
        ];
      default:
        return [
          plugin,
          this.#world.since('3.13.0')
            ? { key_id: key, secret_key: 'secret-of-hmac' }
            : { access_key: key, secret_key: 'secret-of-hmac' },
        ];
    }
  }
}

function consumer(
  draw: Draw,
  world: World,
  username: string,
  parts: { readonly identities: Identities; readonly ids: Pool<string>; readonly groups: readonly string[] },
): JsonObject | undefined {
  const { abilities } = world;
  const own = draw.chance(abilities.bareConsumers ? 60 : 100) ? parts.identities.take(draw) : undefined;
  if (own === undefined && !abilities.bareConsumers) return undefined;
  const names = abilities.credentials && draw.chance(60) ? draw.some(['main', 'spare', 'third'], 50) : [];
  const credentials = names.flatMap((name) => {
    const taken = parts.identities.take(draw);
    if (taken === undefined) return [];
    const [type, config] = taken;
    return [{ ...explicitId(draw, parts.ids), name, type, config, ...described(draw) }];
  });
  return {
    username,
    ...(own === undefined ? {} : { plugins: { [own[0]]: own[1], ...draw.maybe(20, 'cors', () => ({})) } }),
    ...(credentials.length > 0 ? { credentials } : {}),
    ...(parts.groups.length > 0 && draw.chance(50) ? { group_id: draw.pick(parts.groups) } : {}),
    ...described(draw),
  };
}

/** Draws a configuration. */
export function drawConfiguration(draw: Draw, world: World): JsonObject {
  const own = (text: string): string => `${world.prefix}${text}`;
  const routeIds = new Pool(['1', 'r-1', 'r.2', 'alpha', 'R_3'].map(own));
  const upstreamIds = new Pool(['1', '7', 'u.3'].map(own));
  const credentialIds = new Pool(['1', 'c-1', 'c_2'].map(own));
  const ports = new Pool([9100, 9101, 9102, 9103]);

  const ssls = draw
    .some([['a.test'], ['a.test', 'b.test'], ['blog.test']], 35)
    .map((names) => names.map((name) => `${world.prefix}${name}`))
    .map((snis) => ({
      ...draw.maybe(40, 'id', () => own(`ssl-${snis.length}${snis[0]?.at(world.prefix.length) ?? ''}`)),
      snis,
      certificates: draw.pick([
        [certificates.shop],
        [certificates.blog],
        [certificates.shop, certificates.blog],
        [certificates.blog, certificates.shop],
      ]),
      ...labels(draw),
      ...(world.since('3.10.0')
        ? draw.maybe(30, 'ssl_protocols', () => ['TLSv1.2', draw.pick(['TLSv1.1', 'TLSv1.3'])])
        : {}),
      ...draw.maybe(20, 'client', () => ({
        ca: certificates.shop.certificate,
        ...draw.maybe(50, 'depth', () => draw.int(0, 2)),
      })),
    }));
  const hasClientCertificate = world.refersToCertificates && draw.chance(30);
  const certificateIds = hasClientCertificate ? [own('client-cert')] : [];

  const names = draw.some(serviceNames.map(own), 55);
  const serviceIds = new Pool([...['1', '2', 's.3'].map(own), deriveId(own('pool'))]);
  const planned = names.map((name) => {
    const { id = deriveId(name), ...rest } = explicitId(draw, serviceIds);
    const kind = draw.pick(['own', 'own', 'own', 'shared', 'none'] as const);
    return { name, id, rest, isExplicit: id !== deriveId(name), kind };
  });

  const shared: { name: string; id: string; isExplicit: boolean }[] = [];
  for (const name of world.mentions ? draw.some(sharedNames.map(own), 45) : []) {
    const { id = deriveId(name) } = explicitId(draw, upstreamIds);
    shared.push({ name, id, isExplicit: id !== deriveId(name) });
  }
  const upstreams = shared.map(({ name, id, isExplicit }) => ({
    name,
    ...(isExplicit ? { id } : {}),
    ...upstream(draw, certificateIds),
  }));
  const sharedRefs = [...shared.flatMap(({ name, id }) => [id, name]), ...world.standing];

  const configNames = world.mentions ? draw.some(['plugs', 'more plugs'].map(own), 45) : [];
  const configs = configNames.map((name) => ({
    name,
    ...draw.maybe(40, 'id', () => own(`pc-${name.length}`)),
  }));
  const splitting = { ...world, splitTargets: [...shared.map(({ id }) => id), ...world.splitTargets] };
  const plugin_configs = configs.map((config) => ({
    ...config,
    plugins: httpPlugins(draw, splitting),
    ...described(draw),
  }));

  const services = planned.map(({ name, id, isExplicit, kind }) => {
    const isStream = world.abilities.streamRoutesOnServices && kind !== 'none' && draw.chance(20);
    const target: JsonObject =
      kind === 'own'
        ? { upstream: upstream(draw, certificateIds, isStream) }
        : kind === 'shared' && sharedRefs.length > 0
          ? { upstream_id: draw.pick(sharedRefs) }
          : {};
    const named =
      Object.keys(target).length > 0 && !isStream
        ? draw.some(['canary', 'blue'], 25).map((one) => ({ name: one, ...upstream(draw, certificateIds) }))
        : [];
    const within = {
      ...splitting,
      splitTargets: [...splitting.splitTargets, ...named.map((one) => deriveNestedId(name, one.name))],
    };
    const refs = [...sharedRefs, ...named.map((one) => one.name)];
    const children: JsonObject = isStream
      ? {
          stream_routes: draw.some(['tcp one', 'tcp-two'], 60).flatMap((route) => {
            const port = ports.take(draw);
            if (port === undefined) return [];
            return [
              {
                ...explicitId(draw, routeIds),
                name: route,
                server_port: port,
                ...draw.maybe(30, 'sni', () => 'db.test'),
                ...draw.maybe(40, 'plugins', () => streamPlugins(draw, world)),
                ...described(draw),
              },
            ];
          }),
        }
      : {
          routes: draw.some(routeNames, 45).map((route) => ({
            ...explicitId(draw, routeIds),
            name: route,
            uris: draw.pick([[`/${route.slice(0, 3)}`], ['/same'], ['/same', `/${name.slice(0, 2)}/*`]]),
            ...draw.maybe(25, 'hosts', () => draw.pick<Json>([[], ['a.test'], hosts])),
            ...draw.maybe(25, 'methods', () => draw.pick([['GET'], ['POST', 'GET']])),
            ...draw.maybe(15, 'priority', () => draw.int(-1, 1)),
            ...draw.maybe(15, 'status', () => draw.int(0, 1)),
            ...draw.maybe(15, 'vars', () => draw.pick<Json>([[], [['arg_a', '==', 'b']]])),
            ...draw.maybe(10, 'remote_addrs', () => ['10.0.0.0/8', '::1']),
            ...draw.maybe(10, 'enable_websocket', () => draw.chance(50)),
            ...draw.maybe(10, 'timeout', () => ({ connect: 1, send: 1, read: 1 })),
            ...draw.maybe(10, 'filter_func', () => 'function(vars) return true end'),
            ...(refs.length > 0 && draw.chance(20) ? { upstream_id: draw.pick(refs) } : {}),
            ...(configs.length > 0 && draw.chance(30) ? { plugin_config_id: draw.pick(configs).name } : {}),
            ...draw.maybe(50, 'plugins', () => httpPlugins(draw, within)),
            ...described(draw),
          })),
        };
    return {
      ...(isExplicit ? { id } : {}),
      name,
      ...target,
      ...(named.length > 0 ? { upstreams: named } : {}),
      ...(isStream ? {} : draw.maybe(20, 'hosts', () => draw.pick<Json>([[], ['svc.test']]))),
      ...(isStream ? {} : draw.maybe(30, 'plugins', () => httpPlugins(draw, within))),
      ...described(draw),
      ...children,
    };
  });

  const groups = world.mentions ? draw.some(['gold', 'free tier'].map(own), 40) : [];
  const identities = new Identities(world);
  const people = new Pool(usernames.map(own));
  const someone = (groupNames: readonly string[]): readonly JsonObject[] => {
    const username = people.take(draw);
    const one =
      username === undefined
        ? undefined
        : consumer(draw, world, username, { identities, ids: credentialIds, groups: groupNames });
    return one === undefined ? [] : [one];
  };
  const consumer_groups = groups.map((name) => ({
    name,
    ...draw.maybe(40, 'id', () => own(`g-${name.length}`)),
    plugins: httpPlugins(draw, splitting),
    ...described(draw),
    ...(draw.chance(40) ? { consumers: someone([]) } : {}),
  }));
  const consumers = Array.from({ length: draw.int(0, 3) }).flatMap(() => someone(groups));

  return {
    services,
    ssls: [
      ...ssls,
      ...(hasClientCertificate
        ? [{ id: own('client-cert'), type: 'client', snis: [own('client.test')], certificates: [certificates.blog] }]
        : []),
    ],
    consumers,
    ...(world.mentions ? { upstreams, plugin_configs, consumer_groups } : {}),
    global_rules: globalPlugins(draw, world),
    plugin_metadata: pluginMetadata(draw, world),
  };
}

/** Valid configurations for a world. */
export function configurations(world: World): fc.Arbitrary<JsonObject> {
  return drawn((draw) => drawConfiguration(draw, world));
}
