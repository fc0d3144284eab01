import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../model/errors.js';
import type { Operation } from '../../model/operation.js';
import { credentialClaims } from '../shared/claims.js';
import type { AdminObject } from '../shared/collections.js';
import { isInTheWay, lagRefusal } from './execute.js';

function refused(gatewayText: string, status = 400): GatewayError {
  return new GatewayError('refused', { method: 'DELETE', url: 'http://gateway', status, gatewayText });
}

const none: ReadonlySet<string> = new Set();

describe('a refusal that may come from a lagging memory', () => {
  it.each([
    ['can not delete this service directly, route [r1] is still using it now', 'routes/r1'],
    ['can not delete this service directly, stream_route [t1] is still using it now', 'stream_routes/t1'],
    ['can not delete this upstream, service [s1] is still using it now', 'services/s1'],
    ['can not delete this upstream, plugin in route [r1] is still using it now', 'routes/r1'],
    ['can not delete this plugin config, route [r6] is still using it now', 'routes/r6'],
    ['can not delete this consumer group, consumer [ann] is still using it now', 'consumers/ann'],
    ['can not delete this ssl, upstream [u1] is still using it now', 'upstreams/u1'],
    ['duplicate key of plugin key-auth found with consumer: ann', 'consumers/ann'],
    ['duplicate key of plugin key-auth found with credential: c1 of consumer: ann', 'consumers/ann/credentials/c1'],
    ["plugin 'cors' already exists in global rule with id 'by-hand'", 'global_rules/by-hand'],
  ])('names an object: %s', (words, ref) => {
    expect(lagRefusal(refused(words), none)).toBe(ref);
  });

  it('names the consumer that this job deleted, for a clash with a credential that went along', () => {
    const words = 'duplicate key of plugin key-auth found with credential: c1 of consumer: ann';
    expect(lagRefusal(refused(words), new Set(['consumers/ann']))).toBe('consumers/ann');
  });

  it.each([
    ['failed to fetch service info by service id [x], response code: 404'],
    ['invalid configuration: property "uri" is required'],
    ['the name says: can not delete this service directly, route [r1] is still using it now'],
    ['can not delete this service directly, moon [r1] is still using it now'],
  ])('is no other one: %s', (words) => {
    expect(lagRefusal(refused(words), none)).toBeUndefined();
  });

  it('is a 400 of a gateway and nothing else', () => {
    const words = 'can not delete this upstream, service [s1] is still using it now';
    expect(lagRefusal(refused(words, 503), none)).toBeUndefined();
    expect(lagRefusal(new Error(words), none)).toBeUndefined();
  });

  it('is outdated where the job read that what it names is not in the way', () => {
    const operation = { object: 'services/s1', claims: [], changes: [] } as unknown as Operation;
    const route = (service: string): AdminObject => ({ collection: 'routes', id: 'r', value: { service_id: service } });
    expect(isInTheWay(undefined, operation)).toBe(false);
    expect(isInTheWay(route('s2'), operation)).toBe(false);
    expect(isInTheWay(route('s1'), operation)).toBe(true);
    const ann = { collection: 'consumers', id: 'ann', value: { plugins: { 'key-auth': { key: 'k' } } } } as const;
    const claiming = { ...operation, claims: credentialClaims(ann) };
    expect(isInTheWay(ann, claiming)).toBe(true);
    expect(isInTheWay({ ...ann, value: { plugins: { 'key-auth': { key: 'other' } } } }, claiming)).toBe(false);
  });

  it('is recognised in what real gateways said', () => {
    for (const version of ['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0']) {
      const file = new URL(`../../../test/recordings/apisix-${version}.json`, import.meta.url);
      const texts = readFileSync(file, 'utf8').matchAll(/"error_msg": ?"((?:[^"\\]|\\.)*)"/g);
      const words = [...texts].map(([, text = '']) => JSON.parse(`"${text}"`) as string);
      const lagging = words.filter((text) => /still using it|found with con|found with cred|already exists/.test(text));
      expect(lagging.length).toBeGreaterThan(2);
      for (const text of words)
        expect(lagRefusal(refused(text), none) !== undefined, text).toBe(lagging.includes(text));
    }
  });
});
