import { Injectable } from '@nestjs/common';
import type { Monitor, MonitorKind, MonitorSpec } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';
import { fold } from './case-folding.ts';

export interface MonitorRow {
  id: string;
  revision: number;
  spec: MonitorSpec;
  grid_since: Date;
  created_at: Date;
  updated_at: Date;
}

export const MONITOR_COLUMNS = 'id, revision, spec, grid_since, created_at, updated_at';

/** Until a name is folded (see tidy), it is searched by what the database knows of letters. */
const SEARCHED = 'CASE WHEN folded_of = name THEN name_folded ELSE lower(name) END';

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
@Injectable()
export class MonitorsStore {
  async find(id: string, from: Queryable): Promise<Monitor | undefined> {
    const rows = await from.query<MonitorRow>(`SELECT ${MONITOR_COLUMNS} FROM monitors WHERE id = $1`, [id], {
      name: 'monitor find',
    });
    return rows[0] && monitorOf(rows[0]);
  }

  async list(filter: MonitorsFilter, from: Queryable): Promise<Monitor[]> {
    const params: unknown[] = [];
    const where: string[] = [];
    const require = (condition: (parameter: string) => string, value: unknown): void => {
      params.push(value);
      where.push(condition(`$${params.length}`));
    };
    if (filter.after !== undefined) require((p) => `id > ${p}`, filter.after);
    if (filter.tags.length > 0) require((p) => `tags @> ${p}::text[]`, filter.tags);
    if (filter.kind !== undefined) require((p) => `kind = ${p}`, filter.kind);
    if (filter.paused !== undefined) where.push(filter.paused ? 'paused' : 'NOT paused');
    if (filter.q !== undefined) require((p) => `position(${p} in ${SEARCHED}) > 0`, fold(filter.q));
    params.push(filter.limit);
    const rows = await from.query<MonitorRow>(
      `SELECT ${MONITOR_COLUMNS} FROM monitors ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
       ORDER BY id LIMIT $${params.length}`,
      params,
    );
    return rows.map(monitorOf);
  }

  /** The monitor, which nobody else can change until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<Monitor | undefined> {
    const rows = await tx.query<MonitorRow>(`SELECT ${MONITOR_COLUMNS} FROM monitors WHERE id = $1 FOR UPDATE`, [id], {
      name: 'monitor lock',
    });
    return rows[0] && monitorOf(rows[0]);
  }

  async insert(tx: Transaction, monitor: Monitor): Promise<void> {
    await tx.query(
      `INSERT INTO monitors (id, revision, kind, name, tags, channels, paused, spec, updated_at, grid_since, name_folded,
         folded_of, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $4, $12)`,
      [...valuesOf(monitor), new Date(monitor.createdAt)],
      { name: 'monitor insert' },
    );
  }

  async update(tx: Transaction, monitor: Monitor): Promise<void> {
    await tx.query(
      `UPDATE monitors SET revision = $2, kind = $3, name = $4, tags = $5, channels = $6, paused = $7, spec = $8,
         updated_at = $9, grid_since = $10, name_folded = $11, folded_of = $4 WHERE id = $1`,
      valuesOf(monitor),
      { name: 'monitor update' },
    );
  }

  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.query('DELETE FROM monitors WHERE id = $1', [id], { name: 'monitor delete' });
  }
}

/** A specification was checked before it was written, so it is not parsed again. */
export function monitorOf(row: MonitorRow): Monitor {
  return {
    id: row.id,
    revision: row.revision,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    gridSince: row.grid_since.getTime(),
    spec: row.spec,
  };
}

function valuesOf({ id, revision, spec, updatedAt, gridSince }: Monitor): unknown[] {
  const { kind, name, tags, channels, paused } = spec;
  return [
    id,
    revision,
    kind,
    name,
    tags,
    channels,
    paused,
    JSON.stringify(spec),
    new Date(updatedAt),
    new Date(gridSince),
    fold(name),
  ];
}
