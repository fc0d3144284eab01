import { describe, expect, it } from 'vitest';
import { chanceOf, compareRevisions, judge, ratioOf } from '../../bench/guard/compare.mjs';

/** Noise as a busy machine makes it, the same in every run of the test: a factor of 1 to 1.4, now and then of 3. */
function createNoise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const drawn = state / 2_147_483_648;
    return drawn > 0.95 ? 3 : 1 + drawn * 0.4;
  };
}

function measuring(slowdown: number, noise: () => number) {
  return async () => ({ base: { wall: 100 * noise() }, branch: { wall: 100 * slowdown * noise() } });
}

describe('chanceOf', () => {
  it('is the share of tosses that show heads so often or oftener', () => {
    expect(chanceOf(0, 4)).toBe(1);
    expect(chanceOf(4, 4)).toBe(1 / 16);
    expect(chanceOf(3, 4)).toBe(5 / 16);
    expect(chanceOf(0, 0)).toBe(1);
  });
});

describe('judge', () => {
  it('calls worse what is above the bound in every one of five pairs, and not in four of five', () => {
    expect(judge([1.2, 1.3, 1.16, 1.2, 1.4])).toBe('worse');
    expect(judge([1.2, 1.3, 1.16, 1.2, 1.1])).toBe('unsure');
  });

  it('calls fine what is below the bound in every one of five pairs, however much one of many is above', () => {
    expect(judge([1, 1.1, 0.9, 1, 1.15])).toBe('fine');
    expect(judge([1, 1.1, 0.9, 1, 1, 1, 1, 40])).toBe('fine');
  });

  it('says nothing of too few pairs', () => {
    expect(judge([])).toBe('unsure');
    expect(judge([9, 9, 9])).toBe('unsure');
  });
});

describe('ratioOf', () => {
  it('takes nothing and nothing for equal, and something instead of nothing for worse', () => {
    expect(ratioOf(0, 0)).toBe(1);
    expect(ratioOf(0, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(ratioOf(4, 5)).toBe(1.25);
  });
});

describe('compareRevisions', () => {
  it('finds a branch that takes 60 % longer, through the noise', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const told = await compareRevisions({ keys: ['wall'], takePair: measuring(1.6, createNoise(seed)) });
      expect(told['wall']?.verdict, `seed ${seed}`).not.toBe('fine');
      if (seed === 1) expect(told['wall']).toMatchObject({ verdict: 'worse' });
    }
  });

  it('is not tripped by noise where nothing changed', async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const told = await compareRevisions({ keys: ['wall'], takePair: measuring(1, createNoise(seed)) });
      expect(told['wall']?.verdict, `seed ${seed}`).not.toBe('worse');
    }
  });

  it('measures what looks worse a second time, and takes the word of that', async () => {
    let pairs = 0;
    const takePair = async () => {
      pairs += 1;
      return { base: { wall: 100, cpu: 10 }, branch: { wall: pairs <= 5 ? 200 : 100, cpu: 10 } };
    };
    const told = await compareRevisions({ keys: ['wall', 'cpu'], takePair });
    expect(told['wall']).toMatchObject({ verdict: 'fine', pairs: 10 });
    expect(told['cpu']).toMatchObject({ verdict: 'fine', pairs: 5 });
  });

  it('gives up after so many pairs on what stays undecided', async () => {
    let pairs = 0;
    const takePair = async () => {
      pairs += 1;
      return { base: { wall: 100 }, branch: { wall: pairs % 2 === 0 ? 90 : 130 } };
    };
    const told = await compareRevisions({ keys: ['wall'], takePair, most: 11 });
    expect(told['wall']).toMatchObject({ verdict: 'unsure', pairs: 11 });
  });

  it('needs one pair for what is the same in every run', async () => {
    let pairs = 0;
    const takePair = async () => {
      pairs += 1;
      return { base: { packed: 1, installed: 10 }, branch: { packed: 1.2, installed: 11 } };
    };
    const told = await compareRevisions({ keys: ['packed', 'installed'], exact: ['packed', 'installed'], takePair });
    expect(told).toMatchObject({ packed: { verdict: 'worse' }, installed: { verdict: 'fine' } });
    expect(pairs).toBe(1);
  });
});
