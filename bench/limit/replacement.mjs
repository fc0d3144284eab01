// Floors that no diff, plan or apply of so many routes that are replaced could go below: `node replacement.mjs <count> <times>`.
import { operationsOf, replacement } from '../support/replacement.mjs';
import { timeRepeatedly } from '../support/time.mjs';

const [count, times] = process.argv.slice(2).map(Number);
const { current, desired } = replacement(count);
const changes = [...current.resources.values(), ...desired.resources.values()].map((resource, index) => ({
  ...resource,
  type: index < count ? 'delete' : 'create',
  desired: resource,
}));
const operations = operationsOf(changes);
const execute = async () => undefined;

function walk(value) {
  if (typeof value !== 'object' || value === null) return 1;
  let seen = 0;
  for (const key in value) seen += walk(value[key]);
  return seen;
}

const warm = async (run) => (await timeRepeatedly(times, run)).warm;
const map = () => new Map(operations.map((operation) => [operation.id, operation]));
const told = {
  diff: await warm(() => changes.reduce((seen, { desired: { body } }) => seen + walk(body), 0)),
  plan: await warm(map),
  apply: await warm(async () => {
    for (const operation of operations) await execute(operation);
  }),
  report: await warm(map),
};
process.stdout.write(JSON.stringify(told));
