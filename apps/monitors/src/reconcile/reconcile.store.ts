import { Injectable } from '@nestjs/common';
import type { Channel, Monitor } from '@tocsin/contracts';
import { Database, Operations } from '@tocsin/database';
import { CHANNEL_COLUMNS, channelOf, type ChannelRow } from '../channels/channels.store.ts';
import { MONITOR_COLUMNS, monitorOf, type MonitorRow } from '../monitors/monitors.store.ts';
import { fold } from '../monitors/case-folding.ts';

const GRAVES_DAYS = 30;
const BATCH = 1_000;
/** Batches of names that are folded in one turn: all of them, of as many monitors as there may be. */
const FOLDS_MAX = 200;

export type Kind = 'monitors' | 'channels';

/** What reconciliation reads of the record. */
@Injectable()
export class ReconcileStore {
  constructor(
    private readonly database: Database,
    private readonly operations: Operations,
  ) {}

  /** Claims the periodic work for one instance: true if nobody did it in the last `everyMs`. */
  async claim(everyMs: number): Promise<boolean> {
    const rows = await this.database.query(
      `UPDATE chores SET done_at = now() WHERE name = 'reconcile'
         AND done_at <= now() - $1 * interval '1 millisecond' RETURNING name`,
      [everyMs],
      { name: 'chore claim' },
    );
    return rows.length > 0;
  }

  /** Revisions by identifier. Those that changed in the last `settlingMs` are left out: they are still on their way. */
  async revisions(kind: Kind, settlingMs: number): Promise<{ settled: Map<string, number>; fresh: Set<string> }> {
    const rows = await this.database.query<{ id: string; revision: number; fresh: boolean }>(
      `SELECT id, revision, updated_at > now() - $1 * interval '1 millisecond' AS fresh FROM ${kind}`,
      [settlingMs],
      { name: `reconcile ${kind}` },
    );
    const settled = new Map<string, number>();
    const fresh = new Set<string>();
    for (const row of rows) {
      if (row.fresh) fresh.add(row.id);
      else settled.set(row.id, row.revision);
    }
    return { settled, fresh };
  }

  async tombstones(kind: Kind): Promise<Map<string, number>> {
    const rows = await this.database.query<{ id: string; revision: number }>(
      'SELECT id, revision FROM tombstones WHERE kind = $1',
      [kind],
      { name: 'reconcile tombstones' },
    );
    return new Map(rows.map((row) => [row.id, row.revision]));
  }

  async records(kind: Kind, ids: readonly string[]): Promise<(Monitor | Channel)[]> {
    const read = <Row>(columns: string): Promise<Row[]> =>
      this.database.query<Row>(`SELECT ${columns} FROM ${kind} WHERE id = ANY($1::uuid[])`, [ids], {
        name: `reconcile read ${kind}`,
      });
    if (kind === 'monitors') return (await read<MonitorRow>(MONITOR_COLUMNS)).map(monitorOf);
    return (await read<ChannelRow>(CHANNEL_COLUMNS)).map(channelOf);
  }

  /** Forgets what was needed only for a while: old tombstones and operations. */
  async tidy(): Promise<void> {
    await this.operations.purge();
    await this.foldNames();
    await this.database.query(
      `DELETE FROM tombstones WHERE (kind, id) IN (SELECT kind, id FROM tombstones
         WHERE deleted_at < now() - $1 * interval '1 day' ORDER BY deleted_at LIMIT $2)`,
      [GRAVES_DAYS, BATCH],
      { name: 'tombstones purge' },
    );
  }

  /** Folds the names that an instance of an earlier version wrote, so that they are found by any case of their letters. */
  private async foldNames(): Promise<void> {
    for (let n = 0; n < FOLDS_MAX; n += 1) {
      const rows = await this.database.query<{ id: string; name: string }>(
        'SELECT id, name FROM monitors WHERE folded_of IS DISTINCT FROM name LIMIT $1',
        [BATCH],
        { name: 'names to fold' },
      );
      if (rows.length === 0) return;
      await this.database.query(
        `UPDATE monitors m SET name_folded = n.folded, folded_of = n.name
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (id, name, folded) WHERE m.id = n.id AND m.name = n.name`,
        [rows.map(({ id }) => id), rows.map(({ name }) => name), rows.map(({ name }) => fold(name))],
        { name: 'names fold' },
      );
    }
  }
}
