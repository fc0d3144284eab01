// Tells whether one revision got worse than another, from measurements that took turns. Pure.
//
// Noise is met by counting, not by averaging: of each pair only whether it was above the bound matters, so one slow run, however
// slow, is one count. A value is worse, or fine, once that many pairs agree that a coin would hardly do the same; until then
// more pairs are taken. What is found to be worse has to be found so twice, from pairs of its own each time.
import { median } from '../support/statistics.mjs';

/** How much more is too much: 15 %. */
export const bound = 1.15;

/** How seldom a coin may come to the same conclusion. */
const doubt = 0.05;

/** How likely a fair coin shows heads so often or oftener. */
export function chanceOf(heads, tosses) {
  let ways = 1;
  let sum = 0;
  for (let count = tosses; count >= heads; count -= 1) {
    sum += ways;
    ways = (ways * count) / (tosses - count + 1);
  }
  return sum / 2 ** tosses;
}

/**
 * What pairs say of one value.
 *
 * @param ratios that of the branch over that of the base, one for each pair
 * @returns `worse`, `fine` or, where they do not agree enough, `unsure`
 */
export function judge(ratios, limit = bound) {
  const above = ratios.filter((ratio) => ratio > limit).length;
  if (chanceOf(above, ratios.length) <= doubt) return 'worse';
  if (chanceOf(ratios.length - above, ratios.length) <= doubt) return 'fine';
  return 'unsure';
}

/** The branch's value over the base's; what costs nothing on both sides is equal. */
export function ratioOf(base, branch) {
  if (base === branch) return 1;
  return base === 0 ? Number.POSITIVE_INFINITY : branch / base;
}

/**
 * Takes pairs until every value is decided.
 *
 * @param keys the values that are looked at
 * @param exact those that are the same in every run: one pair decides
 * @param takePair gives `{ base, branch }`, a sample each
 * @param most after so many pairs, in each of the two goes, what is undecided stays so
 * @returns by value: `verdict` (`worse`, `fine`, `unsure`), `ratio` (the middle one) and `pairs`
 */
export async function compareRevisions({ keys, exact = [], takePair, first = 5, most = 15, limit = bound }) {
  const go = async (wanted, least) => {
    const ratios = new Map(wanted.map((key) => [key, []]));
    const isOpen = () => wanted.some((key) => judge(ratios.get(key), limit) === 'unsure');
    for (let pair = 0; pair < least || (pair < most && isOpen()); pair += 1) {
      const { base, branch } = await takePair();
      for (const key of wanted) ratios.get(key).push(ratioOf(base[key], branch[key]));
    }
    return ratios;
  };
  const told = {};
  const varying = keys.filter((key) => !exact.includes(key));
  const settled = keys.length > varying.length ? await takePair() : undefined;
  for (const key of keys.filter((one) => exact.includes(one))) {
    const ratio = ratioOf(settled.base[key], settled.branch[key]);
    told[key] = { verdict: ratio > limit ? 'worse' : 'fine', ratio, pairs: 1 };
  }
  if (varying.length === 0) return told;
  const once = await go(varying, first);
  const suspects = varying.filter((key) => judge(once.get(key), limit) === 'worse');
  const twice = suspects.length === 0 ? new Map() : await go(suspects, first);
  for (const key of varying) {
    const again = twice.get(key);
    const ratios = [...once.get(key), ...(again ?? [])];
    const verdict = judge(again ?? once.get(key), limit);
    told[key] = { verdict, ratio: median(ratios), pairs: ratios.length };
  }
  return told;
}
