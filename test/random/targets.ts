import { afterAll, beforeAll, describe } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { Subject } from './subject.js';
import { worldOf, type World } from './world.js';

/** A gateway of one version, for all tests of it. */
export interface Target {
  readonly world: World;
  /** The tool without memory, before an empty gateway without faults. */
  readonly fresh: () => Subject;
}

const targets = [
  ...['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'].map((version) => ['apisix', version] as const),
  ...['3.13.0', '3.18.0'].map((version) => ['apisix-standalone', version] as const),
];

/** Describes the same for every gateway: five versions with lag and two workers, and pairs of standalone instances. */
export function describeEach(define: (target: Target) => void): void {
  for (const [backend, version] of targets) {
    describe(`${backend} ${version}`, () => {
      let emulator: Emulator;
      let pools: Pools;
      beforeAll(async () => {
        pools = createPoolManager();
        emulator =
          backend === 'apisix'
            ? await startEmulator({ gatewayVersion: version, workers: 2, lag: '2-7ms' })
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
