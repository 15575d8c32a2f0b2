import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type ErrorCode, TocsinError } from '@tocsin/core';
import {
  type AskedBy,
  type Change,
  type ChangesQuery,
  Database,
  listChanges,
  lookupOperation,
  once,
  recordChange,
  type Transaction,
} from '@tocsin/database';
import { CLOCK } from '@tocsin/service';

/** One command, as its caller identified it. */
export interface Operation extends AskedBy {
  operationId: string;
  requestHash: string;
}

interface Refusal {
  code: ErrorCode;
  message: string;
}

type Ending = { value: unknown } | { refusal: Refusal };

export type Found =
  | { status: 'unknown' }
  | { status: 'done'; result: unknown; requestHash: string }
  | { status: 'failed'; error: Refusal; requestHash: string };

/** Carries out each command once and remembers what came of it, a refusal too. */
@Injectable()
export class Operations {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Runs `effect` on an incident in a transaction, unless the operation was ended before: then what came of it is given
   * again. The record of changes tells of it either way.
   * @throws TocsinError `key_reused` for another request of the same identifier; what `effect` throws
   */
  async run<T>(operation: Operation, id: string, effect: (tx: Transaction) => Promise<T>): Promise<T> {
    const record = (tx: Transaction, refused: { code?: ErrorCode } = {}): Promise<void> =>
      recordChange(tx, operation, { at: this.clock.now(), kind: 'incident', resourceId: id, ...refused });
    const ending = await this.end(operation, async (tx) => {
      const value = await effect(tx);
      await record(tx);
      return { value };
    }).catch((error: unknown) => {
      if (!(error instanceof TocsinError) || error.retry || !LASTING.has(error.code)) throw error;
      const { code, message } = error;
      return this.end(operation, async (tx) => {
        await record(tx, { code });
        return { refusal: { code, message } };
      });
    });
    if ('refusal' in ending) throw new TocsinError(ending.refusal.code, ending.refusal.message);
    return ending.value as T;
  }

  /** What came of an operation. */
  async find(operationId: string): Promise<Found> {
    const found = await lookupOperation(this.database, operationId);
    const ending = found?.result as Ending | null | undefined;
    if (!found || !ending) return { status: 'unknown' };
    const { requestHash } = found;
    if ('refusal' in ending) return { status: 'failed', error: ending.refusal, requestHash };
    return { status: 'done', result: ending.value, requestHash };
  }

  /** What was done, the newest first. */
  changes(query: ChangesQuery): Promise<Change[]> {
    return listChanges(this.database, query);
  }

  private async end(operation: Operation, effect: (tx: Transaction) => Promise<Ending>): Promise<Ending> {
    const { operationId: key, requestHash } = operation;
    const { result } = await this.database.transaction((tx) => once(tx, { key, requestHash }, () => effect(tx)));
    return result;
  }
}

/** Refusals that asking again would only repeat. */
const LASTING: ReadonlySet<ErrorCode> = new Set(['invalid', 'not_found', 'conflict', 'stale', 'forbidden']);
