import type { Database } from '@tocsin/database';

/** How many connections of an application wait for a lock in this database. */
export async function waiting(database: Database, applicationName: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'
      AND datname = current_database()`,
    [applicationName],
  );
  return row?.n ?? 0;
}
