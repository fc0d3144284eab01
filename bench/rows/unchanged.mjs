// A sync with nothing to change, whole process, against a script that loads the file, reads the same answers and parses them.
const sizes = [
  { requests: '6,000', shape: { services: 1_000, routes: 2, consumers: 1_000 } },
  { requests: '22,000', shape: { services: 5_000, routes: 2, consumers: 1_000 } },
];

export const unchanged = sizes.map(({ requests, shape }) => ({
  name: `sync of what ${requests} requests made, nothing to change`,
  rounds: { full: 7, quick: 3 },
  values: {
    wall: { target: 1.6, unit: '×' },
    cpu: { target: 1.6, unit: '×' },
    connections: { target: 1, unit: 'of the concurrency', alone: true, exact: true },
  },
  async prepare(context) {
    const file = context.file(shape);
    const url = await context.filled(shape);
    const flags = ['--server', url, '--token', 'bench', '--request-concurrent', `${context.concurrency}`];
    const counted = async (run) => {
      await context.counts();
      const { wall, cpu, peak } = await run();
      const { writes, connections } = await context.counts();
      if (writes !== 0) throw new Error(`${writes} writes, although nothing changed`);
      return { wall, cpu, peak, connections: connections / context.concurrency };
    };
    return {
      ours: (program) => counted(() => context.adc(program, ['sync', '-f', file, ...flags])),
      limit: () => counted(() => context.limit('read', [file, url, `${context.concurrency}`])),
    };
  },
}));
