import type { Channel } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';

/** Where channels are kept. Writes happen in the caller's transaction, together with the outbox. */
export abstract class ChannelsStore {
  abstract find(id: string, from: Queryable): Promise<Channel | undefined>;
  abstract list(o: { after?: string | undefined; limit: number }, from: Queryable): Promise<Channel[]>;
  /** The channel, which nobody else can change, or begin to use, until the transaction ends. */
  abstract lock(tx: Transaction, id: string): Promise<Channel | undefined>;
  /** Those of the identifiers that are channels; they can't be deleted until the transaction ends. */
  abstract hold(tx: Transaction, ids: readonly string[]): Promise<Set<string>>;
  /** Up to `limit` of the monitors that use a channel. */
  abstract users(tx: Transaction, id: string, limit: number): Promise<{ id: string; name: string }[]>;
  abstract insert(tx: Transaction, channel: Channel): Promise<void>;
  abstract update(tx: Transaction, channel: Channel): Promise<void>;
  abstract delete(tx: Transaction, id: string): Promise<void>;
}
