import { newId } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { cursorAfter, pageOf, readCursor } from './cursor.ts';

describe('cursors', () => {
  it('come back as they were given', () => {
    const id = newId();
    expect(readCursor(cursorAfter(id))).toBe(id);
  });

  it.each([
    '',
    'x',
    '!!!',
    Buffer.from('{}').toString('base64url'),
    Buffer.from('{"after":"1 OR 1=1"}').toString('base64url'),
  ])('that no list has given are refused: %j', (cursor) => {
    expect(() => readCursor(cursor)).toThrow(
      expect.objectContaining({ code: 'invalid', fields: [{ path: '/cursor', message: 'is not a cursor' }] }),
    );
  });

  it('are given only where there is another page', () => {
    const records = [{ id: newId() }, { id: newId() }];
    expect(pageOf(records, 2).next).toBeUndefined();
    expect(pageOf(records, 1)).toEqual({ items: [records[0]], next: cursorAfter(records[0]!.id) });
  });

  it('come earlier where records are large, after one record at least', () => {
    const records = [500, 200, 100, 900].map((kib) => ({ id: newId(), body: 'x'.repeat(kib * 1024) }));
    const pages: number[] = [];
    for (let rest = records; ;) {
      const { items, next } = pageOf(rest, 3);
      pages.push(items.length);
      if (next === undefined) break;
      rest = rest.slice(items.length);
    }
    expect(pages).toEqual([2, 1, 1]);
  });
});
