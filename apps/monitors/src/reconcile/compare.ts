import type { Revised } from '../record.ts';

/** What CONFIG says of one record. */
export interface Published {
  revision: number;
  deleted: boolean;
}

/** What must be published for CONFIG to say what the record says. */
export interface Difference {
  /** Records that CONFIG lacks or has an older revision of. */
  publish: string[];
  /** Records that are gone, while CONFIG still shows them. */
  remove: Revised[];
}

/**
 * Compares CONFIG with the record. CONFIG must have been read before the record was: whatever it shows was committed
 * before, so what the record lacks is really gone.
 * @param tombstones revisions of what was deleted lately
 */
export function compare(
  published: ReadonlyMap<string, Published>,
  recorded: ReadonlyMap<string, number>,
  tombstones: ReadonlyMap<string, number>,
): Difference {
  const difference: Difference = { publish: [], remove: [] };
  for (const [id, revision] of recorded) {
    const seen = published.get(id);
    if (seen === undefined || seen.deleted || seen.revision < revision) difference.publish.push(id);
  }
  for (const [id, seen] of published) {
    if (seen.deleted || recorded.has(id)) continue;
    // Above the revision that CONFIG shows, or readers would take the tombstone for an older message.
    difference.remove.push({ id, revision: Math.max(tombstones.get(id) ?? 0, seen.revision + 1) });
  }
  return difference;
}
