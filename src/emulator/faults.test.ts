import { describe, expect, test } from 'vitest';
import { changeFaults, draw, drawFate, drawLatency, noFaults, parseSpan } from './faults.js';

describe('a duration', () => {
  test.each([
    [5, { min: 5, max: 5 }],
    ['5', { min: 5, max: 5 }],
    ['5ms', { min: 5, max: 5 }],
    ['2-7ms', { min: 2, max: 7 }],
    ['0.5-1s', { min: 500, max: 1000 }],
    [
      { min: 1, max: 2 },
      { min: 1, max: 2 },
    ],
  ])('%j', (input, expected) => {
    expect(parseSpan(input)).toEqual(expected);
  });

  test.each(['', 'ms', '-5ms', '7-2ms', '5m', -1, Number.NaN, Infinity, { min: 2, max: 1 }])('%j is none', (input) => {
    expect(() => parseSpan(input)).toThrow('not a duration');
  });

  test('is drawn between its ends', () => {
    const drawn = Array.from({ length: 200 }, () => draw({ min: 2, max: 7 }));
    expect(drawn.every((value) => value >= 2 && value <= 7)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(100);
  });
});

describe('faults', () => {
  test('strike what they are restricted to', () => {
    const faults = changeFaults(noFaults, { failRate: 1, latency: 5, methods: ['delete'], path: '/routes' });
    expect(drawFate(faults, 'DELETE', '/apisix/admin/routes/r')).toBe('fail');
    expect(drawFate(faults, 'PUT', '/apisix/admin/routes/r')).toBe('serve');
    expect(drawFate(faults, 'DELETE', '/apisix/admin/services/s')).toBe('serve');
    expect(drawLatency(faults, 'DELETE', '/apisix/admin/routes/r')).toBe(5);
    expect(drawLatency(faults, 'GET', '/apisix/admin/routes/r')).toBe(0);
  });

  test('change one by one', () => {
    const some = changeFaults(noFaults, { hangRate: 0.5, latency: 3 });
    const more = changeFaults(some, { resetRate: 1, resetWhen: 'after' });
    expect(more).toMatchObject({ hangRate: 0.5, latency: { min: 3, max: 3 }, resetRate: 1, resetWhen: 'after' });
    expect(noFaults.hangRate).toBe(0);
  });

  test('come as often as their rate says', () => {
    const faults = changeFaults(noFaults, { failRate: 0.3 });
    const failed = Array.from({ length: 2000 }, () => drawFate(faults, 'GET', '/')).filter((fate) => fate === 'fail');
    expect(failed.length).toBeGreaterThan(450);
    expect(failed.length).toBeLessThan(750);
  });

  test.each([{ failRate: 1.1 }, { hangRate: -1 }, { resetRate: Number.NaN }, { failStatus: 200 }])(
    '%j makes no sense',
    (change) => {
      expect(() => changeFaults(noFaults, change)).toThrow(RangeError);
    },
  );
});
