import { afterAll, beforeAll, describe, it } from 'vitest';
import { startEmulator, type StandaloneEmulator } from '../../src/emulator/index.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools } from '../../src/pool/pool.js';
import { abilitiesOf, runCase } from '../cases/bench.js';
import { cases } from '../cases/cases.js';

describe.each(['3.13.0', '3.15.0', '3.18.0'])('two emulated standalone instances %s', (version) => {
  const abilities = abilitiesOf(version, 'apisix-standalone');
  let pools: Pools;
  let emulator: StandaloneEmulator;

  beforeAll(async () => {
    pools = createPoolManager();
    emulator = await startEmulator({ mode: 'standalone', gatewayVersion: version, instances: 2 });
  });
  afterAll(async () => {
    await pools.close();
    await emulator.close();
  });

  for (const gatewayCase of cases.filter(({ suits }) => suits?.(abilities) ?? true)) {
    it(gatewayCase.name, async () => {
      const endpoints = emulator.urls.map((server) => ({ server, token: emulator.adminKey }));
      await runCase(gatewayCase, { backend: 'apisix-standalone', endpoints, pools, abilities });
    });
  }
});
