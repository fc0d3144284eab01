import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Endpoint } from '../../src/backend/backend.js';
import { openBackend } from '../../src/backend/registry.js';
import { createMemory } from '../../src/memory/store.js';
import { createPoolManager } from '../../src/pool/manager.js';
import type { Pools, TlsIdentity } from '../../src/pool/pool.js';
import { abilitiesOf, runCase } from '../cases/bench.js';
import { cases } from '../cases/cases.js';

const { env } = process;
const file = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : readFileSync(path, 'utf8');

/** The TLS identity named by the environment, with the names the command line has. */
function identity(): TlsIdentity | undefined {
  const [ca, cert, key] = [
    file(env['ADC_CA_CERT_FILE']),
    file(env['ADC_TLS_CLIENT_CERT_FILE']),
    file(env['ADC_TLS_CLIENT_KEY_FILE']),
  ];
  const verify = !['true', '1', 'yes'].includes(env['ADC_TLS_SKIP_VERIFY'] ?? '');
  if (ca === undefined && cert === undefined && verify) return undefined;
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** The gateway under test: every server of a comma-separated list, with tokens pairwise or one for all. */
function endpoints(): readonly Endpoint[] {
  const servers = (env['ADC_TEST_SERVER'] ?? '').split(',').filter((server) => server !== '');
  const tokens = (env['ADC_TEST_TOKEN'] ?? '').split(',');
  const tls = identity();
  return servers.map((server, index) => ({
    server: server.replace(/\/$/, ''),
    token: (tokens.length === servers.length ? tokens[index] : tokens[0]) ?? '',
    ...(tls === undefined ? {} : { tls }),
  }));
}

const backend = env['ADC_TEST_BACKEND'] === 'apisix-standalone' ? 'apisix-standalone' : 'apisix';

describe('the gateway under test', () => {
  const targets = endpoints();
  const pools: Pools = createPoolManager();
  let version = '';

  beforeAll(async () => {
    if (targets.length === 0)
      throw new Error(
        'name the gateway: ADC_TEST_SERVER, ADC_TEST_TOKEN (and ADC_TEST_BACKEND=apisix-standalone for data planes without etcd)',
      );
    if (env['ADC_TEST_ALLOW_RESET'] !== '1')
      throw new Error(
        'these cases empty the gateway before each of them: set ADC_TEST_ALLOW_RESET=1 if that is what you want',
      );
    const opened = await openBackend(backend, { endpoints: targets, pools, memory: createMemory() });
    const pings = await opened.ping();
    opened.close();
    for (const ping of pings) if (ping.error !== undefined) throw ping.error;
    version = env['ADC_TEST_VERSION'] ?? pings[0]?.version ?? '';
    if (version === '') throw new Error('the gateway hides its version: name it with ADC_TEST_VERSION');
  });
  afterAll(() => pools.close());

  for (const gatewayCase of cases) {
    it(gatewayCase.name, async ({ skip }) => {
      const abilities = abilitiesOf(version, backend);
      if (gatewayCase.suits?.(abilities) === false) skip('this gateway cannot do it');
      await runCase(gatewayCase, { backend, endpoints: targets, pools, abilities });
    });
  }
});
