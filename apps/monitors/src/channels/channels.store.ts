import { Injectable } from '@nestjs/common';
import type { Channel, ChannelSpec } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';

export interface ChannelRow {
  id: string;
  revision: number;
  spec: ChannelSpec;
  created_at: Date;
  updated_at: Date;
}

export const CHANNEL_COLUMNS = 'id, revision, spec, created_at, updated_at';

/** Where channels are kept. Writes happen in the caller's transaction, together with the outbox. */
@Injectable()
export class ChannelsStore {
  async find(id: string, from: Queryable): Promise<Channel | undefined> {
    const rows = await from.query<ChannelRow>(`SELECT ${CHANNEL_COLUMNS} FROM channels WHERE id = $1`, [id], {
      name: 'channel find',
    });
    return rows[0] && channelOf(rows[0]);
  }

  async list(o: { after?: string | undefined; limit: number }, from: Queryable): Promise<Channel[]> {
    const rows = await from.query<ChannelRow>(
      `SELECT ${CHANNEL_COLUMNS} FROM channels WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`,
      [o.after ?? null, o.limit],
      { name: 'channel list' },
    );
    return rows.map(channelOf);
  }

  /** The channel, which nobody else can change, or begin to use, until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<Channel | undefined> {
    const rows = await tx.query<ChannelRow>(`SELECT ${CHANNEL_COLUMNS} FROM channels WHERE id = $1 FOR UPDATE`, [id], {
      name: 'channel lock',
    });
    return rows[0] && channelOf(rows[0]);
  }

  /** Those of the identifiers that are channels; they can't be deleted until the transaction ends. */
  async hold(tx: Transaction, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    // In one order everywhere, so that two writers can't wait for each other.
    const rows = await tx.query<{ id: string }>(
      'SELECT id FROM channels WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE',
      [ids],
      { name: 'channels hold' },
    );
    return new Set(rows.map((row) => row.id));
  }

  /** Up to `limit` of the monitors that use a channel. */
  users(tx: Transaction, id: string, limit: number): Promise<{ id: string; name: string }[]> {
    return tx.query(
      'SELECT id, name FROM monitors WHERE channels @> ARRAY[$1::uuid] ORDER BY id LIMIT $2',
      [id, limit],
      { name: 'channel users' },
    );
  }

  async insert(tx: Transaction, channel: Channel): Promise<void> {
    await tx.query(
      'INSERT INTO channels (id, revision, spec, updated_at, created_at) VALUES ($1, $2, $3, $4, $5)',
      [...valuesOf(channel), new Date(channel.createdAt)],
      { name: 'channel insert' },
    );
  }

  async update(tx: Transaction, channel: Channel): Promise<void> {
    await tx.query('UPDATE channels SET revision = $2, spec = $3, updated_at = $4 WHERE id = $1', valuesOf(channel), {
      name: 'channel update',
    });
  }

  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.query('DELETE FROM channels WHERE id = $1', [id], { name: 'channel delete' });
  }
}

export function channelOf(row: ChannelRow): Channel {
  return {
    id: row.id,
    revision: row.revision,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    spec: row.spec,
  };
}

function valuesOf({ id, revision, spec, updatedAt }: Channel): unknown[] {
  return [id, revision, JSON.stringify(spec), new Date(updatedAt)];
}
