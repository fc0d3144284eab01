import { AdcError } from '../../model/errors.js';
import type { LabelSelector } from '../../model/labels.js';

/**
 * Reads the values of `--label-selector`: `key=value` pairs, joined by commas, given once or more. The last value of a
 * key wins.
 *
 * @returns undefined where there are none
 * @throws AdcError `usage` for what is not a pair
 */
export function parseLabelSelector(values: readonly string[]): LabelSelector | undefined {
  const pairs = new Map<string, string>();
  for (const value of values) {
    for (const pair of value.split(',')) {
      const equals = pair.indexOf('=');
      const key = pair.slice(0, Math.max(equals, 0)).trim();
      if (equals < 0 || key === '') {
        throw new AdcError('usage', `label selector "${value}" is invalid: "${pair}" is not of the form key=value`);
      }
      pairs.set(key, pair.slice(equals + 1).trim());
    }
  }
  return pairs.size === 0 ? undefined : Object.fromEntries(pairs);
}
