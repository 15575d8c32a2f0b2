import { Logger } from '@nestjs/common';
import {
  type Clock,
  isLastingRefusal,
  type RecordedRefusal,
  recordRefusal,
  refusalError,
  systemClock,
  TocsinError,
} from '@tocsin/core';
import type { Database } from '../database.ts';
import type { Outbox, OutboxMessage } from '../outbox/outbox.ts';
import type { Queryable, Transaction } from '../types.ts';
import {
  type ChangeKind,
  type ChangeRecord,
  type ChangesQuery,
  listChanges,
  purgeChanges,
  recordChange,
  type RequestedBy,
} from './changes.ts';

/** A command, as its client identified it. */
export interface Operation extends RequestedBy {
  /** The client's idempotency key, made unique by its token and the service. */
  operationId: string;
  /** A hash of the request: the same key with another request is refused. */
  requestHash: string;
}

/** What an operation changes. Without an identifier, it creates one and says it with `note`. */
export interface OperationTarget {
  kind: ChangeKind;
  id?: string | undefined;
}

/** What the effect of an operation works with. */
export interface Work {
  tx: Transaction;
  /** When it happens, in ms since the epoch. */
  now: number;
  /** Publishes messages through the outbox, if and only if the change is committed. */
  announce: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** Invalidates a key of the cache after the commit, before the client is answered. */
  forget: (key: string) => void;
  /** Adds to the record of changes what only the effect knows. */
  note: (noted: Noted) => void;
}

interface Noted {
  /** The identifier of what was created. */
  id?: string;
  revision?: number;
  fields?: string[];
}

/** How an operation ended, or `unknown` where there is no record of it. */
export type OperationRecord =
  | { status: 'unknown'; requestHash?: string }
  | { status: 'done'; result: unknown; requestHash: string }
  | { status: 'failed'; error: RecordedRefusal; requestHash: string };

type Ending<T> = { value: T } | { refusal: RecordedRefusal };

export interface OperationsOptions {
  clock?: Clock;
  /** Invalidates keys of the cache. If it fails, that is logged and the operation is done all the same. */
  invalidate?: (keys: readonly string[]) => Promise<void>;
}

/** A client may repeat an operation for this long. */
const KEPT_MS = 2 * 86_400_000;

/** Carries out each operation once, and records how it ended: with its result, or with the reason why it was refused. */
export class Operations {
  private readonly logger = new Logger('Operations');
  private readonly clock: Clock;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly options: OperationsOptions = {},
  ) {
    this.clock = options.clock ?? systemClock;
  }

  /**
   * Runs `effect` in a transaction, unless the operation ended before: then the client gets the same result or the same
   * refusal again. Of two instances that race, the second waits for the first one's commit. The effect, its record and
   * its entry among the changes are committed together. If the effect fails for a reason that can pass, nothing is recorded.
   * @throws TocsinError `key_reused` for another request under the same identifier; the refusal; what `effect` throws
   */
  async run<T>(operation: Operation, target: OperationTarget, effect: (work: Work) => Promise<T>): Promise<T> {
    let touched: string[] = [];
    const ending = await this.end<T>(operation, async (tx) => {
      let noted: Noted = {};
      touched = [];
      const work = this.workIn(tx, touched, (said) => (noted = said));
      const value = await effect(work);
      const { id = target.id, ...more } = noted;
      await recordChange(tx, operation, { at: work.now, kind: target.kind, resourceId: id, ...more });
      return { value };
    }).catch((error: unknown) => {
      if (!isLastingRefusal(error)) throw error;
      // Another instance may have recorded a result since: then that one counts.
      return this.end<T>(operation, async (tx) => {
        const { kind, id: resourceId } = target;
        await recordChange(tx, operation, { at: this.clock.now(), kind, resourceId, code: error.code });
        return { refusal: recordRefusal(error) };
      });
    });
    await this.invalidate(touched);
    if ('refusal' in ending) throw refusalError(ending.refusal);
    return ending.value;
  }

  /** Runs `effect` in a transaction, for a change that no client sent. It is not recorded. */
  async runUnrecorded<T>(effect: (work: Work) => Promise<T>): Promise<T> {
    let touched: string[] = [];
    const value = await this.database.transaction((tx) => {
      touched = [];
      return effect(this.workIn(tx, touched, () => undefined));
    });
    await this.invalidate(touched);
    return value;
  }

  /** How an operation ended. */
  async find(operationId: string): Promise<OperationRecord> {
    const row = await lookup(this.database, operationId);
    if (!row?.result) return { status: 'unknown' };
    const ending = endingOf(row.result);
    const { request_hash: requestHash } = row;
    if ('refusal' in ending) return { status: 'failed', error: ending.refusal, requestHash };
    return { status: 'done', result: ending.value, requestHash };
  }

  /** Who changed what, the newest first. */
  changes(query: ChangesQuery): Promise<ChangeRecord[]> {
    return listChanges(this.database, query);
  }

  /** Forgets operations older than 2 days and changes older than 400, up to `limit` of each. Call it from time to time. */
  async purge(limit = 1_000): Promise<void> {
    await this.database.query(
      `DELETE FROM operations WHERE key IN (SELECT key FROM operations
         WHERE created_at < now() - $1 * interval '1 millisecond' ORDER BY created_at LIMIT $2)`,
      [KEPT_MS, limit],
      { name: 'operation purge' },
    );
    await purgeChanges(this.database, limit);
  }

  /** Claims the operation for this transaction and records the ending that `make` returns, or returns the recorded one. */
  private end<T>(operation: Operation, make: (tx: Transaction) => Promise<Ending<T>>): Promise<Ending<T>> {
    const { operationId: key, requestHash } = operation;
    return this.database.transaction(async (tx) => {
      const claimed = await tx.query(
        'INSERT INTO operations (key, request_hash) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key',
        [key, requestHash],
        { name: 'operation claim' },
      );
      if (claimed.length === 0) return recordedEnding<T>(tx, operation);
      const ending = await make(tx);
      await tx.query('UPDATE operations SET result = $2 WHERE key = $1', [key, JSON.stringify(ending)], {
        name: 'operation record',
      });
      return ending;
    });
  }

  private workIn(tx: Transaction, touched: string[], note: Work['note']): Work {
    return {
      tx,
      now: this.clock.now(),
      announce: (messages) => this.outbox.addMany(tx, messages),
      forget: (key) => touched.push(key),
      note,
    };
  }

  private async invalidate(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.options.invalidate?.(keys).catch((error: unknown) => {
      this.logger.warn(`the cache still holds what an operation changed: ${String(error)}`);
    });
  }
}

interface OperationRow {
  request_hash: string;
  result: unknown;
}

async function lookup(db: Queryable, key: string): Promise<OperationRow | undefined> {
  const sql = 'SELECT request_hash, result FROM operations WHERE key = $1';
  return (await db.query<OperationRow>(sql, [key], { name: 'operation recorded' }))[0];
}

async function recordedEnding<T>(tx: Transaction, { operationId, requestHash }: Operation): Promise<Ending<T>> {
  const row = await lookup(tx, operationId);
  if (row === undefined) {
    throw new TocsinError('unavailable', `The operation ${operationId} was forgotten just now; retry.`);
  }
  if (row.request_hash !== requestHash) {
    throw new TocsinError('key_reused', 'This idempotency key was used for another request; use a new one.');
  }
  return endingOf(row.result) as Ending<T>;
}

/** The version before let the notifier record its result alone. */
function endingOf(result: unknown): Ending<unknown> {
  const isEnding = typeof result === 'object' && result !== null && ('value' in result || 'refusal' in result);
  return isEnding ? (result as Ending<unknown>) : { value: result };
}
