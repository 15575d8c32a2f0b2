import { newId } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { cursors, pageOf, readCursor } from './cursor.ts';

const rows = Array.from({ length: 5 }, (_, n) => ({ at: n, id: newId() }));
const as = { item: (row: { at: number }) => row.at, key: (row: { at: number; id: string }) => [row.at, row.id] };

describe('cursors', () => {
  it('a page says where the next one begins, and the last one that there is none', () => {
    const page = pageOf(rows, 4, as);
    expect(page.items).toEqual([0, 1, 2, 3]);
    expect(readCursor(cursors.incidents, page.next)).toEqual([3, rows[3]?.id]);
    expect(pageOf(rows, 5, as)).toEqual({ items: [0, 1, 2, 3, 4] });
    expect(pageOf([], 5, as)).toEqual({ items: [] });
  });

  it.each(['', 'x', 'bm8', Buffer.from('[1]').toString('base64url'), Buffer.from('{"a":1}').toString('base64url')])(
    'what no list gave out is refused with its path: %j',
    (cursor) => {
      expect(() => readCursor(cursors.incidents, cursor)).toThrow(
        expect.objectContaining({ code: 'invalid', fields: [expect.objectContaining({ path: '/cursor' })] }),
      );
    },
  );
});
