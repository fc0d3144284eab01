import { afterAll, beforeAll, describe, it } from 'vitest';
import { startEmulator, type Emulator } from '../../src/emulator/index.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { abilitiesOf, runCase } from './bench.js';
import { cases } from './cases.js';

describe.each(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])(
  'an emulated gateway %s, with lag and two workers',
  (version) => {
    const abilities = abilitiesOf(version, 'apisix');
    let pools: Pools;
    let emulator: Emulator;

    beforeAll(async () => {
      pools = createPoolManager();
      emulator = await startEmulator({ gatewayVersion: version, workers: 2, lag: '2-7ms' });
    });
    afterAll(async () => {
      await pools.close();
      await emulator.close();
    });

    for (const gatewayCase of cases.filter(({ suits }) => suits?.(abilities) ?? true)) {
      it(gatewayCase.name, async () => {
        await runCase(gatewayCase, {
          backend: 'apisix',
          endpoints: [{ server: emulator.url, token: emulator.adminKey }],
          pools,
          abilities,
        });
      });
    }
  },
);
