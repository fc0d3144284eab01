import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';
import { createPoolManager } from '../../src/pool/manager.js';
import { certificates } from '../cases/documents.js';
import { deriveId } from '../../src/model/ids.js';
import type { JsonObject } from '../../src/model/json.js';
import { drawConfiguration } from './configurations.js';
import { drawn, type Draw } from './draw.js';
import { dangling, Keys } from './expectations.js';
import { expectUntouched, outside, plantAll } from './neighbours.js';
import { holdsFor, patience } from './runs.js';
import { expectSettled, syncAndSettle } from './settled.js';
import { usedBy } from './stored.js';
import { Subject, type Done } from './subject.js';
import { describeEach } from './targets.js';
import { worldOf, type World } from './world.js';

const keyPairs = Object.values(certificates).map((pair) => ({ ...pair }));

/** A way for a job to end early. */
interface Trouble {
  readonly kind: 'abort' | 'refuse' | 'reset' | 'vanish';
  /** After how many operations it is aborted. */
  readonly after: number;
  /** The share of requests that go wrong. */
  readonly rate: number;
  readonly when: 'before' | 'after' | 'either';
  readonly status: number;
}

const drawTrouble = (draw: Draw): Trouble => ({
  kind: draw.pick(['abort', 'refuse', 'reset', 'vanish']),
  after: draw.int(1, 12),
  rate: draw.int(1, 10) / 10,
  when: draw.pick(['before', 'after', 'either']),
  status: draw.pick([400, 403, 500, 503]),
});

/**
 * The upstream of a service with an explicit id cannot be told from one of somebody else once the service is gone: it is
 * left alone, and so is the certificate that it uses.
 */
async function mayRemainOf(subject: Subject): Promise<(path: string, value: JsonObject) => boolean> {
  const isLeft = (path: string, { name }: JsonObject): boolean =>
    ['1', '2', 's.3', deriveId('pool')].some((id) => path === `upstreams/${id}`) && name !== 'pool';
  const [raw = new Map<string, JsonObject>()] = await subject.raw();
  const left = [...raw].filter(([path, value]) => isLeft(path, value)).map(([path]) => path);
  const used = usedBy(raw, left);
  return (path, value) => isLeft(path, value) || used.has(path);
}

/** Syncs and lets it go wrong; whatever the job says of itself is as good as any. */
async function syncInTrouble(
  subject: Subject,
  document: Parameters<Subject['sync']>[0],
  trouble: Trouble,
): Promise<void> {
  const controller = new AbortController();
  let count = 0;
  const { emulator } = subject;
  const begin = (): void => {
    // The reading is over: what goes wrong from now on goes wrong with writes.
    if (trouble.kind === 'refuse')
      emulator.setFaults({ failRate: trouble.rate, failStatus: trouble.status, methods: ['PUT', 'DELETE'] });
    if (trouble.kind === 'reset')
      emulator.setFaults({ resetRate: trouble.rate / 2, resetWhen: trouble.when, methods: ['PUT', 'DELETE'] });
    if (trouble.kind === 'vanish') emulator.setFaults({ resetRate: 1, resetWhen: 'after', methods: ['PUT', 'DELETE'] });
  };
  begin();
  let done: Done | undefined;
  try {
    done = await subject.sync(document, {
      signal: controller.signal,
      onOutcome: () => {
        count += 1;
        if (trouble.kind === 'abort' && count === trouble.after) controller.abort();
      },
    });
  } finally {
    emulator.setFaults({ failRate: 0, resetRate: 0, methods: [] });
  }
  expect(done).toBeDefined();
}

const sequence = (world: World) =>
  drawn((draw) => ({
    a: drawConfiguration(draw, world),
    b: drawConfiguration(draw, world),
    troubles: [drawTrouble(draw), drawTrouble(draw)] as const,
  }));

describeEach(({ world, fresh }) => {
  it(
    'completes what was interrupted, and loses nothing of others',
    async () => {
      const aware = worldOf(world.version, world.backend, { mentions: false, standing: ['alien', '7', '1'] });
      await holdsFor(2, sequence(aware), async ({ a, b, troubles }) => {
        const subject = fresh();
        const keys = new Keys();
        keys.collect(keyPairs);
        const before = await plantAll(subject, outside);
        await syncInTrouble(subject, a, troubles[0]);
        for (const raw of await subject.raw()) expect(dangling(raw)).toEqual([]);
        await syncInTrouble(subject, b, troubles[1]);
        for (const raw of await subject.raw()) expect(dangling(raw)).toEqual([]);
        keys.collect(b);
        expect((await subject.sync(b)).failed).toEqual([]);
        const mayRemain = await mayRemainOf(subject);
        await expectSettled(subject, b, keys, {
          beside: new Set(before.keys()),
          mayLackOwnUpstream: () => true,
          mayRemain,
        });
        for (const raw of await subject.raw()) expectUntouched(raw, before);
      });
    },
    patience,
  );
});

describe('a gateway that is started again in the middle of a sync', () => {
  it.each(['3.2.2', '3.13.0', '3.18.0'])(
    '%s is completed by the next sync',
    async (version) => {
      const world = worldOf(version, 'apisix');
      await holdsFor(
        1,
        drawn((draw) => ({
          a: drawConfiguration(draw, world),
          b: drawConfiguration(draw, world),
          after: draw.int(1, 20),
        })),
        async ({ a, b, after }) => {
          const directory = mkdtempSync(join(tmpdir(), 'adc-random-'));
          const options = {
            gatewayVersion: version,
            workers: 2,
            lag: '2-7ms',
            data: join(directory, 'data.json'),
          } as const;
          const pools = createPoolManager();
          let emulator = await startEmulator(options);
          try {
            const listen = emulator.url;
            const first = new Subject(emulator, 'apisix', pools);
            const keys = new Keys();
            await syncAndSettle(first, a, keys, { beside: new Set(), mayLackOwnUpstream: () => true });
            let count = 0;
            let restarted: Promise<void> | undefined;
            const restart = async (): Promise<void> => {
              await emulator.close();
              emulator = await startEmulator({ ...options, listen });
            };
            await first.sync(b, {
              onOutcome: () => {
                count += 1;
                if (count === after) restarted = restart();
              },
            });
            await restarted;
            const second = new Subject(emulator, 'apisix', pools);
            keys.collect(b);
            const { failed } = await second.sync(b);
            expect(failed).toEqual([]);
            const mayRemain = await mayRemainOf(second);
            await expectSettled(second, b, keys, { beside: new Set(), mayLackOwnUpstream: () => true, mayRemain });
          } finally {
            await pools.close();
            await emulator.close();
            rmSync(directory, { recursive: true, force: true });
          }
        },
      );
    },
    patience,
  );
});
