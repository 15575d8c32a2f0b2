import { Injectable } from '@nestjs/common';
import { Database } from '@tocsin/database';

/** The record of the dead man's calls. */
export interface DeadmanRecord {
  /** When it was called last, ms since the epoch, and how long ago that is by the server's clock. */
  calledAt?: number;
  sinceMs: number;
  missing: string[];
}

interface DeadmanRow {
  called_at: Date | null;
  since_ms: number | null;
  missing: string[];
}

const COLUMNS = `called_at, extract(epoch FROM clock_timestamp() - called_at)::float8 * 1000 AS since_ms, missing`;

/** Keeps the record in its one row. */
@Injectable()
export class DeadmanStore {
  constructor(private readonly database: Database) {}

  /** Records that this instance looks now. @returns the record until then @throws TocsinError while the database takes no write */
  async look(): Promise<DeadmanRecord> {
    const rows = await this.database.query<DeadmanRow>(
      `INSERT INTO deadman (looked_at, missing) VALUES (clock_timestamp(), '[]')
       ON CONFLICT (one) DO UPDATE SET looked_at = excluded.looked_at RETURNING ${COLUMNS}`,
      [],
      { name: 'deadman look' },
    );
    return recordedOf(rows[0]);
  }

  /** Records the findings of the look. */
  async found(missing: readonly string[], called: boolean): Promise<void> {
    await this.database.query(
      'UPDATE deadman SET missing = $1, called_at = CASE WHEN $2 THEN clock_timestamp() ELSE called_at END',
      [JSON.stringify(missing), called],
      { name: 'deadman found' },
    );
  }

  /** The record, as the instance with the lease wrote it. */
  async read(): Promise<DeadmanRecord> {
    const rows = await this.database.query<DeadmanRow>(`SELECT ${COLUMNS} FROM deadman`, [], { name: 'deadman read' });
    return recordedOf(rows[0]);
  }
}

function recordedOf(row: DeadmanRow | undefined): DeadmanRecord {
  return {
    ...(row?.called_at ? { calledAt: row.called_at.getTime() } : {}),
    sinceMs: row?.since_ms ?? Infinity,
    missing: row?.missing ?? [],
  };
}
