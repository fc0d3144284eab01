import type { PoolRequest } from './pool.js';

/** The headers to send, with the login for a proxy that is spoken to directly. */
export function requestHeaders(
  request: PoolRequest,
  proxyAuthorization: string | undefined,
): Record<string, string> | null {
  if (proxyAuthorization !== undefined) return { ...request.headers, 'proxy-authorization': proxyAuthorization };
  return request.headers ?? null;
}

/** Several values of one name as one. A plain loop, because it runs for every answer. */
export function joinHeaders(parsed: Record<string, string | string[]>): Readonly<Record<string, string>> {
  const joined: Record<string, string> = {};
  for (const name in parsed) {
    const value = parsed[name];
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}

/** Whether an answer's headers announce the end of its connection. */
export function announcesClose(headers: Readonly<Record<string, string>>): boolean {
  const option = headers['connection'];
  return option !== undefined && option !== 'keep-alive' && /\bclose\b/i.test(option);
}

/** For how long, in ms, the server says that it keeps an idle connection; Infinity where it says nothing. */
export function announcedKeepAlive(headers: Readonly<Record<string, string>>): number {
  const seconds = /timeout=(\d+)/i.exec(headers['keep-alive'] ?? '')?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}
