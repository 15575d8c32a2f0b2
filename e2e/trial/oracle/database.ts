import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { Range } from './range.ts';
import type { Recorded } from './record.ts';

const CONNECT_MS = 2_000;
const STATEMENT_MS = 20_000;
/** How long to look for a host that takes writes: a failover may be under way. */
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

/**
 * Asks over the network.
 * @param url may name several hosts, `postgres://u:p@h1:1,h2:2/db`: the one that takes writes is asked
 */
export function askOverNetwork(url: string): Ask {
  const urls = urlsOf(url);
  return (text, values) => askOneOf(urls, (one) => queryAt(one, text, values));
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
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    if (rows[0]?.standby !== false) throw new Error('it is a standby');
    return (await client.query<T>(text, [...values])).rows;
  } finally {
    // What hangs at a frozen host must not be waited for.
    void client.end().catch(() => undefined);
  }
}

/** One address per host. */
export function urlsOf(url: string): string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/.exec(url);
  if (!parts)
    throw new Error('not an address of PostgreSQL: expected postgres://user:password@host:port[,host:port]/name');
  const [, before, hosts, after] = parts;
  return hosts!.split(',').map((host) => `${before}${host}${after}`);
}

/** Which of the servers takes writes, and whether the standby has confirmed all of them. */
export interface Primary {
  /** As in runtime.json. */
  name: string;
  /** True without a pair too: there is nothing to wait for. */
  standbyInStep: boolean;
}

/** The server that takes writes now; undefined while none does. */
export async function primaryOf(
  servers: Readonly<Record<string, { url: string }>>,
  databaseUrl: string,
): Promise<Primary | undefined> {
  const databases = Object.entries(servers).filter(([name]) => name.startsWith('postgres'));
  const asked = databases.map(async ([name, { url }]): Promise<Primary | undefined> => {
    try {
      const [row] = await queryAt<{ copies: number }>(loginAt(url, databaseUrl), COPIES_IN_STEP, []);
      return { name, standbyInStep: databases.length === 1 || (row?.copies ?? 0) > 0 };
    } catch {
      return undefined;
    }
  });
  return (await Promise.all(asked)).find((primary) => primary !== undefined);
}

const COPIES_IN_STEP = `SELECT count(*)::int AS copies FROM pg_stat_replication
  WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')`;

function loginAt(serverUrl: string, databaseUrl: string): string {
  const { host } = new URL(serverUrl);
  return databaseUrl.replace(/^([^/]*\/\/(?:[^@/]*@)?)[^/]+/, `$1${host}`);
}
