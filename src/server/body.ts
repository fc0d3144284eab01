import type { IncomingMessage } from 'node:http';
import { AdcError } from '../model/errors.js';
import type { Bag, Placed } from '../pool/bag.js';

/** The bytes of request bodies that the server holds at one moment, and how many it may. */
export interface BodyBudget {
  readonly limit: number;
  held: number;
  /** Bodies that are still arriving. */
  readonly arriving: Bag<ArrivingBody>;
}

/** A body that is still arriving. */
export interface ArrivingBody extends Placed {
  /** Ends the reading of it: its request is answered with this. */
  refuse(error: AdcError): void;
}

/** A body and the bytes it takes from the budget until they are given back. */
export interface HeldBody {
  readonly bytes: Buffer;
  /** Gives the bytes back to the budget; idempotent. */
  release(): void;
}

/**
 * Reads the body of a request. Bytes count against the budget as they arrive, not as they are announced: a client that
 * announces much and sends nothing takes nothing from others.
 *
 * @throws AdcError `too_large` above `limit`; `busy` where the budget is spent; `request` for an encoding or a body that ended early
 */
export async function readBody(request: IncomingMessage, limit: number, budget: BodyBudget): Promise<HeldBody> {
  const tooLarge = (): AdcError => new AdcError('too_large', `the body is larger than ${limit} bytes`);
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new AdcError('request', 'the body must not be compressed (Content-Encoding)');
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();

  return await new Promise<HeldBody>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      budget.held -= size;
    };
    // The listeners go with the request: to take them off one by one costs more than to look whether they still matter.
    let settled = false;
    const refuse = (error: AdcError): void => {
      settled = true;
      budget.arriving.delete(arriving);
      request.off('data', take);
      request.pause();
      release();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      budget.held += chunk.length;
      if (size > limit) refuse(tooLarge());
      else if (budget.held > budget.limit) {
        refuse(new AdcError('busy', `the bodies of all requests together are larger than ${budget.limit} bytes`));
      } else chunks.push(chunk);
    };
    const end = (): void => {
      if (settled) return;
      settled = true;
      budget.arriving.delete(arriving);
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
      resolve({ bytes, release });
    };
    const lost = (cause?: Error): void => {
      if (settled) return;
      refuse(new AdcError('aborted', 'the client went away before its request was complete', { cause }));
    };
    const arriving: ArrivingBody = { place: -1, refuse };
    budget.arriving.add(arriving);
    request.on('data', take);
    request.on('end', end);
    request.on('close', lost);
    request.on('error', lost);
    if (request.destroyed) lost();
  });
}
