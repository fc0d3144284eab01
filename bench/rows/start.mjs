// What starting costs, against a Node process that does nothing.
const commands = [
  { name: 'adc --version', args: () => ['--version'], target: 30 },
  {
    name: 'adc lint of a small file',
    args: (context) => [
      'lint',
      '-f',
      context.textFile('small.yaml', 'services:\n  - name: shop\n    routes: [{ name: items, uris: [/items] }]\n'),
    ],
    target: 110,
  },
];

export const start = commands.map(({ name, args, target }) => ({
  name,
  rounds: { full: 25, quick: 9 },
  burst: 7,
  values: { wall: { target, unit: 'ms more', difference: true } },
  async prepare(context) {
    const short = { metered: false };
    return {
      ours: (program) => context.adc(program, args(context), short),
      limit: () => context.nothing(short),
    };
  },
}));
