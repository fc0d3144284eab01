// How many TCP connections each command opens, as a share of its concurrency.
const shape = { services: 300, routes: 2, consumers: 100 };

/** `fills`: starts from an empty gateway. */
const commands = [
  { command: 'ping', args: () => [] },
  { command: 'sync', args: (file) => ['-f', file], fills: true },
  { command: 'sync', args: (file) => ['-f', file] },
  { command: 'diff', args: (file) => ['-f', file] },
  { command: 'dump', args: () => ['-o', '-'] },
  { command: 'validate', args: (file) => ['-f', file] },
];

export const connections = [1, 10, 64].flatMap((inFlight) => ({
  name: `TCP connections of every command at concurrency ${inFlight}`,
  rounds: { full: 1, quick: inFlight === 10 ? 1 : 0 },
  values: { connections: { target: 1, unit: 'of the concurrency', alone: true, exact: true } },
  async prepare(context) {
    const file = context.file(shape);
    const urls = { filled: await context.filled(shape), empty: await context.url('accept') };
    return {
      ours: async (program) => {
        let most = 0;
        for (const { command, args, fills } of commands) {
          await context.counts();
          const url = fills ? urls.empty : urls.filled;
          const flags = ['--server', url, '--token', 'bench'];
          if (command !== 'ping') flags.push('--request-concurrent', `${inFlight}`);
          await context.adc(program, [command, ...args(file), ...flags], { cwd: context.folder });
          const { connections } = await context.counts();
          // A ping has no concurrency: it asks once.
          most = Math.max(most, connections / (command === 'ping' ? 1 : inFlight));
        }
        return { connections: most };
      },
    };
  },
}));
