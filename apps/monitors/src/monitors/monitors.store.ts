import type { Monitor, MonitorKind } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';

/** Which monitors a list shows, in the order they were made. */
export interface MonitorsFilter {
  /** Monitors that have all of them. */
  tags: readonly string[];
  kind?: MonitorKind | undefined;
  paused?: boolean | undefined;
  /** Part of the name, whatever the case. */
  q?: string | undefined;
  after?: string | undefined;
  limit: number;
}

/** Where monitors are kept. Writes happen in the caller's transaction, together with the outbox. */
export abstract class MonitorsStore {
  abstract find(id: string, from: Queryable): Promise<Monitor | undefined>;
  abstract list(filter: MonitorsFilter, from: Queryable): Promise<Monitor[]>;
  /** The monitor, which nobody else can change until the transaction ends. */
  abstract lock(tx: Transaction, id: string): Promise<Monitor | undefined>;
  abstract insert(tx: Transaction, monitor: Monitor): Promise<void>;
  abstract update(tx: Transaction, monitor: Monitor): Promise<void>;
  abstract delete(tx: Transaction, id: string): Promise<void>;
}
