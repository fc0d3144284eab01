import { test } from 'vitest';
import { hostileServer, manyIdentities, manyJobs, rotation } from './scenarios.js';

// The long forms are in test/soak.
// Break: in src/pool/opener.ts, let `adopt` give false.
test.each(['http', 'https'] as const)('many jobs share the connections of one gateway (%s)', (scheme) =>
  manyJobs(100, scheme),
);
test('a server that closes at random costs no request', () => hostileServer(1_000));
test('32 identities at four gateways never mix', () => manyIdentities(1));
test('replacing the client certificate under load cuts no request', () => rotation(4));
