import { routes } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { entityTag, isUnchanged, preconditionsOf } from './preconditions.ts';

const changes = (value: string) => preconditionsOf(routes.monitorsReplace, { 'if-match': value });
const reads = (value: string) => preconditionsOf(routes.monitorsGet, { 'if-none-match': value });

describe('preconditions', () => {
  it('the ETag is the revision, in quotes', () => {
    expect(entityTag(7)).toBe('"7"');
    expect(changes('"7"')).toEqual({ ifRevision: 7 });
  });

  it('without If-Match, or with *, any revision will do', () => {
    expect(preconditionsOf(routes.monitorsReplace, {})).toEqual({});
    expect(changes('*')).toEqual({});
  });

  it.each<[string, unknown]>([
    ['"7", "8"', [7, 8]],
    ['"7","8" ,\t"9"', [7, 8, 9]],
    ['"7", "7"', 7],
    ['W/"8", "7"', 7],
    ['"abc", "7"', 7],
    ['"a,b", "7"', 7],
    [', "7",, ', 7],
    [' "7" ', 7],
  ])('If-Match: %s asks for revision %j: any of a list will do, and a weak tag is none', (value, ifRevision) => {
    expect(changes(value)).toEqual({ ifRevision });
  });

  it.each(['"abc"', 'W/"7"', '"0"', '"7.5"', '""', 'W/"7", "abc"', '"07"'])(
    'no revision has the ETag %s: stale',
    (value) => {
      expect(() => changes(value)).toThrow(expect.objectContaining({ code: 'stale' }));
    },
  );

  it.each(['7', '', '"7', '"7" "8"', '"7", *', '"7", 8', 'w/"7"', ',', '"7"x', '"a b"'])(
    'If-Match: %s is no ETag: invalid',
    (value) => {
      expect(() => changes(value)).toThrow(expect.objectContaining({ code: 'invalid' }));
    },
  );

  it('If-None-Match compares weakly, takes a list, and * is any', () => {
    expect(isUnchanged(reads('W/"3"'), '"3"')).toBe(true);
    expect(isUnchanged(reads('"1", "3"'), '"3"')).toBe(true);
    expect(isUnchanged(reads('"a,b" , W/"3"'), '"3"')).toBe(true);
    expect(isUnchanged(reads('*'), '"3"')).toBe(true);
    expect(isUnchanged(reads('"2"'), '"3"')).toBe(false);
    expect(isUnchanged(reads('*'), undefined)).toBe(false);
  });

  it('a route that heeds no precondition ignores them', () => {
    expect(preconditionsOf(routes.monitorsCreate, { 'if-match': 'nonsense' })).toEqual({});
  });
});
