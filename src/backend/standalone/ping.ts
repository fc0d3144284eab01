import { AdcError } from '../../model/errors.js';
import type { Ping } from '../backend.js';
import type { AdminClient } from '../shared/client.js';
import { getDocument, headDocument } from './endpoint.js';

/** Asks an instance whether it is there, takes its key and is a standalone gateway. Never throws for one that is not. */
export async function pingInstance(client: AdminClient): Promise<Ping> {
  const { server } = client.endpoint;
  const started = performance.now();
  try {
    const stamped = await headDocument(client);
    const { version } = stamped.isKnown ? stamped : await readWhole(client);
    return { server, latency: performance.now() - started, ...(version === undefined ? {} : { version }) };
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return { server, latency: performance.now() - started, error };
  }
}

/** Before 3.14 only a read tells whether the key is right. */
async function readWhole(client: AdminClient): Promise<{ readonly version?: string }> {
  const answered = await getDocument(client);
  answered.parse();
  return answered;
}
