import { hash } from 'node:crypto';

/** Up to so many bytes the bytes themselves tell contents apart, which takes less than hashing them. */
const shortest = 4_096;

/** A text that tells contents apart, for what is remembered of them. No content can be made to look like another one's hash. */
export function printOf(bytes: Uint8Array): string {
  return bytes.byteLength > shortest
    ? `#${hash('sha256', bytes, 'base64')}`
    : `=${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')}`;
}
