import { Injectable } from '@nestjs/common';
import { NO_RESULTS } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { SWEEP_GRACE_MS } from '../monitors/monitors.store.ts';

/** Most windows of one monitor that are accounted for in one go after a long time; the rest follows at once. */
const WINDOWS_MAX = 100;

const DUE = `SELECT
  EXISTS (SELECT FROM states WHERE silence_ms IS NOT NULL AND NOT (state = 'unknown' AND reason = '${NO_RESULTS}')
    AND greatest(last_result_at, expected_since) + silence_ms < $1) AS silent,
  EXISTS (SELECT FROM states WHERE confirm_at <= $1) AS confirmations,
  EXISTS (SELECT FROM states WHERE overdue_at < $1) AS heartbeats,
  EXISTS (SELECT FROM sweeps WHERE next_at <= $1) AS windows`;

/**
 * Accounts for the windows of monitors that were not looked at for an interval: what has no result by now is missed.
 * One statement, whatever the number of monitors; the unique index decides what has a result.
 */
const MARK_MISSED = `WITH due AS (
  SELECT monitor_id, swept_until, interval_ms,
    greatest(swept_until, least($1 - interval_ms - timeout_ms - ${SWEEP_GRACE_MS}, swept_until + ${WINDOWS_MAX} * interval_ms)) AS horizon,
    $1 - interval_ms - timeout_ms - ${SWEEP_GRACE_MS} > swept_until + ${WINDOWS_MAX} * interval_ms AS behind
  FROM sweeps WHERE next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
), moved AS (
  UPDATE sweeps s SET swept_until = d.horizon,
    next_at = CASE WHEN d.behind THEN $1 ELSE $1 + d.interval_ms + ${SWEEP_GRACE_MS} END
  FROM due d WHERE s.monitor_id = d.monitor_id
), windows AS (
  SELECT d.monitor_id, w.due_at, l.location
  FROM due d
  JOIN spans p ON p.monitor_id = d.monitor_id AND NOT p.excused
    AND p.from_at <= d.horizon AND (p.until_at IS NULL OR p.until_at > d.swept_until + 1)
  CROSS JOIN LATERAL generate_series(
    p.phase_ms + (greatest(d.swept_until + 1, p.from_at) - p.phase_ms + p.interval_ms - 1) / p.interval_ms * p.interval_ms,
    least(d.horizon, p.until_at - 1), p.interval_ms) AS w (due_at)
  CROSS JOIN LATERAL unnest(p.locations) AS l (location)
), missed AS (
  INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, reason, message, prober)
  SELECT monitor_id, due_at, location, 0, 2, true, 'missed', 'Nobody answered for this window', '' FROM windows
  WHERE due_at > $1 - $3::bigint
  ON CONFLICT DO NOTHING RETURNING monitor_id, due_at
), dirty AS (
  INSERT INTO rollup_dirty (seconds, bucket_at, monitor_id)
  SELECT DISTINCT 300, due_at - due_at % 300000, monitor_id FROM missed ON CONFLICT DO NOTHING
)
SELECT (SELECT count(*) FROM missed) AS missed, (SELECT count(*) FROM due) AS looked`;

/** Windows older than this have no partition to be recorded in. */
const OLDEST_MS = 7 * 86_400_000;

/** What the sweep asks of the record. */
@Injectable()
export class SweepStore {
  constructor(private readonly database: Database) {}

  /** Whether there is anything to do: one cheap statement for the many rounds in which there is not. */
  async due(now: number): Promise<{ silent: boolean; confirmations: boolean; heartbeats: boolean; windows: boolean }> {
    type Due = Awaited<ReturnType<SweepStore['due']>>;
    const [row] = await this.database.query<Due>(DUE, [now], { name: 'sweep due' });
    return row ?? { silent: false, confirmations: false, heartbeats: false, windows: false };
  }

  /** Marks unanswered windows of up to `limit` monitors as missed. @returns how many windows, of how many monitors */
  async markMissed(now: number, limit: number): Promise<{ missed: number; looked: number }> {
    type Marked = { missed: number; looked: number };
    const [row] = await this.database.query<Marked>(MARK_MISSED, [now, limit, OLDEST_MS], { name: 'sweep windows' });
    return row ?? { missed: 0, looked: 0 };
  }

  async gauges(): Promise<{ states: Map<string, number>; openIncidents: number }> {
    const rows = await this.database.query<{ state: string; n: number }>(
      'SELECT state, count(*) AS n FROM states GROUP BY state',
      [],
      { name: 'states gauge' },
    );
    const [open] = await this.database.query<{ n: number }>(
      'SELECT count(*) AS n FROM incidents WHERE resolved_at IS NULL',
      [],
      { name: 'incidents gauge' },
    );
    return { states: new Map(rows.map(({ state, n }) => [state, n])), openIncidents: open?.n ?? 0 };
  }
}
