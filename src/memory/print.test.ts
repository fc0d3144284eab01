import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { printOf } from './print.js';

it('tells contents apart, short and long ones', () => {
  const contents = ['', 'a', 'b', 'a'.repeat(4_096), 'a'.repeat(4_097), 'b'.repeat(4_097)].map((text) =>
    Buffer.from(text),
  );
  expect(new Set(contents.map(printOf)).size).toBe(contents.length);
  expect(contents.map((bytes) => printOf(Buffer.from(bytes)))).toEqual(contents.map(printOf));
});

it('takes no content for another one whose hash it spells', () => {
  const long = Buffer.alloc(5_000, 'x');
  const spelled = hash('sha256', long, 'base64');
  for (const text of [spelled, `#${spelled}`]) expect(printOf(Buffer.from(text))).not.toBe(printOf(long));
});
