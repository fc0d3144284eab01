import fc from 'fast-check';

/*
 * How long the random tests run, and from where. `npm test` runs a few cases from a fixed start, so that it says the
 * same every time. `ADC_RANDOM_RUNS=200` runs so many of each from a new start, which a failure prints, and
 * `ADC_RANDOM_SEED=…` starts there again. What lags in an emulated gateway does so by chance all the same.
 */

const wanted = Number(process.env['ADC_RANDOM_RUNS'] ?? '');
const seed = Number(process.env['ADC_RANDOM_SEED'] ?? '');

/** Whether more is run than `npm test` does. */
export const isLong = wanted > 0;

/** The longest that a test may take, in ms. */
export const patience = isLong ? 3_600_000 : 60_000;

/** Holds a property for some values: `few` of them, unless more are asked for. */
export async function holdsFor<T>(
  few: number,
  values: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(values, property), {
    numRuns: isLong ? wanted : few,
    seed: seed > 0 ? seed : isLong ? Math.floor(Math.random() * 2 ** 31) : 20_240_607,
    // What was found is reduced for so long; a gateway that lags may not fail the same way again.
    interruptAfterTimeLimit: patience - 5000,
    markInterruptAsFailure: false,
    endOnFailure: process.env['ADC_RANDOM_SHRINK'] === undefined,
  });
}
