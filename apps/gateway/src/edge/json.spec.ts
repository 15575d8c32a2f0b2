import { describe, expect, it } from 'vitest';
import { canonical, parseJson } from './json.ts';

const invalid = expect.objectContaining({ code: 'invalid' }) as Error;

describe('JSON at the door', () => {
  it.each(['{', '', 'undefined', '{"a":1,}', "{'a':1}", '[1', 'NaN'])('%j is not JSON', (text) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(invalid);
  });

  it('invalid UTF-8 is refused, not repaired', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/not valid UTF-8/);
  });

  it.each([
    ['U+0000, which no database takes', '{"a":{"b":"x\\u0000"}}', '/a/b'],
    ['half a surrogate pair', '{"a":["\\ud800"]}', '/a/0'],
    ['a member named __proto__', '{"a":{"__proto__":{}}}', '/a'],
    ['U+0000 in the name of a member', '{"\\u0000":1}', ''],
  ])('%s is refused with its path', (_what, text, path) => {
    expect(() => canonical(parseJson(Buffer.from(text)))).toThrow(
      expect.objectContaining({ code: 'invalid', more: { fields: [expect.objectContaining({ path })] } }) as Error,
    );
  });

  it('nesting is bounded: a deep body is refused and overflows nothing', () => {
    const deep = '['.repeat(300_000) + ']'.repeat(300_000);
    expect(() => canonical(parseJson(Buffer.from(deep)))).toThrow(/nested deeper/);
  });
});
