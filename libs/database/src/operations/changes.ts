import { newId } from '@tocsin/core';
import type { Queryable } from '../types.ts';

/** What a client did, or was refused: one row for each operation, written in the transaction that records it. */
export interface ChangeRecord {
  id: string;
  /** ms since the epoch. */
  at: number;
  operationId?: string;
  /** The client's token; absent where Tocsin itself did it, or where the gateway's version did not say. */
  token?: { id: string; name: string };
  /** The route of the request, such as `PATCH /v1/monitors/{id}`. */
  route?: string;
  kind: ChangeKind;
  resourceId?: string;
  /** The revision that it made. */
  revision?: number;
  /** JSON Pointers of the fields that differ. Never their values: some are secrets. */
  fields?: string[];
  outcome: 'done' | 'refused';
  /** Why it was refused. */
  code?: string;
}

export type ChangeKind = 'monitor' | 'channel' | 'token' | 'incident';

/** Who sent a command: all but the operation's identifier is absent from an older gateway. */
export interface RequestedBy {
  operationId?: string | undefined;
  tokenId?: string | undefined;
  actor?: string | undefined;
  route?: string | undefined;
}

export interface ChangesQuery {
  kind?: ChangeKind | undefined;
  resourceId?: string | undefined;
  tokenId?: string | undefined;
  /** ms since the epoch: from then on, and before then. */
  from?: number | undefined;
  to?: number | undefined;
  /** Only older ones than this. */
  before?: string | undefined;
  limit: number;
}

interface ChangeRow {
  id: string;
  at: Date;
  operation_id: string | null;
  token_id: string | null;
  token_name: string | null;
  route: string | null;
  kind: ChangeKind;
  resource_id: string | null;
  revision: number | null;
  fields: string[] | null;
  code: string | null;
}

/** How long a change is kept. */
const KEPT_DAYS = 400;
/**
 * Most fields that are named, and most characters of their names; a larger change says its first ones. So the broker
 * carries the largest page in one answer.
 */
const FIELDS_MAX = 50;
const FIELDS_CHARS = 800;

/** Records a change. @param tx the transaction of the change itself, so that neither is there without the other */
export async function recordChange(
  tx: Queryable,
  by: RequestedBy,
  change: Pick<ChangeRecord, 'at' | 'kind' | 'revision' | 'fields' | 'code'> & { resourceId?: string | undefined },
): Promise<void> {
  await tx.query(
    `INSERT INTO changes (id, at, operation_id, token_id, token_name, route, kind, resource_id, revision, fields, code)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      newId(change.at),
      new Date(change.at),
      by.operationId ?? null,
      by.tokenId ?? null,
      by.actor ?? null,
      by.route ?? null,
      change.kind,
      change.resourceId ?? null,
      change.revision ?? null,
      change.fields ? firstFields(change.fields) : null,
      change.code ?? null,
    ],
    { name: 'change record' },
  );
}

function firstFields(fields: readonly string[]): string[] {
  let characters = 0;
  return fields.slice(0, FIELDS_MAX).filter((field) => (characters += field.length) <= FIELDS_CHARS);
}

/** Changes, the newest first, at most `limit`. */
export async function listChanges(db: Queryable, query: ChangesQuery): Promise<ChangeRecord[]> {
  const { kind = null, resourceId = null, tokenId = null, from, to, before = null, limit } = query;
  const rows = await db.query<ChangeRow>(
    `SELECT id, at, operation_id, token_id, token_name, route, kind, resource_id, revision, fields, code FROM changes
     WHERE ($1::text IS NULL OR kind = $1) AND ($2::uuid IS NULL OR resource_id = $2) AND ($3::uuid IS NULL OR token_id = $3)
       AND ($4::uuid IS NULL OR id >= $4) AND ($5::uuid IS NULL OR id < $5) AND ($6::uuid IS NULL OR id < $6)
     ORDER BY id DESC LIMIT $7`,
    [
      kind,
      resourceId,
      tokenId,
      from === undefined ? null : firstOf(from),
      to === undefined ? null : firstOf(to),
      before,
      limit,
    ],
    { name: 'changes list' },
  );
  return rows.map(changeOf);
}

/** Forgets, a batch at a time, what is older than 400 days. @returns how many were forgotten */
export async function purgeChanges(db: Queryable, limit = 1_000): Promise<number> {
  const gone = await db.query(
    `DELETE FROM changes WHERE id IN (SELECT id FROM changes
       WHERE id < (lpad(to_hex((extract(epoch FROM now() - $1 * interval '1 day') * 1000)::bigint), 12, '0')
         || '70008000000000000000')::uuid
       ORDER BY id LIMIT $2) RETURNING 1`,
    [KEPT_DAYS, limit],
    { name: 'changes purge' },
  );
  return gone.length;
}

/** The lowest identifier that `newId` can make at a time: identifiers are in the order of their times. */
function firstOf(ms: number): string {
  const hex = Math.max(0, Math.min(2 ** 48 - 1, ms))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

function changeOf(row: ChangeRow): ChangeRecord {
  return {
    id: row.id,
    at: row.at.getTime(),
    ...(row.operation_id === null ? {} : { operationId: row.operation_id }),
    ...(row.token_id === null ? {} : { token: { id: row.token_id, name: row.token_name ?? '' } }),
    ...(row.route === null ? {} : { route: row.route }),
    kind: row.kind,
    ...(row.resource_id === null ? {} : { resourceId: row.resource_id }),
    ...(row.revision === null ? {} : { revision: row.revision }),
    ...(row.fields === null ? {} : { fields: row.fields }),
    outcome: row.code === null ? 'done' : 'refused',
    ...(row.code === null ? {} : { code: row.code }),
  };
}
