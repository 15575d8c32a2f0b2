import { type Clock, newId, systemClock } from '@tocsin/core';
import { carriesTrace, carryTrace } from '@tocsin/telemetry';
import type { Queryable, Transaction } from '../types.ts';

/** A message to publish once the caller's transaction is committed. */
export interface OutboxMessage {
  subject: string;
  payload: unknown;
  /** The message's id wherever it goes; adding the same id twice adds it once. Default: a new one. */
  id?: string;
  headers?: Record<string, string>;
}

/** A committed message, on its way to the broker. */
export interface OutboxRow {
  id: string;
  subject: string;
  payload: unknown;
  headers: Record<string, string>;
}

/** Where a relay gets its messages from. */
export interface OutboxSource {
  /** Up to `limit` messages that nobody else is publishing, oldest first. */
  take(limit: number): Promise<OutboxRow[]>;
  /** Forgets messages that the broker has acknowledged. */
  done(ids: readonly string[]): Promise<void>;
}

export interface OutboxOptions {
  /** How long a message is left to the instance that added or took it before another one takes it over, in ms. Default 2 000. */
  leaseMs?: number;
  /** Most committed messages kept in memory; the rest is read back from the table. Default 10 000. */
  maxHeld?: number;
  clock?: Clock;
}

/** How often the table is searched for messages that another instance left behind. */
const RECOVERY_MS = 500;

const ADD = `INSERT INTO outbox (id, subject, payload, headers, lease_until)
  SELECT *, clock_timestamp() + $5 * interval '1 millisecond'
  FROM unnest($1::text[], $2::text[], $3::json[], $4::json[]) ON CONFLICT (id) DO NOTHING RETURNING id`;

const TAKE_OVER = `UPDATE outbox SET lease_until = clock_timestamp() + $2 * interval '1 millisecond'
  FROM (SELECT id AS expired FROM outbox WHERE lease_until < clock_timestamp()
        ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED) AS found
  WHERE id = expired RETURNING id, subject, payload, headers`;

interface Held {
  row: OutboxRow;
  /** On the monotonic clock: past it, another instance may have taken the row over. */
  until: number;
}

/**
 * Messages that are published if, and only if, the transaction they were added in commits.
 *
 * A row is inserted already leased to this instance and handed to the relay from memory after the commit: the usual
 * path is one INSERT and one DELETE, without reading or updating the table. If this instance dies, the lease runs out
 * and any other one takes the row over from the table.
 */
export class Outbox {
  private readonly held: Held[] = [];
  private readonly listeners: (() => void)[] = [];
  private readonly leaseMs: number;
  private readonly maxHeld: number;
  private readonly clock: Clock;

  constructor(options: OutboxOptions = {}) {
    this.leaseMs = options.leaseMs ?? 2_000;
    this.maxHeld = options.maxHeld ?? 10_000;
    this.clock = options.clock ?? systemClock;
  }

  /** Adds one message in the caller's transaction, with the caller's trace context in its headers where it brings none. */
  add(tx: Queryable, message: OutboxMessage): Promise<void> {
    return this.addMany(tx, [message]);
  }

  /** Adds messages in the caller's transaction, in one statement. */
  async addMany(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const rows = messages.map(rowOf);
    const until = this.clock.monotonic() + this.leaseMs;
    const added = await tx.query<{ id: string }>(
      ADD,
      [
        rows.map((row) => row.id),
        rows.map((row) => row.subject),
        rows.map((row) => JSON.stringify(row.payload)),
        rows.map((row) => JSON.stringify(row.headers)),
        this.leaseMs,
      ],
      { name: 'outbox add' },
    );
    const ids = new Set(added.map((row) => row.id));
    const fresh = rows.filter((row) => ids.delete(row.id));
    const hold = (): void => this.hold(fresh, until);
    if (isTransaction(tx)) tx.afterCommit(hold);
    else hold();
  }

  /** Calls `fn` after each commit that added messages: the relay's nudge. Returns what undoes it. */
  onCommit(fn: () => void): () => void {
    this.listeners.push(fn);
    return () => {
      const at = this.listeners.indexOf(fn);
      if (at !== -1) this.listeners.splice(at, 1);
    };
  }

  /** What a relay of this instance publishes: its own messages first, then what others left behind. */
  source(db: Queryable): OutboxSource {
    let searchedAt = Number.NEGATIVE_INFINITY;
    return {
      take: async (limit) => {
        const rows = this.takeHeld(limit);
        const now = this.clock.monotonic();
        if (rows.length >= limit || now - searchedAt < RECOVERY_MS) return rows;
        searchedAt = now;
        const held = new Set(rows.map((row) => row.id));
        const left = await this.takeOver(db, limit - rows.length, rows.length > 0);
        // The lease of a row that was held a moment ago may have run out meanwhile.
        const found = left.filter((row) => !held.has(row.id));
        // A full batch means that there is more: look again at once.
        if (rows.length + left.length >= limit) searchedAt = Number.NEGATIVE_INFINITY;
        return [...rows, ...found];
      },
      done: async (ids) => {
        if (ids.length === 0) return;
        await db.query('DELETE FROM outbox WHERE id = ANY($1)', [ids], { name: 'outbox done' });
      },
    };
  }

  private hold(rows: readonly OutboxRow[], until: number): void {
    for (const row of rows) {
      if (this.held.length >= this.maxHeld) break;
      this.held.push({ row, until });
    }
    for (const listener of this.listeners) listener();
  }

  private takeHeld(limit: number): OutboxRow[] {
    const now = this.clock.monotonic();
    return this.held
      .splice(0, limit)
      .filter((entry) => entry.until > now)
      .map((entry) => entry.row);
  }

  private async takeOver(db: Queryable, limit: number, optional: boolean): Promise<OutboxRow[]> {
    try {
      const rows = await db.query<OutboxRow>(TAKE_OVER, [limit, this.leaseMs], { name: 'outbox take over' });
      return rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    } catch (error) {
      // What is held in memory must be handed on even while the database is unreachable.
      if (optional) return [];
      throw error;
    }
  }
}

function rowOf(message: OutboxMessage): OutboxRow {
  const headers = { ...message.headers };
  // A batch's messages belong to the traces of what caused each, which its writer knows; the batch's own comes last.
  if (!carriesTrace(headers)) carryTrace(headers);
  return { id: message.id ?? newId(), subject: message.subject, payload: message.payload ?? null, headers };
}

function isTransaction(tx: Queryable): tx is Transaction {
  return 'afterCommit' in tx;
}
