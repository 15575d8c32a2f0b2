import { Injectable } from '@nestjs/common';
import { type ErrorCode, TocsinError } from '@tocsin/core';
import { Database, lookupOperation, once, type Transaction } from '@tocsin/database';

/** One command, as its caller identified it. */
export interface Operation {
  operationId: string;
  requestHash: string;
  actor?: string | undefined;
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
  constructor(private readonly database: Database) {}

  /**
   * Runs `effect` in a transaction, unless the operation was ended before: then what came of it is given again.
   * @throws TocsinError `key_reused` for another request of the same identifier; what `effect` throws
   */
  async run<T>(operation: Operation, effect: (tx: Transaction) => Promise<T>): Promise<T> {
    const ending = await this.end(operation, async (tx) => ({ value: await effect(tx) })).catch((error: unknown) => {
      if (!(error instanceof TocsinError) || error.retry || !LASTING.has(error.code)) throw error;
      const { code, message } = error;
      return this.end(operation, () => Promise.resolve({ refusal: { code, message } }));
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

  private async end(operation: Operation, effect: (tx: Transaction) => Promise<Ending>): Promise<Ending> {
    const { operationId: key, requestHash } = operation;
    const { result } = await this.database.transaction((tx) => once(tx, { key, requestHash }, () => effect(tx)));
    return result;
  }
}

/** Refusals that asking again would only repeat. */
const LASTING: ReadonlySet<ErrorCode> = new Set(['invalid', 'not_found', 'conflict', 'stale', 'forbidden']);
