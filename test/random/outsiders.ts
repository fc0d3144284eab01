import { deriveId, deriveNestedId } from '../../src/model/ids.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Draw } from './draw.js';
import type { Subject } from './subject.js';
import type { World } from './world.js';

/*
 * What stands outside of any file's reach and has to do with what files hold all the same: routes outside services that
 * have the ids of desired ones and use what desired services use, routes whose service is missing, services and consumers
 * of others that use what a selector covers.
 */

/** What is to be planted, when it is known what there is to refer to. */
export interface Outsider {
  readonly path: string;
  readonly value: JsonObject;
  /** Which of the objects there are it uses, by collection: an index into them, whatever their number. */
  readonly uses: Readonly<Record<string, number>>;
  /** Which upstream its `traffic-split` plugin names. */
  readonly splitsTo?: number;
  /** Of a route: the service that it names, and that is missing. */
  readonly serviceId?: string;
}

const routeIds = ['1', 'r-1', 'r.2', 'alpha', 'R_3', 'free-1', 'free-2'];
const serviceIds = ['1', '2', 's.3', deriveId('pool'), deriveId('alpha'), deriveId('beta'), deriveId('gamma delta')];
const inline = { type: 'roundrobin', nodes: { '10.7.0.1:80': 1 } };

/** Draws what others have. `selects`: the files have a label selector, so that whole services are out of scope as well. */
export function drawOutsiders(draw: Draw, world: World, selects: boolean): readonly Outsider[] {
  const found: Outsider[] = [];
  const index = (): number => draw.int(0, 11);
  const ids = draw.some([...routeIds, deriveNestedId('alpha', 'one'), deriveNestedId('beta', 'two')], 40);
  for (const id of ids) {
    const isOrphan = draw.chance(25);
    const target = draw.pick(['upstream', 'upstream', 'split', 'inline', 'certificate']);
    found.push({
      path: `routes/${id}`,
      value: {
        uri: `/${id.slice(0, 5)}`,
        ...draw.maybe(40, 'name', () => draw.pick(['one', 'theirs'])),
        ...draw.maybe(30, 'desc', () => 'by hand'),
        ...draw.maybe(20, 'status', () => 0),
        ...(target === 'inline' || target === 'split' || target === 'certificate' ? { upstream: inline } : {}),
      },
      uses: {
        ...(target === 'upstream' ? { upstreams: index() } : {}),
        ...(target === 'certificate' ? { ssls: index() } : {}),
        ...(draw.chance(30) ? { plugin_configs: index() } : {}),
      },
      ...(target === 'split' ? { splitsTo: index() } : {}),
      ...(isOrphan ? { serviceId: draw.pick(serviceIds) } : {}),
    });
  }
  if (world.abilities.streamRoutesOnServices) {
    for (const id of draw.some(['1', 'r-1', 'free-1'], 30)) {
      found.push({
        path: `stream_routes/${id}`,
        value: { server_port: 9200 + id.length, ...(draw.chance(50) ? { upstream: inline } : {}) },
        uses: draw.chance(50) ? { upstreams: index() } : {},
      });
    }
  }
  if (world.abilities.credentials) {
    for (const id of draw.some(['1', 'c-1', 'free-1'], 30))
      found.push({
        path: `consumers/${draw.pick(['ann', 'bob'])}/credentials/${id}`,
        value: { plugins: {} },
        uses: {},
      });
  }
  if (!selects) return found;
  for (const id of draw.some(['1', '2', 'free-1'], 40)) {
    const uses: Readonly<Record<string, number>> = draw.chance(60) ? { upstreams: index() } : {};
    const own = draw.chance(50) ? { upstream: inline } : {};
    found.push({ path: `services/${id}`, value: { name: `service of others ${id}`, ...own }, uses });
  }
  for (const username of draw.some(['ann', 'zoe'], 40)) {
    const plugins = { 'key-auth': { key: `key of the other ${username}` } };
    const uses: Readonly<Record<string, number>> = draw.chance(60) ? { consumer_groups: index() } : {};
    found.push({ path: `consumers/${username}`, value: { username, plugins }, uses });
  }
  return found;
}

/** The fields by which something of a collection is used. */
function use(collection: string, id: string): JsonObject {
  switch (collection) {
    case 'upstreams':
      return { upstream_id: id };
    case 'plugin_configs':
      return { plugin_config_id: id };
    case 'consumer_groups':
      return { group_id: id };
    default:
      return { upstream: { ...inline, scheme: 'https', tls: { client_cert_id: id } } };
  }
}

/**
 * Writes what was drawn where nothing stands yet, and gives what was taken: routes whose service is missing by that
 * service.
 */
export async function plantOutsiders(
  subject: Subject,
  outsiders: readonly Outsider[],
  world: World,
): Promise<{ readonly planted: readonly string[]; readonly orphans: ReadonlyMap<string, string> }> {
  const planted: string[] = [];
  const orphans = new Map<string, string>();
  const [before = new Map<string, JsonObject>()] = await subject.raw();
  const idsOf = (collection: string): readonly string[] =>
    [...before]
      .filter(([path, value]) => path.startsWith(`${collection}/`) && (collection !== 'ssls' || isClient(value)))
      .map(([path]) => path.slice(collection.length + 1));
  const chosen = (collection: string, index: number): string | undefined => {
    const ids = idsOf(collection);
    return ids[index % Math.max(1, ids.length)];
  };
  for (const { path, value, uses, splitsTo, serviceId } of outsiders) {
    const consumer = /^(consumers\/[^/]+)\/credentials\//.exec(path)?.[1];
    if (before.has(path) || (consumer !== undefined && !before.has(consumer))) continue;
    const used = Object.entries(uses).flatMap(([collection, index]) => {
      if (collection === 'ssls' && !world.refersToCertificates) return [];
      const id = chosen(collection, index);
      return id === undefined ? [] : [use(collection, id)];
    });
    const split = splitsTo === undefined ? undefined : chosen('upstreams', splitsTo);
    const rules = [{ weighted_upstreams: [{ upstream_id: split ?? '', weight: 1 }, { weight: 1 }] }];
    const whole: JsonObject = Object.assign(
      { ...value },
      ...used,
      split === undefined ? {} : { plugins: { 'traffic-split': { rules } } },
    );
    const canMiss = world.backend === 'apisix-standalone' || world.since('3.10.0');
    const isOrphan = canMiss && serviceId !== undefined && !before.has(`services/${serviceId}`);
    const taken = isOrphan ? await subject.plantOrphan(path, whole, serviceId) : await subject.plant(path, whole);
    if (taken !== undefined) continue;
    planted.push(path);
    if (isOrphan) orphans.set(path, serviceId);
  }
  return { planted, orphans };
}

/** Only certificates of clients may be used by an upstream. */
function isClient({ type }: JsonObject): boolean {
  return type === 'client';
}
