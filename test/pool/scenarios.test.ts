import { test } from 'vitest';
import { hostileServer, manyIdentities, manyJobs, rotation } from './scenarios.js';

// The long forms are in test/soak.
test('many jobs share the connections of one gateway', () => manyJobs(100));
test('a server that closes at random costs no request', () => hostileServer(1_000));
test('32 identities at four gateways never mix', () => manyIdentities(1));
test('replacing the client certificate under load cuts no request', () => rotation(4));
