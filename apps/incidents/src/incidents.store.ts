import type { MonitorSpec } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';
import type { Effects } from './effects.ts';
import type { Held, StoredSpan } from './record.ts';

/** What a sweep looks for: states that need somebody's look although no result came. */
export type Overdue = 'silent' | 'confirmation' | 'heartbeat';

/** The record of states, results and incidents. Every method works in the caller's transaction unless it says so. */
export abstract class IncidentsStore {
  /** Runs `fn` in a transaction; see Database.transaction. */
  abstract transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T>;

  /** Locks the states of these monitors in the order of their ids; those of deleted and unknown monitors are absent. */
  abstract lock(tx: Queryable, monitorIds: readonly string[]): Promise<Map<string, Held>>;

  /** Which of these monitors were deleted. One that is neither deleted nor locked was not heard of yet, or just now. */
  abstract deleted(tx: Queryable, monitorIds: readonly string[]): Promise<Set<string>>;

  /** Locks up to `limit` states that are overdue and that nobody else is looking at. */
  abstract lockOverdue(tx: Queryable, what: Overdue, now: number, limit: number): Promise<Held[]>;

  /** Has these heartbeats looked at again no sooner than then, whatever they are overdue since. */
  abstract postpone(tx: Queryable, monitorIds: readonly string[], until: number): Promise<void>;

  /** All spans of these monitors. */
  abstract spans(tx: Queryable, monitorIds: readonly string[]): Promise<StoredSpan[]>;

  /**
   * Writes results, states and incidents, keeps the transitions and adds the messages to the outbox. A result that is
   * there already stays. Roll-ups that may be complete are computed again for what is late.
   */
  abstract save(tx: Transaction, effects: Effects): Promise<void>;

  /** The specifications of monitors that are not deleted, outside any transaction. */
  abstract specs(monitorIds: readonly string[]): Promise<Map<string, { revision: number; spec: MonitorSpec }>>;
}
