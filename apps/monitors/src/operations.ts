import { Inject, Injectable } from '@nestjs/common';
import { type Clock, type ErrorCode, TocsinError } from '@tocsin/core';
import {
  type AskedBy,
  type Change,
  type ChangeKind,
  type ChangesQuery,
  Database,
  listChanges,
  lookupOperation,
  once,
  Outbox,
  type OutboxMessage,
  recordChange,
  type Transaction,
} from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import { Reads } from './reads.ts';

/** What an operation came to, as it is recorded. */
type Ending<T> = { value: T } | { refusal: Refusal };

interface Refusal {
  code: ErrorCode;
  message: string;
  fields?: TocsinError['fields'];
  details?: TocsinError['details'];
}

/** What a change is made with. */
export interface Work {
  tx: Transaction;
  /** When it happens, in ms since the epoch. */
  now: number;
  /** Tells the rest of the system, if and only if the change is committed. */
  announce: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** Has reads forget, after the commit, what they remember under a key. */
  forget: (key: string) => void;
  /** What the record of changes says beside what the result does. */
  note: (said: Noted) => void;
}

interface Noted {
  revision?: number;
  fields?: string[];
}

/** What a change is about; without an identifier, what it makes. */
export interface About {
  kind: ChangeKind;
  id?: string | undefined;
}

/** Identifies a change that somebody asked for. */
export interface Operation extends AskedBy {
  operationId: string;
  requestHash: string;
}

/** What every change results in: a record, or the identifier of what is gone. */
interface Made {
  id: string;
  revision?: number;
}

/** Carries out each operation once, and remembers what it came to: its result, or why it was refused. */
@Injectable()
export class Operations {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly reads: Reads,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Runs `effect` in a transaction unless the operation has ended before; then its result, or its refusal, is given again.
   * @throws TocsinError `key_reused` for another request under the same identifier; the refusal; whatever `effect` throws
   */
  async run<T extends Made>(operation: Operation, about: About, effect: (work: Work) => Promise<T>): Promise<T> {
    const touched: string[] = [];
    const ending = await this.ending(operation, about, { effect, touched });
    await this.reads.forget(touched);
    if ('value' in ending) return ending.value;
    const { code, message, fields, details } = ending.refusal;
    throw new TocsinError(code, message, { ...(fields ? { fields } : {}), ...(details ? { details } : {}) });
  }

  /** Runs `effect` in a transaction, for a change that no operation asked for. */
  async apart<T>(effect: (work: Work) => Promise<T>): Promise<T> {
    const touched: string[] = [];
    const value = await this.database.transaction((tx) => effect(this.workIn(tx, touched)));
    await this.reads.forget(touched);
    return value;
  }

  /** What an operation came to; `unknown` when there is no record of it. */
  async find(
    operationId: string,
  ): Promise<{ status: 'done' | 'failed' | 'unknown'; result?: unknown; error?: Refusal; requestHash?: string }> {
    const found = await lookupOperation(this.database, operationId);
    const ending = found?.result as Ending<unknown> | null | undefined;
    if (!found || !ending) return { status: 'unknown' };
    const { requestHash } = found;
    if ('refusal' in ending) return { status: 'failed', error: ending.refusal, requestHash };
    return { status: 'done', result: ending.value, requestHash };
  }

  /** Who changed what, the newest first. */
  changes(query: ChangesQuery): Promise<Change[]> {
    return listChanges(this.database, query);
  }

  private async ending<T extends Made>(
    operation: Operation,
    { kind, id }: About,
    { effect, touched }: { effect: (work: Work) => Promise<T>; touched: string[] },
  ): Promise<Ending<T>> {
    const key = { key: operation.operationId, requestHash: operation.requestHash };
    const end = (make: (tx: Transaction) => Promise<Ending<T>>): Promise<Ending<T>> =>
      this.database.transaction(async (tx) => (await once(tx, key, () => make(tx))).result);
    try {
      return await end(async (tx) => {
        let noted: Noted = {};
        const work = this.workIn(tx, touched, (said) => (noted = said));
        const value = await effect(work);
        const { id: resourceId, revision } = value;
        await recordChange(tx, operation, {
          at: work.now,
          kind,
          resourceId,
          ...(revision ? { revision } : {}),
          ...noted,
        });
        return { value };
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Of two instances that carry it out at once the other may have recorded a result meanwhile: that one counts.
      return end(async (tx) => {
        const { code } = error;
        await recordChange(tx, operation, { at: this.clock.now(), kind, ...(id ? { resourceId: id } : {}), code });
        return { refusal: refusalOf(error) };
      });
    }
  }

  private workIn(tx: Transaction, touched: string[], note: Work['note'] = () => undefined): Work {
    return {
      tx,
      now: this.clock.now(),
      announce: (messages) => this.outbox.addMany(tx, messages),
      forget: (key) => touched.push(key),
      note,
    };
  }
}

/** A refusal is an answer: asking again changes nothing. A reused key belongs to the other request, so it is not recorded. */
function isRefusal(error: unknown): error is TocsinError {
  return error instanceof TocsinError && !error.retry && error.code !== 'key_reused' && error.code !== 'internal';
}

function refusalOf({ code, message, fields, details }: TocsinError): Refusal {
  return { code, message, ...(fields ? { fields } : {}), ...(details ? { details } : {}) };
}
