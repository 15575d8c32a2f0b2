import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { Database, type Queryable } from '@tocsin/database';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { IncidentsConfig } from '../incidents.config.ts';

const DAY_MS = 86_400_000;
/** Results may come as late as the stream keeps them, and from a clock that is ahead. */
const BEHIND_MS = 8 * DAY_MS;
const AHEAD_MS = 2 * DAY_MS;

type Table = keyof IncidentsConfig['retentionDays'];
/** How many days one partition of each table holds. */
const PARTITION_DAYS: Record<Table, number> = { results: 1, rollups_300: 7, rollups_3600: 30, rollups_86400: 360 };

/** The level that each table is; single results are 0. Reports of a range that reaches further back are cut to it. */
const SECONDS: Record<Table, number> = { results: 0, rollups_300: 300, rollups_3600: 3_600, rollups_86400: 86_400 };
const KEPT = `INSERT INTO history_kept (seconds, since) VALUES ($1, $2)
  ON CONFLICT (seconds) DO UPDATE SET since = greatest(history_kept.since, excluded.since)`;

/** An index of one partition that takes longer than this is built again from the start, and seen in the log. */
const BUILD_TIMEOUT_MS = 30 * 60_000;
/** Whoever waits for a lock holds up everybody behind: better to try again later. */
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Partitions that lack an index of their table, which a migration only declared: the newest first. Those of the days to
 * come are empty, and then comes today's. None while any instance builds one.
 */
const LACKING = `SELECT p.relname AS partition, t.relname AS table, i.relname AS index,
    pg_get_indexdef(x.indexrelid) AS definition
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
  JOIN pg_inherits h ON h.inhparent = t.oid JOIN pg_class p ON p.oid = h.inhrelid
  WHERE t.oid = ANY($1::regclass[]) AND NOT x.indisvalid AND NOT EXISTS (
      SELECT FROM pg_inherits a JOIN pg_index c ON c.indexrelid = a.inhrelid
      WHERE a.inhparent = x.indexrelid AND c.indrelid = p.oid)
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index b WHERE b.datname = current_database())
  ORDER BY p.relname DESC, i.relname LIMIT 1`;
const IS_INVALID = 'SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid';

interface Lacking {
  partition: string;
  table: string;
  index: string;
  /** How the table's index is made: `CREATE INDEX … ON ONLY … USING …`. */
  definition: string;
}

/** Makes partitions ahead of time and drops those that are too old: history is never deleted row by row. */
@Injectable()
export class PartitionsService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  /** Before the first result is taken there is a partition for it. */
  onModuleInit(): Promise<void> {
    return this.run();
  }

  /** Brings the partitions up to date. Instances take turns; safe to repeat. @throws TocsinError if a lock was not free in time */
  async run(): Promise<void> {
    const now = this.clock.now();
    for (const [table, days] of Object.entries(PARTITION_DAYS) as [Table, number][]) {
      await this.database.transaction(async (tx) => {
        await tx.query(`SELECT pg_advisory_xact_lock(hashtext('tocsin.partitions'))`);
        await limitWaiting(tx);
        const present = await partitionsOf(tx, table);
        await makeMissing(tx, { table, lengthMs: days * DAY_MS, present }, now);
        const since = await dropOld(tx, present, now - this.config.retentionDays[table] * DAY_MS);
        if (since > 0) await tx.query(KEPT, [SECONDS[table], since], { name: 'history kept' });
      });
    }
  }

  /**
   * Builds what indexes partitions lack, one after another, while everything goes on. Each step may be repeated, and be
   * interrupted anywhere. @throws TocsinError if a lock was not free in time
   */
  async index(): Promise<void> {
    for (;;) {
      const [lacking] = await this.database.query<Lacking>(LACKING, [Object.keys(PARTITION_DAYS)]);
      if (!lacking) return;
      await this.build(lacking);
    }
  }

  private async build({ partition, table, index, definition }: Lacking): Promise<void> {
    const name = partition + index.slice(table.length);
    // What an interrupted build has left is not used by anybody.
    const [invalid] = await this.database.query(IS_INVALID, [name]);
    const long = { timeoutMs: BUILD_TIMEOUT_MS };
    if (invalid) await this.database.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`, [], long);
    const how = definition.slice(definition.indexOf(' USING '));
    await this.database.query(`CREATE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON ${partition}${how}`, [], long);
    await this.database.transaction(async (tx) => {
      await limitWaiting(tx);
      await tx.query(`ALTER INDEX ${index} ATTACH PARTITION ${name}`);
    });
  }
}

async function limitWaiting(tx: Queryable): Promise<void> {
  await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [String(LOCK_TIMEOUT_MS)]);
}

interface Partition {
  name: string;
  until: number;
}

async function partitionsOf(tx: Queryable, table: Table): Promise<Partition[]> {
  const rows = await tx.query<{ name: string; bound: string }>(
    `SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass`,
    [table],
    { name: 'partitions list' },
  );
  return rows.map(({ name, bound }) => ({ name, until: Number(/TO \('?(\d+)'?\)/.exec(bound)?.[1] ?? Infinity) }));
}

async function makeMissing(
  tx: Queryable,
  { table, lengthMs, present }: { table: Table; lengthMs: number; present: readonly Partition[] },
  now: number,
): Promise<void> {
  const first = Math.floor((now - BEHIND_MS) / lengthMs);
  const last = Math.floor((now + AHEAD_MS) / lengthMs);
  for (let k = first; k <= last; k += 1) {
    const name = `${table}_${new Date(k * lengthMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
    if (present.some((partition) => partition.name === name)) continue;
    // Attaching a finished table takes a lock that lets reading and writing go on; CREATE … PARTITION OF would not.
    await tx.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING DEFAULTS);
      ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM (${k * lengthMs}) TO (${(k + 1) * lengthMs})`);
  }
}

/** Drops partitions that hold nothing newer. @returns since when everything is still there; 0 when nothing was dropped */
async function dropOld(tx: Queryable, present: readonly Partition[], before: number): Promise<number> {
  const old = present.filter(({ until }) => until <= before);
  for (const { name } of old) await tx.query(`DROP TABLE ${name}`);
  return Math.max(0, ...old.map(({ until }) => until));
}
