import { createHash, timingSafeEqual } from 'node:crypto';

/** Tells whether an `Authorization` header carries the bearer token. Compares digests, so that neither time nor length tells of it. */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given.trim()), digest(token));
}
