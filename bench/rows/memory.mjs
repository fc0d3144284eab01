// The peak of a diff without changes, against a process that holds both sides and does nothing else.
const sizes = [
  {
    name: 'peak memory, 5,000 services × 2 routes, 1,000 consumers',
    shape: () => ({ services: 5_000, routes: 2, consumers: 1_000 }),
  },
  {
    name: 'peak memory, 5,000 services × 10 routes',
    shape: ({ quick }) => ({ services: quick ? 2_000 : 5_000, routes: 10 }),
  },
];

export const memory = sizes.map(({ name, shape }) => ({
  name,
  rounds: { full: 5, quick: 1 },
  values: {
    peak: { target: 1.5, unit: '×' },
    connections: { target: 1, unit: 'of the concurrency', alone: true, exact: true },
  },
  async prepare(context) {
    const file = context.file(shape(context));
    const url = await context.filled(shape(context));
    const answers = await context.answersFile(shape(context));
    const flags = ['--server', url, '--token', 'bench', '--request-concurrent', `${context.concurrency}`];
    return {
      ours: async (program) => {
        await context.counts();
        const { peak, output } = await context.adc(program, ['diff', '-f', file, ...flags], { cwd: context.folder });
        if (!output.includes('No changes')) throw new Error(`there are changes: ${output.slice(0, 500)}`);
        return { peak, connections: (await context.counts()).connections / context.concurrency };
      },
      limit: async () => {
        const { peak } = await context.limit('load', [file, answers]);
        return { peak };
      },
    };
  },
}));
