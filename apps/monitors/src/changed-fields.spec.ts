import { describe, expect, it } from 'vitest';
import { changedFields } from './changed-fields.ts';

describe('what a change says of itself', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['nothing where nothing differs', { a: [1], b: { c: 1 } }, { b: { c: 1 }, a: [1] }, []],
    ['a value, however deep', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, ['/a/c']],
    ['a member that came, and one that went', { a: 1 }, { b: 1 }, ['/a', '/b']],
    ['a list, as one', { a: [1, 2] }, { a: [1, 3] }, ['/a']],
    ['another kind of value', { a: { b: 1 } }, { a: 'x' }, ['/a']],
    ['a name with a slash, escaped', { 'a/b': 1 }, {}, ['/a~1b']],
    ['null in place of a record', { a: null }, { a: {} }, ['/a']],
  ])('%s', (_rule, before, after, fields) => {
    expect(changedFields(before, after)).toEqual(fields);
  });
});
