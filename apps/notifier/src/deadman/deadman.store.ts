import { Injectable } from '@nestjs/common';
import { Database } from '@tocsin/database';

/** What is recorded of the switch. */
export interface Recorded {
  /** When it was called last, ms since the epoch, and how long ago that is by the server's clock. */
  calledAt?: number;
  sinceMs: number;
  missing: string[];
}

interface Row {
  called_at: Date | null;
  since_ms: number | null;
  missing: string[];
}

const COLUMNS = `called_at, extract(epoch FROM clock_timestamp() - called_at)::float8 * 1000 AS since_ms, missing`;

/** The switch's row. */
@Injectable()
export class DeadmanStore {
  constructor(private readonly database: Database) {}

  /** Writes that somebody looks now. @returns what stands there @throws TocsinError while the record takes no write */
  async look(): Promise<Recorded> {
    const rows = await this.database.query<Row>(
      `INSERT INTO deadman (looked_at, missing) VALUES (clock_timestamp(), '[]')
       ON CONFLICT (one) DO UPDATE SET looked_at = excluded.looked_at RETURNING ${COLUMNS}`,
      [],
      { name: 'deadman look' },
    );
    return recordedOf(rows[0]);
  }

  /** Writes what the look came to. */
  async found(missing: readonly string[], called: boolean): Promise<void> {
    await this.database.query(
      'UPDATE deadman SET missing = $1, called_at = CASE WHEN $2 THEN clock_timestamp() ELSE called_at END',
      [JSON.stringify(missing), called],
      { name: 'deadman found' },
    );
  }

  /** What whoever holds the lease wrote. */
  async read(): Promise<Recorded> {
    const rows = await this.database.query<Row>(`SELECT ${COLUMNS} FROM deadman`, [], { name: 'deadman read' });
    return recordedOf(rows[0]);
  }
}

function recordedOf(row: Row | undefined): Recorded {
  return {
    ...(row?.called_at ? { calledAt: row.called_at.getTime() } : {}),
    sinceMs: row?.since_ms ?? Infinity,
    missing: row?.missing ?? [],
  };
}
