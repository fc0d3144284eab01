import { AdcError, GatewayError } from '../../model/errors.js';
import type { Memory } from '../../memory/memory.js';
import type { AdminClient } from '../shared/client.js';
import { documentPath } from './endpoint.js';

/** How long an instance that did not answer is given little time, in ms; then it gets its full time once more. */
const suspicion = 30_000;

/** The time it is given meanwhile, in ms: enough for an instance that is there. */
const littleTime = 2000;

/** Which instances did not answer lately, so that one that hangs does not hold up every job anew. */
export interface Silences {
  isSilent(client: AdminClient): boolean;
  /**
   * Watches the reading of an instance, and cuts it short where the instance did not answer lately.
   *
   * @throws GatewayError `unreachable` where it was cut short; else what the reading throws
   */
  watch<T>(client: AdminClient, read: (signal?: AbortSignal) => Promise<T>): Promise<T>;
}

/** Opens what is remembered of silent instances. They are told apart by their servers alone. */
export function openSilences(memory: Memory): Silences {
  const space = memory.space<{ readonly since: number }>('standalone/silent');
  const isSilent = ({ endpoint }: AdminClient): boolean => {
    const known = space.get(endpoint.server);
    return known !== undefined && Math.abs(performance.now() - known.since) < suspicion;
  };
  return {
    isSilent,
    async watch(client, read) {
      const cut = isSilent(client) ? AbortSignal.timeout(littleTime) : undefined;
      const { server } = client.endpoint;
      const started = performance.now();
      try {
        const result = await read(cut);
        space.delete(server);
        return result;
      } catch (error) {
        if (cut?.aborted === true) {
          throw new GatewayError('unreachable', {
            method: 'GET',
            url: client.url(documentPath),
            gatewayText: `no answer within ${littleTime} ms, after it had not answered a while ago either`,
          });
        }
        if (isSilence(error, performance.now() - started) && !isSilent(client))
          space.set(server, { since: performance.now() }, 64);
        throw error;
      }
    },
  };
}

/** Tells whether an instance gave no answer: of its own accord, or for so long that the job ended over it. */
function isSilence(error: unknown, waited: number): boolean {
  if (!(error instanceof AdcError) || (error instanceof GatewayError && error.failure.status !== undefined))
    return false;
  return error.code === 'unreachable' || error.code === 'deadline' || waited >= littleTime;
}
