import { TocsinError } from '@tocsin/core';
import type { IfRevision, Route } from '@tocsin/contracts';
import { EdgeRefusal } from './problem.ts';

const MOST_TAGS = 100;

export interface Preconditions {
  /** The revision that a change insists on, or several of which one will do. */
  ifRevision?: IfRevision;
  /** The ETags that the caller has; `*` is any. */
  ifNoneMatch?: readonly string[];
}

/** The ETag of a revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * What If-Match and If-None-Match ask, where the route heeds them.
 * @throws TocsinError `stale` for an If-Match that no revision can have; `invalid` for one that is no ETag
 */
export function preconditionsOf(route: Route, headers: Record<string, string | string[] | undefined>): Preconditions {
  const ifMatch = text(headers['if-match']);
  if (route.conditional === 'if-match' && ifMatch !== undefined && ifMatch.trim() !== '*') {
    return { ifRevision: revisionsOf(ifMatch) };
  }
  const ifNoneMatch = route.conditional === 'if-none-match' ? etagsOf(headers['if-none-match']) : undefined;
  return ifNoneMatch ? { ifNoneMatch } : {};
}

/** The ETags of an If-None-Match, compared weakly (RFC 9110, 13.1.2); undefined where there is none. */
export function etagsOf(ifNoneMatch: string | string[] | undefined): string[] | undefined {
  const header = text(ifNoneMatch);
  if (header === undefined) return undefined;
  const tags = header.trim() === '*' ? ['*'] : (tagsOf(header) ?? []);
  return tags.map((tag) => tag.replace(/^W\//, ''));
}

/** Whether the caller already has what would be answered. */
export function isUnchanged(preconditions: Preconditions, etag: string | undefined): boolean {
  const tags = preconditions.ifNoneMatch;
  return etag !== undefined && tags !== undefined && (tags.includes('*') || tags.includes(etag));
}

/** If-Match compares strongly (RFC 9110, 13.1.1): a weak tag is no revision's, nor is one that is no number. */
function revisionsOf(ifMatch: string): IfRevision {
  const tags = tagsOf(ifMatch);
  if (!tags) throw EdgeRefusal.header('If-Match', 'expected ETags as they were answered, such as "3" or "3", "4"');
  const revisions = [...new Set(tags.flatMap((tag) => /^"([1-9]\d{0,14})"$/.exec(tag)?.[1] ?? []).map(Number))];
  const [first] = revisions;
  if (first === undefined) {
    throw new TocsinError('stale', 'It has no revision with this ETag. Read it again and send the ETag of the answer.');
  }
  if (revisions.length > MOST_TAGS) throw EdgeRefusal.header('If-Match', `expected at most ${MOST_TAGS} ETags`);
  return revisions.length === 1 ? first : revisions;
}

/** The ETags of a list, in which empty places are passed over (RFC 9110, 5.6.1.2); undefined where it is none. */
function tagsOf(list: string): string[] | undefined {
  const tags: string[] = [];
  const next = /[ \t]*(?:((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;
  while (next.lastIndex < list.length) {
    const found = next.exec(list);
    if (!found) return undefined;
    if (found[1] !== undefined) tags.push(found[1]);
  }
  return tags.length === 0 ? undefined : tags;
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
