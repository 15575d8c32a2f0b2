import { Injectable } from '@nestjs/common';
import { NO_RESULTS, OUTCOME_CODES } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { markDirty } from '../history/rollups.sql.ts';
import { SWEEP_GRACE_MS } from '../monitors/monitors.store.ts';

/** Most windows of one monitor that are accounted for in one go after a long time; the rest follows at once. */
const WINDOWS_MAX = 100;
/** How often a monitor is looked at: once an interval, and beside long ones this often. See `settleMs` in core. */
const LOOK_MS = 60_000;
/** Whether no window of a monitor falls due any more: it was deleted, or became a heartbeat. */
const IS_OVER = 'NOT EXISTS (SELECT FROM spans x WHERE x.monitor_id = d.monitor_id AND x.until_at IS NULL)';

/**
 * By how much heartbeats are judged later than they are overdue: the pings that a killed instance held have come to another
 * by then.
 */
export const PINGS_MS = 3_000;

const DUE = `SELECT
  EXISTS (SELECT FROM states WHERE silence_ms IS NOT NULL AND NOT (state = 'unknown' AND reason = '${NO_RESULTS}')
    AND greatest(last_result_at, expected_since) + silence_ms < $1) AS silent,
  EXISTS (SELECT FROM states WHERE confirm_at <= $1) AS confirmations,
  EXISTS (SELECT FROM states WHERE overdue_at < $1 - ${PINGS_MS}) AS heartbeats,
  EXISTS (SELECT FROM sweeps WHERE next_at <= $1) AS windows`;

/** Monitors that are to be looked at, held for this transaction: their spans can not change meanwhile. */
const CLAIM = `SELECT monitor_id, timeout_ms FROM sweeps WHERE next_at <= $1 ORDER BY next_at LIMIT $2
  FOR UPDATE SKIP LOCKED`;

/**
 * Accounts for the windows of the claimed monitors: what has no result by now is missed. Each span is accounted for in
 * the time of its own grid, so that neither a change nor a deletion leaves windows behind. One statement, whatever the
 * number of monitors; the unique index decides what has a result. In the order in which results are written (see
 * `WRITE`): the two wait for each other instead of dead-locking when both have much to catch up with.
 */
const MARK_MISSED = `WITH due AS (SELECT * FROM unnest($3::uuid[], $4::bigint[]) AS n (monitor_id, timeout_ms)
), open AS (
  SELECT p.monitor_id, p.from_at, p.until_at, p.interval_ms, p.phase_ms, p.locations,
    greatest(p.swept_until + 1, p.from_at) AS since,
    least(p.until_at - 1, $1 - p.interval_ms - d.timeout_ms - ${SWEEP_GRACE_MS}) AS settled
  FROM due d JOIN spans p ON p.monitor_id = d.monitor_id AND NOT p.excused
    AND (p.until_at IS NULL OR coalesce(p.swept_until, p.from_at - 1) < p.until_at - 1)
), part AS (
  SELECT *, least(settled, since + ${WINDOWS_MAX} * interval_ms) AS horizon FROM open
), swept AS (
  UPDATE spans s SET swept_until = p.horizon FROM part p
  WHERE s.monitor_id = p.monitor_id AND s.from_at = p.from_at AND p.horizon >= p.since
), rest AS (
  SELECT monitor_id, bool_or(horizon < settled) AS behind, min(interval_ms) AS interval_ms,
    bool_and(until_at IS NOT NULL AND horizon >= until_at - 1) AS done
  FROM part GROUP BY monitor_id
), moved AS (
  UPDATE sweeps s SET next_at = CASE WHEN r.behind THEN $1
    ELSE $1 + least(coalesce(r.interval_ms, s.interval_ms), ${LOOK_MS}) + ${SWEEP_GRACE_MS} END
  FROM due d LEFT JOIN rest r ON r.monitor_id = d.monitor_id
  WHERE s.monitor_id = d.monitor_id AND NOT (coalesce(r.done, true) AND ${IS_OVER})
), ended AS (
  DELETE FROM sweeps s USING due d LEFT JOIN rest r ON r.monitor_id = d.monitor_id
  WHERE s.monitor_id = d.monitor_id AND coalesce(r.done, true) AND ${IS_OVER}
), windows AS (
  SELECT p.monitor_id, w.due_at, l.location
  FROM part p
  CROSS JOIN LATERAL generate_series(
    p.phase_ms + (p.since - p.phase_ms + p.interval_ms - 1) / p.interval_ms * p.interval_ms, p.horizon, p.interval_ms
  ) AS w (due_at)
  CROSS JOIN LATERAL unnest(p.locations) AS l (location)
), missed AS (
  INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, started_at, reason, message, prober)
  SELECT monitor_id, due_at, location, 0, ${OUTCOME_CODES.missed}, true, $1, 'missed', 'Nobody answered for this window', '' FROM windows
  WHERE due_at > $1 - $2::bigint
  ORDER BY due_at, monitor_id, location
  ON CONFLICT DO NOTHING RETURNING monitor_id, due_at
), dirty AS (
  ${markDirty('missed')}
)
SELECT count(*) AS missed FROM missed`;

const FRESHNESS = `SELECT EXISTS (SELECT FROM states WHERE silence_ms IS NOT NULL) AS probed,
  EXISTS (SELECT FROM states WHERE silence_ms IS NOT NULL
    AND greatest(last_result_at, expected_since) + silence_ms >= $1) AS fresh`;

/** Windows older than this have no partition to be recorded in. */
const OLDEST_MS = 7 * 86_400_000;

const DAY_MS = 86_400_000;
const UNACCOUNTED = `SELECT due - paused - ran - late - missed - excused - pending AS n
  FROM coverage_v1($1::bigint, $2::bigint, $2::bigint)`;

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
    return this.database.transaction(async (tx) => {
      type Claimed = { monitor_id: string; timeout_ms: number };
      const claimed = await tx.query<Claimed>(CLAIM, [now, limit], { name: 'sweep claim' });
      if (claimed.length === 0) return { missed: 0, looked: 0 };
      const params = [now, OLDEST_MS, claimed.map((row) => row.monitor_id), claimed.map((row) => row.timeout_ms)];
      const [row] = await tx.query<{ missed: number }>(MARK_MISSED, params, { name: 'sweep windows' });
      return { missed: row?.missed ?? 0, looked: claimed.length };
    });
  }

  /** Windows of the last day that were due but of whose end nothing is recorded, although its time has passed. */
  async unaccounted(now: number): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(UNACCOUNTED, [now - DAY_MS, now], { name: 'unaccounted' });
    return row?.n ?? 0;
  }

  /** Whether any monitor is probed, and whether any of those was heard of in its time. It ends at the first one found. */
  async freshness(now: number): Promise<{ probed: boolean; fresh: boolean }> {
    const [row] = await this.database.query<{ probed: boolean; fresh: boolean }>(FRESHNESS, [now], {
      name: 'freshness',
    });
    return row ?? { probed: false, fresh: false };
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
