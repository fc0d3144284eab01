import { test } from 'vitest';
import { hostileServer, manyIdentities, manyJobs, rotation } from '../pool/scenarios.js';

test.each(['http', 'https'] as const)('1,000 jobs share the connections of one gateway (%s)', (scheme) =>
  manyJobs(1_000, scheme),
);
test('a server that closes at random costs none of 10,000 requests', () => hostileServer(10_000));
test('32 identities at four gateways never mix, 20 rounds', () => manyIdentities(20));
test('replacing the client certificate 100 times under load cuts no request', () => rotation(100));
