import { expect, test } from 'vitest';
import { parseDuration } from './duration.js';

test.each([
  ['0', 0],
  ['5', 5],
  ['1.5', 2],
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5m', 90_000],
  ['1h10m', 4_200_000],
  [' 2 H ', 7_200_000],
  ['1d 2h', 93_600_000],
])('%j is %i ms', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', 'abc', '-5', '-5s', '10 parsecs', 's', '1h10', '1e3', '0x10', 'NaN', '1,5s', '9'.repeat(400)])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
