import { TocsinError } from '@tocsin/core';
import type { Queryable } from './types.ts';

/** One operation that must have its effect once, however often it is asked for. */
export interface Operation {
  /** The caller's idempotency key, made unique by whatever scopes it (the actor, the command). */
  key: string;
  /** A hash of the request: the same key with another request is refused. */
  requestHash: string;
}

/**
 * Runs `fn` in the caller's transaction unless the operation was carried out before; then its recorded result is
 * returned instead. Of two that race, the second waits for the first one's commit. If `fn` throws, nothing is recorded.
 * @param tx a transaction, not the database: the effect and its record must commit together
 * @throws TocsinError `key_reused` if the key was used for another request; what `fn` throws
 */
export async function once<T>(
  tx: Queryable,
  operation: Operation,
  fn: () => Promise<T>,
): Promise<{ result: T; replayed: boolean }> {
  if (!('afterCommit' in tx)) {
    throw new TocsinError('internal', 'once() needs a transaction; call it inside database.transaction().');
  }
  const claimed = await tx.query(
    'INSERT INTO operations (key, request_hash) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key',
    [operation.key, operation.requestHash],
    { name: 'operation claim' },
  );
  if (claimed.length === 0) return { result: await recorded<T>(tx, operation), replayed: true };
  const result = await fn();
  await tx.query('UPDATE operations SET result = $2 WHERE key = $1', [operation.key, JSON.stringify(result ?? null)], {
    name: 'operation record',
  });
  return { result, replayed: false };
}

/** The recorded result of an operation and the request that it is for, or undefined if it was not carried out (or is forgotten). */
export async function lookupOperation(
  db: Queryable,
  key: string,
): Promise<{ result: unknown; requestHash: string } | undefined> {
  const rows = await db.query<{ result: unknown; request_hash: string }>(
    'SELECT result, request_hash FROM operations WHERE key = $1',
    [key],
    { name: 'operation lookup' },
  );
  return rows[0] && { result: rows[0].result, requestHash: rows[0].request_hash };
}

/**
 * Forgets operations older than `olderThanMs` (at least as long as a caller may retry), at most `limit` of them.
 * @returns how many were forgotten; as many as `limit` means that there may be more
 */
export async function purgeOperations(db: Queryable, olderThanMs: number, limit = 1_000): Promise<number> {
  const gone = await db.query(
    `DELETE FROM operations WHERE key IN (SELECT key FROM operations
       WHERE created_at < now() - $1 * interval '1 millisecond' ORDER BY created_at LIMIT $2) RETURNING 1`,
    [olderThanMs, limit],
    { name: 'operation purge' },
  );
  return gone.length;
}

async function recorded<T>(tx: Queryable, operation: Operation): Promise<T> {
  const rows = await tx.query<{ request_hash: string; result: T }>(
    'SELECT request_hash, result FROM operations WHERE key = $1',
    [operation.key],
    { name: 'operation recorded' },
  );
  const row = rows[0];
  if (row === undefined) {
    throw new TocsinError('unavailable', `The operation ${operation.key} was forgotten just now; retry.`);
  }
  if (row.request_hash !== operation.requestHash) {
    throw new TocsinError('key_reused', 'This idempotency key was used for another request; use a new one.');
  }
  return row.result;
}
