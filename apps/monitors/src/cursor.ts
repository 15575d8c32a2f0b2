import { TocsinError } from '@tocsin/core';
import { z } from 'zod';

/** Most that the records of a page take as JSON, unless one alone takes more: the broker carries 1 MiB in an answer. */
const PAGE_BYTES = 768 * 1024;

const position = z.strictObject({ after: z.uuid() });

/** The cursor of the page behind a record, opaque to callers. */
export function cursorAfter(id: string): string {
  return Buffer.from(JSON.stringify({ after: id })).toString('base64url');
}

/**
 * The identifier that a page begins behind; undefined for the first page.
 * @throws TocsinError `invalid` when the text is not one that {@link cursorAfter} made
 */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))).after;
  } catch (cause) {
    const message = 'The cursor is not one that a list has given; begin again without it.';
    throw new TocsinError('invalid', message, { fields: [{ path: '/cursor', message: 'is not a cursor' }], cause });
  }
}

/** A page of at most `limit` of the records, of which one more than that were read. Large records make it shorter. */
export function pageOf<T extends { id: string }>(records: readonly T[], limit: number): { items: T[]; next?: string } {
  let bytes = 0;
  const fit = records.findIndex(
    (record, n) => (bytes += Buffer.byteLength(JSON.stringify(record))) > PAGE_BYTES && n > 0,
  );
  const items = records.slice(0, fit < 0 ? limit : Math.min(fit, limit));
  const last = items.at(-1);
  return records.length > items.length && last !== undefined ? { items, next: cursorAfter(last.id) } : { items };
}
