import type { Ping } from '../../backend/backend.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import { reportFailure } from '../failures.js';
import type { PingValues } from '../options.js';

/** Asks every endpoint whether it is there and takes the key. */
export async function run(context: Context, values: PingValues): Promise<number> {
  return withConnection(values, context, async ({ backend }) => {
    const pings = await backend.ping();
    for (const ping of pings) await tell(ping, pings.length > 1, backend.name, context);
    return pings.every((ping) => ping.error === undefined) ? 0 : 1;
  });
}

async function tell(ping: Ping, several: boolean, backend: string, context: Context): Promise<void> {
  const { terminal } = context;
  if (ping.error !== undefined) {
    const where = several ? ` at ${ping.server}` : '';
    reportFailure(ping.error, terminal, context.directory, `Unable to connect to the "${backend}" backend${where}.`);
    return;
  }
  if (terminal.level === 0) return;
  const version = ping.version === undefined ? 'version not shown' : `version ${ping.version}`;
  await terminal.print(
    `${terminal.colors.green(`Connected to the "${backend}" backend successfully!`)} ${ping.server}: ${version}, ${ping.latency.toFixed(1)} ms\n`,
  );
}
