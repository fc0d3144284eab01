import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, emulatedVersions, startEmulator } from '../src/emulator/index.js';
import { type Difference, type Exchange, normalise, outgoing, readRecording, replay } from './fidelity/replay.js';

const differences = (
  JSON.parse(readFileSync(new URL('fidelity/differences.json', import.meta.url), 'utf8')) as {
    readonly differences: readonly Difference[];
  }
).differences;

// What a client bases its decisions on: here not even a listed difference is allowed.
const exact =
  /key$|missing (service|upstream|group|reference)|no consumer|in use|same key|two |unknown|create_time|id |id$|null field|label|no target|name of 101|too short|dash|dot/;

describe.each(emulatedVersions)('a gateway %s', (version) => {
  const exchanges: readonly Exchange[] = readRecording(`apisix-${version}.json`);
  let emulator: Emulator;
  const wrongStatus: string[] = [];
  const wrongBody: string[] = [];
  const wrongHeaders: string[] = [];

  beforeAll(async () => {
    emulator = await startEmulator({ gatewayVersion: version });
    for (const exchange of exchanges) {
      const answer = await replay(emulator, outgoing(exchange.request, emulator.adminKey));
      if (answer.status !== exchange.response.status) {
        wrongStatus.push(
          `${exchange.case}: ${answer.status} instead of ${exchange.response.status}, ${JSON.stringify(answer.body).slice(0, 300)}`,
        );
      }
      const expected = normalise(exchange.response.json ?? exchange.response.text ?? '');
      if (!isDeepStrictEqual(normalise(answer.body), expected)) wrongBody.push(exchange.case);
      for (const name of ['content-type', 'server', 'x-api-version']) {
        const value = answer.headers.get(name) ?? undefined;
        if (value !== exchange.response.headers[name]) wrongHeaders.push(`${exchange.case}: ${name}: ${value}`);
      }
    }
  });
  afterAll(() => emulator.close());

  test('answers every recorded request', () => {
    expect(exchanges).toHaveLength(118);
  });

  test('answers each with the same status', () => {
    expect(wrongStatus).toEqual([]);
  });

  test('answers each with the same headers', () => {
    expect(wrongHeaders).toEqual([]);
  });

  test('answers with the same body but where a difference is listed, and every listed one is there', () => {
    const listed = differences.filter((difference) => difference.versions.includes(version));
    expect(listed.every(({ reason }) => reason.length > 20)).toBe(true);
    expect(wrongBody.toSorted()).toEqual(listed.map((difference) => difference.case).toSorted());
  });

  test('answers at least 95 of 100 with the same body', () => {
    expect(1 - wrongBody.length / exchanges.length).toBeGreaterThanOrEqual(0.95);
  });

  test('answers references, refusals, duplicates, strictness and authentication with the same body', () => {
    expect(wrongBody.filter((name) => exact.test(name))).toEqual([]);
    expect(exchanges.filter((exchange) => exact.test(exchange.case)).length).toBeGreaterThan(20);
  });
});
