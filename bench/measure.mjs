// Runs a row: both sides in turns, so that whatever else the machine does hits both alike.
import { median } from './support/statistics.mjs';

/** Runs each side of a row so often; gives the samples of both. */
export async function takeSamples(sides, rounds) {
  const names = Object.keys(sides);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) samples[name].push(await sides[name]());
  }
  return samples;
}

/** What one value of a row came to: the middle of what the pairs gave. */
function valueOf(key, { target, unit, alone, difference }, { ours, limit }) {
  const our = ours.map((sample) => sample[key]);
  const their = alone ? [] : limit.map((sample) => sample[key]);
  const each = alone ? our : our.map((one, index) => (difference ? one - their[index] : one / their[index]));
  const value = median(each);
  return {
    value: key,
    measured: value,
    unit,
    ...(target === undefined ? {} : { target, met: value <= target }),
    least: Math.min(...each),
    most: Math.max(...each),
    ...(alone ? {} : { ours: median(our), limit: median(their) }),
    rounds: each.length,
  };
}

/** Measures one row of one program: a result for each of its values. */
export async function measureRow(row, context, program) {
  const rounds = context.quick ? row.rounds.quick : row.rounds.full;
  if (rounds === 0) return [];
  const { ours, limit } = await row.prepare(context);
  const sides = { ours: () => ours(program), ...(limit === undefined ? {} : { limit: () => limit(program) }) };
  const samples = await takeSamples(sides, rounds);
  return Object.entries(row.values).map(([key, value]) => ({ row: row.name, ...valueOf(key, value, samples) }));
}
