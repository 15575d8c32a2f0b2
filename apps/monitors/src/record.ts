import type { IfRevision } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';

/** What every configuration record has. */
export interface Revised {
  id: string;
  revision: number;
}

/**
 * The record as it was found, if the caller may change it.
 * @throws TocsinError `not_found`; `stale` when it is not the revision that the caller saw
 */
export function changeable<T extends Revised>(
  found: T | undefined,
  wanted: { what: string; id: string; ifRevision?: IfRevision },
): T {
  if (!found) throw notFound(wanted.what, wanted.id);
  const revisions = wanted.ifRevision === undefined ? [found.revision] : [wanted.ifRevision].flat();
  if (!revisions.includes(found.revision)) {
    throw new TocsinError(
      'stale',
      `The ${wanted.what} is at revision ${found.revision}, not ${revisions.join(' or ')}: read it again, then repeat the change.`,
      { details: { revision: found.revision } },
    );
  }
  return found;
}

export function notFound(what: string, id: string): TocsinError {
  return new TocsinError('not_found', `There is no ${what} ${id}.`);
}

/** Remembers that a record is gone, and at which revision. */
export async function keepTombstone(
  tx: Queryable,
  kind: 'monitors' | 'channels',
  gone: Revised & { at: number },
): Promise<void> {
  await tx.query(
    `INSERT INTO tombstones (kind, id, revision, deleted_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, deleted_at = excluded.deleted_at`,
    [kind, gone.id, gone.revision, new Date(gone.at)],
    { name: 'keep tombstone' },
  );
}
