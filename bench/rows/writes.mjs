// A sync of a new configuration, whole process, against a script that loads, serialises and sends.
const sizes = [
  { requests: 6_000, shape: { services: 1_000, routes: 2, consumers: 1_000 }, targets: { wall: 1.3, cpu: 1.5 } },
  { requests: 22_000, shape: { services: 5_000, routes: 2, consumers: 1_000 }, targets: { wall: 1.2, cpu: 1.4 } },
];

function row({ requests, shape, values, store, ...rest }) {
  return {
    ...rest,
    values,
    async prepare(context) {
      const file = context.file(shape);
      // In a quick run the waiting is shortened, not the work.
      const inFlight = store === 'slow' && context.quick ? 64 : context.concurrency;
      const url = await context.url(store);
      const flags = ['--server', url, '--token', 'bench', '--request-concurrent', `${inFlight}`];
      const counted = async (run) => {
        await context.counts();
        const { wall, cpu, peak } = await run();
        const { writes, connections } = await context.counts();
        if (writes !== requests) throw new Error(`${writes} writes, not ${requests}`);
        return { wall, cpu, peak, connections: connections / inFlight };
      };
      return {
        ours: (program) => counted(() => context.adc(program, ['sync', '-f', file, ...flags])),
        limit: () => counted(() => context.limit('write', [file, url, `${inFlight}`])),
      };
    },
  };
}

const thousands = (count) => count.toLocaleString('en');

export const sync = sizes.map(({ requests, shape, targets }) =>
  row({
    requests,
    shape,
    store: 'accept',
    name: `sync of ${thousands(requests)} requests`,
    rounds: { full: 7, quick: requests > 10_000 ? 2 : 3 },
    values: {
      wall: { target: targets.wall, unit: '×' },
      cpu: { target: targets.cpu, unit: '×' },
      connections: { target: 1, unit: 'of the concurrency', alone: true, exact: true },
    },
  }),
);

export const latency = sizes.map(({ requests, shape }) =>
  row({
    requests,
    shape,
    store: 'slow',
    name: `sync of ${thousands(requests)} requests, 5 ms each`,
    rounds: { full: 5, quick: requests > 10_000 ? 1 : 2 },
    values: { wall: { target: 1.1, unit: '×' } },
  }),
);

/** Both sides must send the same: every path, and every object but for the order of its keys. */
export async function checkSameWrites(context, program) {
  const shape = { services: 3, routes: 2, consumers: 3 };
  const file = context.file(shape);
  const gateway = await context.gateway();
  const flags = ['--token', 'bench', '--request-concurrent', `${context.concurrency}`];
  await context.adc(program, ['sync', '-f', file, '--server', await context.url('check-ours'), ...flags]);
  await context.limit('write', [file, await context.url('check-limit'), `${context.concurrency}`]);
  const sent = async (store) =>
    (await gateway.ask({ question: 'writes', store })).map(([path, body]) => `${path} ${ordered(JSON.parse(body))}`);
  const [ours, limit] = [await sent('check-ours'), await sent('check-limit')];
  const strange = ours.filter((one) => !limit.includes(one));
  if (strange.length > 0 || ours.length !== limit.length)
    throw new Error(`the plain script sends other requests than adc:\n${strange.join('\n')}\nbut\n${limit.join('\n')}`);
}

function ordered(value) {
  return JSON.stringify(value, (_key, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
