import { expect, it } from 'vitest';
import { AdcError } from '../model/errors.js';
import { decodeJson } from './json.js';

function failure(text: string | Buffer): string {
  try {
    decodeJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof AdcError && error.code === 'syntax') return error.message;
    throw error;
  }
  return 'decoded';
}

it('decodes JSON', () => {
  expect(decodeJson(Buffer.from('{"a":[1,"ü\\n",null,true]}'))).toEqual({ a: [1, 'ü\n', null, true] });
  expect(decodeJson(Buffer.from('\ufeff{}'))).toEqual({});
});

it.each([
  '',
  ' ',
  '{',
  '[',
  '"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '{"a":1}}',
  '{"a":1} x',
  '[1,]',
  '[1 2]',
  '[01]',
  '[1.]',
  '[NaN]',
  '[Infinity]',
  '[undefined]',
  '["\n"]',
  '["\\x"]',
  '["\\u12"]',
  '// comment',
  'task: {}',
  '<html>',
  '\u0000',
])('refuses %j', (text) => {
  expect(failure(text)).toMatch(/^the body is (not JSON|empty)/);
});

it('says where, and never what: the text holds keys', () => {
  const text = '{"task": {\n  "opts": {"token": "planted-token" "server": "x"}}}';
  expect(failure(text)).toBe('the body is not JSON: invalid JSON: expected "," or "}" at line 2, column 37');
  for (let end = 1; end < text.length; end += 1) expect(failure(text.slice(0, end))).not.toContain('planted');
});

it('refuses what is not UTF-8', () => {
  expect(failure(Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toBe('the body is not valid UTF-8');
});

it('refuses endless nesting before anybody walks it, and takes braces in strings for what they are', () => {
  expect(failure('['.repeat(1_000_000))).toBe('the body nests deeper than 200 levels');
  expect(failure('{"a":'.repeat(5_000))).toBe('the body nests deeper than 200 levels');
  expect(decodeJson(Buffer.from(JSON.stringify('[{\\"'.repeat(1_000))))).toBe('[{\\"'.repeat(1_000));
});
