import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../model/errors.js';
import { lagRefusal } from './execute.js';

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
