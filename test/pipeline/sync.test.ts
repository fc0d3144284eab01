import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Reading } from '../../src/backend/backend.js';
import { createMemory } from '../../src/memory/store.js';
import type { Change } from '../../src/model/change.js';
import type { JsonObject } from '../../src/model/json.js';
import {
  dumpState,
  readAndDiff,
  sync,
  validateConfiguration,
  type SyncOptions,
  type SyncResult,
} from '../../src/sync.js';
import type { SyncReport } from '../../src/pipeline/report/fold.js';
import { configured, startEmulated, type Emulated } from '../support/emulated.js';

let emulated: Emulated | undefined;
afterEach(async () => {
  await emulated?.close();
  emulated = undefined;
});

const start = async (options?: Parameters<typeof startEmulated>[0]): Promise<Emulated> => {
  emulated = await startEmulated(options);
  return emulated;
};

const nodes = [{ host: '127.0.0.1', port: 8080, weight: 1 }];

/** A service with that many routes. */
const service = (name: string, routes: number, more: JsonObject = {}): JsonObject => ({
  name,
  upstream: { nodes },
  routes: Array.from({ length: routes }, (_, number) => ({ name: `${name}-${number}`, uris: [`/${name}/${number}`] })),
  ...more,
});

/** Syncs a document; without a report nothing was written. */
async function run(
  { open }: Emulated,
  document: JsonObject,
  options: Omit<SyncOptions, 'backend' | 'configuration'> = {},
): Promise<SyncResult & { readonly report: SyncReport }> {
  const result = await sync({ backend: await open(), configuration: configured(document), ...options });
  if (result.report === undefined) throw new Error('was a dry run');
  return { ...result, report: result.report };
}

const titles = (changes: readonly Change[]): string[] =>
  changes.map(({ type, kind, name }) => `${type} ${kind} ${name}`);

describe.each(['3.18.0', '3.13.0', '3.2.2'])('a gateway %s that lags', (gatewayVersion) => {
  it('becomes what the file says, and a second sync has nothing to do', async () => {
    const gateway = await start({ gatewayVersion, workers: 2, lag: '2-7ms' });
    const document = {
      services: [service('shop', 3), service('blog', 1, { hosts: ['blog.test'] })],
      global_rules: { cors: {} },
      consumers: [{ username: 'ann', plugins: { 'key-auth': { key: 'ann-key' } } }],
    };
    const first = await run(gateway, document);
    expect(first.report.summary).toMatchObject({ total: 8, applied: 8 });
    expect(first.report.endpoints).toMatchObject([{ server: gateway.emulator.url, success: true }]);

    const second = await run(gateway, document);
    expect(second.difference.changes).toEqual([]);
    expect(second.plan.operations).toEqual([]);
    expect(second.report).toMatchObject({ success: true, outcomes: [], endpoints: [] });
  });

  it('loses a service with its routes at once, although it checks what uses them', async () => {
    const gateway = await start({ gatewayVersion, workers: 2, lag: '2-7ms' });
    await run(gateway, { services: [service('shop', 5), service('blog', 5)] });
    const { difference, report } = await run(gateway, { services: [service('blog', 5)] });
    expect(titles(difference.changes)).toHaveLength(6);
    expect(report.summary).toMatchObject({ applied: 6, failed: 0 });
    expect(await gateway.admin('GET', 'upstreams')).toMatchObject({ total: 1 });
  });
});

it('gives a credential’s key to another, and swaps two', async () => {
  const gateway = await start({ gatewayVersion: '3.18.0', lag: '2-7ms' });
  const withKeys = (keys: Readonly<Record<string, string>>): JsonObject => ({
    consumers: Object.entries(keys).map(([username, key]) => ({
      username,
      credentials: [{ name: 'main', type: 'key-auth', config: { key } }],
    })),
  });
  await run(gateway, withKeys({ ann: 'one', bob: 'two', eve: 'three' }));
  const swapped = await run(gateway, withKeys({ ann: 'two', bob: 'one', dan: 'three' }));
  expect(swapped.report).toMatchObject({ success: true, summary: { failed: 0 } });
  expect(swapped.plan.operations.filter(({ id }) => id.startsWith('vacate'))).toHaveLength(1);
  expect((await run(gateway, withKeys({ ann: 'two', bob: 'one', dan: 'three' }))).difference.changes).toEqual([]);
});

describe('a sync that fails part way', () => {
  const broken = {
    services: [
      service('good', 2),
      service('bad', 2, {
        plugins: { 'limit-count': { count: -1, time_window: 0, rejected_code: 1, key_type: 'nothing' } },
      }),
    ],
  };

  it('says what was not applied and because of what, goes on with the rest, and is completed by another', async () => {
    const gateway = await start();
    const { report } = await run(gateway, broken);
    expect(report.success).toBe(false);
    expect(report.summary).toMatchObject({ total: 6, applied: 3, failed: 1, skipped: 2 });
    const failed = report.outcomes.find(({ status }) => status === 'failed');
    expect(failed?.change).toMatchObject({ kind: 'service', name: 'bad' });
    expect(String(failed?.error)).toMatch(/PUT http:.*services.*, responded with status 400.*error_msg: .*limit-count/);
    for (const { because } of report.outcomes.filter(({ status }) => status === 'skipped')) {
      expect(because).toMatchObject({ kind: 'service', name: 'bad' });
    }

    const repaired = { services: [service('good', 2), service('bad', 2)] };
    expect((await run(gateway, repaired)).report.success).toBe(true);
    expect((await run(gateway, repaired)).difference.changes).toEqual([]);
  });

  it('stops at the first failure where it was told to', async () => {
    const gateway = await start();
    const bad = { services: [{ ...broken.services[1], name: 'a-bad' }, service('good', 30)] };
    const { report } = await run(gateway, bad, { failFast: true, concurrency: 1 });
    expect(report.summary.failed).toBe(1);
    expect(report.summary.aborted).toBeGreaterThan(20);
  });

  it('is stopped between two writes, and another sync completes it', async () => {
    const gateway = await start({ latency: 2 });
    const document = { services: [service('shop', 200)] };
    const stop = new AbortController();
    const { report } = await run(gateway, document, {
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done === 20) stop.abort();
      },
    });
    const { applied, aborted, unknown, failed } = report.summary;
    expect({ unknown, failed }).toEqual({ unknown: 0, failed: 0 });
    expect(applied + aborted).toBe(201);
    expect(aborted).toBeGreaterThan(100);
    const { total } = await gateway.admin('GET', 'routes');
    expect(total).toBe(
      report.outcomes.filter(({ status, change }) => status === 'applied' && change.kind === 'route').length,
    );

    const rest = await run(gateway, document);
    expect(rest.difference.changes).toHaveLength(aborted);
    expect(rest.report.success).toBe(true);
  });

  it('does not know what became of a write that hung until the deadline', async () => {
    const gateway = await start();
    gateway.emulator.setFaults({ hangRate: 1, methods: ['PUT'], path: '/routes/' });
    const deadline = Date.now() + 400;
    const backend = await gateway.open({ deadline });
    const { report } = await sync({ backend, configuration: configured({ services: [service('shop', 2)] }), deadline });
    expect(report?.summary).toMatchObject({ applied: 1, unknown: 2 });
  });
});

describe('what is in scope', () => {
  it('never touches other labels, other types and kinds that are not mentioned', async () => {
    const gateway = await start();
    await gateway.admin('PUT', 'upstreams/foreign', {
      nodes: { '127.0.0.1:1': 1 },
      type: 'roundrobin',
      name: 'foreign',
    });
    await run(gateway, { services: [service('theirs', 1, { labels: { team: 'b' } })], global_rules: { cors: {} } });
    const scope = { labels: { team: 'a' }, exclude: ['global_rule'] };
    const options = { labels: { team: 'a' }, exclude: ['global_rule'] } as const;
    const mine = configured({ services: [service('mine', 1)] }, options);
    const { report } = await sync({ backend: await gateway.open(), configuration: mine, scope });
    expect(report?.summary).toMatchObject({ total: 2, applied: 2 });

    const none = await readAndDiff({
      backend: await gateway.open(),
      configuration: configured({ services: [] }, options),
      scope,
    });
    expect(titles(none.changes)).toEqual(['delete route mine-0', 'delete service mine']);
    expect(none.emptied).toEqual([{ kind: 'service', deleted: 1 }]);
    const dumped = await dumpState({ backend: await gateway.open(), scope });
    expect([...dumped.state.resources.values()].map(({ name }) => name).toSorted()).toEqual(['mine', 'mine-0']);
  });

  it('says how much an empty collection deletes', async () => {
    const gateway = await start();
    await run(gateway, { services: Array.from({ length: 12 }, (_, number) => service(`s${number}`, 1)) });
    const { emptied } = await readAndDiff({
      backend: await gateway.open(),
      configuration: configured({ services: [] }),
    });
    expect(emptied).toEqual([{ kind: 'service', deleted: 12 }]);
    const partly = configured({ services: [service('s1', 0)] });
    expect((await readAndDiff({ backend: await gateway.open(), configuration: partly })).emptied).toEqual([]);
  });
});

describe('what a job is told', () => {
  it('changes nothing in a dry run, and says what it would do', async () => {
    const gateway = await start();
    const stages: string[] = [];
    const result = await sync({
      backend: await gateway.open(),
      configuration: configured({ services: [service('shop', 1)] }),
      dryRun: true,
      onStage: (stage) => stages.push(stage),
    });
    expect(result.report).toBeUndefined();
    expect(result.plan.operations.map(({ method, object }) => `${method} ${object.split('/')[0]}`)).toEqual([
      'PUT upstreams',
      'PUT services',
      'PUT routes',
    ]);
    expect(await gateway.admin('GET', 'services')).toMatchObject({ total: 0 });
    expect(stages).toEqual(['read', 'diff']);
  });

  it('remembers that two states are equal, for this scope only, and never instead of reading', async () => {
    // This version stores defaults, so that equal states differ until they are normalised.
    const gateway = await start({ gatewayVersion: '3.13.0' });
    const configuration = configured({ services: [service('shop', 2)] });
    await sync({ backend: await gateway.open(), configuration });
    const memory = createMemory();
    let normalised = 0;
    const differ = async (scope = {}): Promise<readonly Change[]> => {
      const backend = await gateway.open({ memory });
      const read = async (): Promise<Reading> => {
        const reading = await backend.read();
        return {
          ...reading,
          normaliser: (pairs) => {
            normalised += 1;
            return reading.normaliser(pairs);
          },
        };
      };
      return (await readAndDiff({ backend: { ...backend, read }, configuration, memory, scope })).changes;
    };
    const counts: number[] = [];
    for (const scope of [{}, {}, { exclude: ['ssl'] }, {}]) {
      expect(await differ(scope)).toEqual([]);
      counts.push(normalised);
    }
    expect(counts).toEqual([1, 1, 2, 2]);

    const route = [...configuration.state.resources.values()].find(({ kind }) => kind === 'route');
    await gateway.admin('PATCH', `routes/${route?.id}`, { priority: 7 });
    expect(titles(await differ())).toEqual(['update route shop-0']);
  });

  it('lowers once what has nothing to do, and again when the gateway holds a leftover', async () => {
    const gateway = await start();
    const configuration = configured({ services: [service('shop', 2)] });
    await sync({ backend: await gateway.open(), configuration });
    const memory = createMemory();
    let lowered = 0;
    const again = async (): Promise<readonly string[]> => {
      const backend = await gateway.open({ memory });
      const read = async (): Promise<Reading> => {
        const reading = await backend.read();
        return {
          ...reading,
          lower: (...given) => {
            lowered += 1;
            return reading.lower(...given);
          },
        };
      };
      const { plan: planned } = await sync({ backend: { ...backend, read }, configuration, memory });
      return planned.operations.map(({ method, object }) => `${method} ${object}`);
    };
    expect([await again(), await again(), await again()]).toEqual([[], [], []]);
    expect(lowered).toBe(1);

    // What an interrupted delete of a service leaves: its upstream, under the id that a service of that name has.
    const gone = [...configured({ services: [service('gone', 0)] }).state.resources.values()][0];
    await gateway.admin('PUT', `upstreams/${gone?.id}`, { name: 'gone', nodes: { '127.0.0.1:80': 1 } });
    expect(await again()).toEqual([`DELETE upstreams/${gone?.id}`]);
    expect(await again()).toEqual([]);
    expect(lowered).toBe(3);
  });

  it('sends equal SSLs again on request', async () => {
    const gateway = await start();
    const pem = (name: string): string => readFileSync(join(import.meta.dirname, '../support/pem', name), 'utf8');
    const certificates = [{ certificate: pem('shop.crt'), key: pem('shop.key') }];
    const document = { ssls: [{ snis: ['shop.test'], certificates }], services: [service('shop', 1)] };
    await run(gateway, document);
    expect((await run(gateway, document)).difference.changes).toEqual([]);
    const forced = await run(gateway, document, { forceSsl: true });
    expect(titles(forced.difference.changes)).toEqual(['update ssl shop.test']);
    expect(forced.report.summary).toMatchObject({ applied: 1 });
    expect(forced.plan.operations.map(({ object }) => object.split('/')[0])).toEqual(['ssls']);
  });

  it('asks the gateway about a configuration', async () => {
    const gateway = await start();
    const fine = await validateConfiguration({
      backend: await gateway.open(),
      configuration: configured({ services: [service('shop', 1)] }),
    });
    expect(fine).toMatchObject({ depth: 'full', issues: [] });
  });
});
