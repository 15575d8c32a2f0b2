import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Range } from './range.ts';
import type { Recorded } from './record.ts';

const CONNECT_MS = 2_000;
const STATEMENT_MS = 20_000;
/** How long to look for a host that takes writes: a failover, or a start, may be under way. */
const PATIENCE_MS = 60_000;

/** One statement at the host that takes writes. @throws with what each host said when none does for a minute */
export type Ask = <T extends pg.QueryResultRow>(text: string, values: readonly number[]) => Promise<T[]>;

/** Tocsin's record, read as its superuser: what it says itself, past all of its services. */
export class RecordDatabase {
  constructor(private readonly ask: Ask) {}

  /** The counted windows of every monitor in a range. */
  windows({ from, to }: Range): Promise<Recorded[]> {
    return this.ask<Recorded>(
      `SELECT monitor_id AS "monitorId", array_agg(due_at::float8 ORDER BY due_at) AS due,
         array_agg(outcome::int4 ORDER BY due_at) AS outcomes
       FROM incidents.results WHERE counted AND attempt = 0 AND due_at >= $1 AND due_at < $2 GROUP BY monitor_id`,
      [from, to],
    );
  }

  channels(): Promise<{ id: string; name: string }[]> {
    return this.ask(`SELECT id, spec->>'name' AS name FROM monitors.channels`, []);
  }

  monitorNames(): Promise<{ id: string; name: string }[]> {
    return this.ask('SELECT id, name FROM monitors.monitors', []);
  }
}

/** Asks over the network. */
export function askOverNetwork(url: string): Ask {
  return (text, values) => askOneOf([url], (one) => queryAt(one, text, values));
}

/**
 * Asks one after the other until one answers.
 * @throws what each said when none does for a minute; at once what PostgreSQL's parser says of the statement
 */
export async function askOneOf<Host, T>(hosts: readonly Host[], ask: (host: Host) => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const refusals: unknown[] = [];
    for (const host of hosts) {
      try {
        return await ask(host);
      } catch (error) {
        if (error instanceof pg.DatabaseError && error.routine?.startsWith('parser')) throw error;
        refusals.push(error);
      }
    }
    if (performance.now() - startedAt > PATIENCE_MS) {
      throw new AggregateError(refusals, 'no host of the database took the statement for a minute');
    }
    await delay(250);
  }
}

async function queryAt<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly number[],
): Promise<T[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
  });
  // A server that dies under an idle connection says so here; the statement under way rejects by itself.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<T>(text, [...values])).rows;
  } finally {
    // What hangs at a frozen host must not be waited for.
    void client.end().catch(() => undefined);
  }
}
