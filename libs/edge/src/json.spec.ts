import fc from 'fast-check';
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

  it.each([
    ['a member', '{"a":1,"a":1}', '/a'],
    ['a member that is spelled in another way', '{"a":1,"b":{},"\\u0061":2}', '/a'],
    ['a member further in', '{"a":[{},{"b":{"c":1,"d":"{\\"c\\":","c":2}}]}', '/a/1/b/c'],
    ['a member after a list of objects', '{"a":[{"x":1},{"x":1}],"b":1,"b":1}', '/b'],
    ['a member with an empty name', '{"":1,"":2}', '/'],
    ['a member whose name has a slash and a quote', '{"a/\\"":1,"a/\\"":2}', '/a~1"'],
    ['the toJSON of all', '{"constructor":1,"constructor":2}', '/constructor'],
  ])('%s twice is refused with its path', (_what, text, path) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'invalid', more: { fields: [expect.objectContaining({ path })] } }) as Error,
    );
  });

  it('what is there once in each object is taken, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        // Made by JSON.stringify, no object has a member twice.
        const once = JSON.stringify(JSON.parse(text));
        expect(parseJson(Buffer.from(once))).toEqual(JSON.parse(once));
      }),
    );
  });

  it('what is there twice is found wherever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.jsonValue(),
        fc.array(fc.nat(2), { maxLength: 6 }),
        (name, value, wraps) => {
          const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
          const twice = wraps.reduce(
            (inner, n) => [`[${inner}]`, `{"w":${inner}}`, `[{"}":"]"},${inner}]`][n]!,
            `{${member},${member}}`,
          );
          expect(() => parseJson(Buffer.from(twice))).toThrow(/only once/);
        },
      ),
    );
  });

  it('nesting is bounded: a deep body is refused and overflows nothing', () => {
    const deep = '['.repeat(300_000) + ']'.repeat(300_000);
    expect(() => canonical(parseJson(Buffer.from(deep)))).toThrow(/nested deeper/);
  });
});
