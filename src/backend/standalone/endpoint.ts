import type { PoolResponse } from '../../pool/pool.js';
import { notAdminApi, parseJson, refusal, textOf, type AdminClient, type AdminRequest } from '../shared/client.js';
import { asObject } from '../shared/values.js';
import { parseDocument, type Document } from './document.js';

/** Where an instance's one document is. */
export const documentPath = '/apisix/admin/configs';

/** What a gateway from 3.14 says of its document without sending it. */
export interface Stamp {
  /** Whatever the client that wrote last called its document. */
  readonly digest: string;
  /** When it was last written, in seconds since the epoch. */
  readonly lastModified: number;
}

/** An instance's answer to a read of its document. */
export interface Answered {
  readonly bytes: Uint8Array;
  /** Reads the bytes. @throws GatewayError `not_admin_api` where they are no document */
  readonly parse: () => Document;
  readonly stamp?: Stamp;
  readonly version?: string;
}

/** An instance's answer to the question for its stamp. */
export interface Stamped {
  /** Absent where nothing was written yet, or the gateway has no digests. */
  readonly stamp?: Stamp;
  readonly version?: string;
  /** The gateway answers the question. False before 3.14, and where it refuses, as a read would. */
  readonly isKnown: boolean;
}

/** The stamp of an answer; undefined where it has none. */
export function stampOf({ headers }: PoolResponse): Stamp | undefined {
  const digest = headers['x-digest'];
  const lastModified = Number(headers['x-last-modified'] ?? Number.NaN);
  return digest === undefined || !Number.isFinite(lastModified) ? undefined : { digest, lastModified };
}

function headersOf(response: PoolResponse): Pick<Answered, 'stamp' | 'version'> {
  const stamp = stampOf(response);
  const version = /^APISIX\/(\S+)$/i.exec(response.headers['server'] ?? '')?.[1];
  return { ...(stamp === undefined ? {} : { stamp }), ...(version === undefined ? {} : { version }) };
}

/**
 * Asks for the stamp of an instance's document.
 *
 * @throws GatewayError where the instance does not answer
 */
export async function headDocument(client: AdminClient, signal?: AbortSignal): Promise<Stamped> {
  const request = documentRequest('HEAD', signal);
  const response = await client.send(request);
  // A refusal of a HEAD has no words: whoever reads next gets them.
  return response.status === 200 ? { ...headersOf(response), isKnown: true } : { isKnown: false };
}

/**
 * Reads an instance's document.
 *
 * @throws GatewayError `unauthorized`, `refused`, `not_admin_api` for what has no standalone Admin API, or where there was
 *   no answer
 */
export async function getDocument(client: AdminClient, signal?: AbortSignal): Promise<Answered> {
  const request = documentRequest('GET', signal);
  const response = await client.send(request);
  if (response.status === 404) throw notStandalone(client, request, response);
  if (response.status !== 200) throw refusal(client, request, response);
  return {
    bytes: response.body,
    parse: () => {
      const document = parseDocument(textOf(response));
      if (typeof document === 'string') throw notAdminApi(client, request, response, document);
      return document;
    },
    ...headersOf(response),
  };
}

/** Tells whether two stamps are of the same write. */
export function isSameStamp(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return a !== undefined && b !== undefined && a.digest === b.digest && a.lastModified === b.lastModified;
}

function documentRequest(method: 'GET' | 'HEAD', signal: AbortSignal | undefined): AdminRequest {
  return { method, path: documentPath, ...(signal === undefined ? {} : { signal }) };
}

function notStandalone(client: AdminClient, request: AdminRequest, response: PoolResponse): Error {
  const words = asObject(parseJson(textOf(response)))?.['error_msg'];
  const what =
    words === undefined
      ? 'there is no standalone Admin API here (gateways have it from 3.13, in API-driven standalone mode)'
      : 'this gateway keeps its configuration in etcd; its backend is apisix';
  return notAdminApi(client, request, response, what);
}
