import { afterAll, beforeAll, describe } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { isLong } from './runs.js';
import { Subject } from './subject.js';
import { worldOf, type World } from './world.js';

/** A gateway of one version, for all tests of it. */
export interface Target {
  readonly world: World;
  /** The tool without memory, before an empty gateway without faults. */
  readonly fresh: () => Subject;
}

interface Kind {
  readonly backend: World['backend'];
  readonly version: string;
  /** The gateway does not say its version. */
  readonly isHidden?: boolean;
}

const targets: readonly Kind[] = [
  ...['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'].map((version) => ({ backend: 'apisix', version }) as const),
  ...['3.13.0', '3.18.0'].map((version) => ({ backend: 'apisix-standalone', version }) as const),
  ...(isLong ? (['3.2.2', '3.10.0', '3.15.0'] as const) : []).map(
    (version) => ({ backend: 'apisix', version, isHidden: true }) as const,
  ),
];

/** Describes the same for every gateway: five versions with lag and two workers, and pairs of standalone instances. */
export function describeEach(define: (target: Target) => void): void {
  for (const { backend, version, isHidden = false } of targets) {
    describe(`${backend} ${version}${isHidden ? ', hidden' : ''}`, () => {
      let emulator: Emulator;
      let pools: Pools;
      beforeAll(async () => {
        pools = createPoolManager();
        emulator =
          backend === 'apisix'
            ? await startEmulator({ gatewayVersion: version, workers: 2, lag: '2-7ms', serverHeader: !isHidden })
            : await startEmulator({ mode: 'standalone', instances: 2, gatewayVersion: version });
      });
      afterAll(async () => {
        await pools.close();
        await emulator.close();
      });
      define({
        world: worldOf(version, backend),
        fresh: () => {
          emulator.reset();
          return new Subject(emulator, backend, pools);
        },
      });
    });
  }
}
