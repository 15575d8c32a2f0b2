import { TocsinError } from '@tocsin/core';
import { z } from 'zod';

/** Where a page ended: the sort key of its last item. */
export const cursors = {
  states: z.tuple([z.uuid()]),
  incidents: z.tuple([z.int(), z.uuid()]),
  results: z.tuple([z.int(), z.string().max(31), z.int()]),
  notifications: z.tuple([z.iso.datetime({ offset: true }), z.uuid()]),
};

/**
 * What a cursor says, or undefined for the first page.
 * @throws TocsinError `invalid` with the path /cursor when it is not one of this list's
 */
export function readCursor<T>(schema: z.ZodType<T>, cursor: string | undefined): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new TocsinError('invalid', 'The cursor is not one that this list gave out; begin again without it.', {
      fields: [{ path: '/cursor', message: 'is not a cursor of this list' }],
      cause,
    });
  }
}

/** A page of at most `limit` of the rows, of which one more was asked for to know whether there is another page. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  as: { item: (row: R) => T; key: (row: R) => readonly unknown[] },
): { items: T[]; next?: string } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map(as.item);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, next: Buffer.from(JSON.stringify(as.key(last))).toString('base64url') };
}
