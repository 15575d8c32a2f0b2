import type { Readable } from 'node:stream';
import type { Aged } from '@tocsin/contracts';
import { entityTag } from './preconditions.ts';

/** What a handler answers; the edge turns it into a response. Without a status it is the route's. */
export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  stream?: Readable;
}

export function ok(body: unknown, aged?: Aged): Answer {
  return { body, headers: agedHeaders(aged) };
}

/** What an owner answered with its age, which goes into headers. */
export function okAged({ ageMs, stale, ...body }: Aged & Record<string, unknown>): Answer {
  return ok(body, { ageMs, stale });
}

/** A record with a revision, which is its ETag. */
export function record(body: { revision: number }, aged?: Aged): Answer {
  return { body, headers: { etag: entityTag(body.revision), ...agedHeaders(aged) } };
}

/** A record that was made, and where it is. */
export function created(location: string, body: object): Answer {
  const etag = 'revision' in body ? { etag: entityTag(Number(body.revision)) } : {};
  return { body, headers: { location, ...etag } };
}

export function done(): Answer {
  return { headers: {} };
}

/** Nobody has answered yet, but it will be carried out. */
export function acceptedAs(operationId: string): Answer {
  return {
    status: 202,
    body: { operationId, status: 'pending' },
    headers: { location: `/v1/operations/${operationId}`, 'retry-after': '1' },
  };
}

function agedHeaders(aged: Aged | undefined): Record<string, string> {
  if (!aged || (aged.ageMs < 1_000 && !aged.stale)) return {};
  return { age: String(Math.floor(aged.ageMs / 1_000)), ...(aged.stale ? { 'tocsin-stale': 'true' } : {}) };
}
