import { TocsinError } from '@tocsin/core';
import type { Route } from '@tocsin/contracts';
import { EdgeRefusal } from './problem.ts';

export interface Preconditions {
  /** The revision that a change insists on. */
  ifRevision?: number;
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
  if (route.conditional === 'if-match' && ifMatch !== undefined && ifMatch !== '*') {
    return { ifRevision: revisionOf(ifMatch) };
  }
  const ifNoneMatch = route.conditional === 'if-none-match' ? etagsOf(headers['if-none-match']) : undefined;
  return ifNoneMatch ? { ifNoneMatch } : {};
}

/** The ETags of an If-None-Match, compared weakly (RFC 9110, 13.1.2); undefined where there is none. */
export function etagsOf(ifNoneMatch: string | string[] | undefined): string[] | undefined {
  return text(ifNoneMatch)
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
}

/** Whether the caller already has what would be answered. */
export function isUnchanged(preconditions: Preconditions, etag: string | undefined): boolean {
  const tags = preconditions.ifNoneMatch;
  return etag !== undefined && tags !== undefined && (tags.includes('*') || tags.includes(etag));
}

function revisionOf(ifMatch: string): number {
  const match = /^"(\d{1,15})"$/.exec(ifMatch);
  if (match && Number(match[1]) > 0) return Number(match[1]);
  if (/^(W\/)?"[^"]*"$/.test(ifMatch)) {
    throw new TocsinError('stale', 'It has no revision with this ETag. Read it again and send the ETag of the answer.');
  }
  throw EdgeRefusal.header('If-Match', 'expected one ETag as it was answered, such as "3"');
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}
