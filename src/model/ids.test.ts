import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveId, deriveNestedId, deriveSslId } from './ids.js';

const sha1 = (text: string) => createHash('sha1').update(Buffer.from(text, 'utf8')).digest('hex');
const name = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('größe', '日本語', '🙂', 'a'.repeat(300)),
);

test('an id is the SHA-1 of the UTF-8 of the name, in lowercase hex', () => {
  expect(deriveId('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  expect(deriveId('')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
  fc.assert(
    fc.property(name, name, (one, other) => {
      expect(deriveId(one)).toBe(sha1(one));
      expect(deriveNestedId(one, other)).toBe(sha1(`${one}.${other}`));
      expect(deriveSslId([one, other])).toBe(sha1(`${one},${other}`));
    }),
  );
});
