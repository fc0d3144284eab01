import { util } from 'undici';
import type { PoolRequest } from './pool.js';

/** The headers to send, with the login for a proxy that is spoken to directly. */
export function requestHeaders(
  request: PoolRequest,
  proxyAuthorization: string | undefined,
): Record<string, string> | null {
  if (proxyAuthorization !== undefined) return { ...request.headers, 'proxy-authorization': proxyAuthorization };
  return request.headers ?? null;
}

/** Headers as undici hands them over: names and values in turn. */
export type RawHeaders = readonly Buffer[];

/** The headers of an answer by lower-case name, several values of one name as one. */
export function parseHeaders(raw: RawHeaders): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const [name, value] = [raw[index], raw[index + 1]];
    if (name === undefined || value === undefined) continue;
    const key = util.headerNameToString(name);
    const before = Object.hasOwn(headers, key) ? `${headers[key]}, ` : '';
    headers[key] = before + value.toString('latin1');
  }
  return headers;
}

/** One header of an answer by its lower-case name, as {@link parseHeaders} gives it. */
export function findHeader(raw: RawHeaders, wanted: string): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const [name, value] = [raw[index], raw[index + 1]];
    if (name?.length !== wanted.length || value === undefined) continue;
    if (name.toString('latin1').toLowerCase() !== wanted) continue;
    found = `${found === undefined ? '' : `${found}, `}${value.toString('latin1')}`;
  }
  return found;
}

/** What a server says about the connection that an answer came over. */
export interface Announcement {
  /** It closes it after this answer. */
  readonly closes: boolean;
  /** For how long it keeps it when it is idle, in ms; Infinity where it says nothing. */
  readonly keepAlive: number;
}

const saysNothing: Announcement = { closes: false, keepAlive: Infinity };

/** Both names of interest have this length, so that most others need not be looked at: this runs for every answer. */
const nameLength = 'connection'.length;

/** Reads what the headers of an answer announce. */
export function readAnnouncement(raw: RawHeaders): Announcement {
  let closes = false;
  let keepAlive = Infinity;
  for (let index = 0; index < raw.length; index += 2) {
    if (raw[index]?.length !== nameLength) continue;
    const value = raw[index + 1]?.toString('latin1') ?? '';
    if (value === 'keep-alive') continue;
    const name = raw[index]?.toString('latin1').toLowerCase();
    if (name === 'connection' && /\bclose\b/i.test(value)) closes = true;
    const seconds = name === 'keep-alive' ? /timeout=(\d+)/i.exec(value)?.[1] : undefined;
    if (seconds !== undefined) keepAlive = Number(seconds) * 1000;
  }
  return closes || keepAlive !== Infinity ? { closes, keepAlive } : saysNothing;
}
