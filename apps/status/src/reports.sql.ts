import { OUTCOME_CODES as OUTCOME, VERDICT_CODES as VERDICT } from '@tocsin/core';
import type { Histogram, Span } from '@tocsin/core';

/** What reports read from the views of `incidents`, and how a row is taken. */

export const PROGRESS = 'SELECT seconds, done_until FROM incidents.rollup_progress_v1';

export interface RollupRow {
  bucket_at: number;
  up: number;
  down: number;
  degraded: number;
  ran: number;
  late: number;
  missed: number;
  excused: number;
  latency_sum: number;
  latency_max: number;
  histogram: Histogram;
}

export const ROLLUPS = `SELECT bucket_at, up, down, degraded, ran, late, missed, excused, latency_sum, latency_max, histogram
  FROM incidents.rollups_v1 WHERE monitor_id = $1 AND seconds = $2 AND bucket_at >= $3 AND bucket_at < $4
  ORDER BY bucket_at`;

/** Results added up, one row per latency bucket. */
export interface RawRow extends Omit<RollupRow, 'bucket_at' | 'histogram'> {
  latency_bucket: number | null;
  n: number;
}

export const RAW = `SELECT latency_bucket, count(*) AS n,
    count(*) FILTER (WHERE verdict = ${VERDICT.up}) AS up, count(*) FILTER (WHERE verdict = ${VERDICT.down}) AS down,
    count(*) FILTER (WHERE verdict = ${VERDICT.degraded}) AS degraded, count(*) FILTER (WHERE outcome = ${OUTCOME.ran}) AS ran,
    count(*) FILTER (WHERE outcome = ${OUTCOME.late}) AS late, count(*) FILTER (WHERE outcome = ${OUTCOME.missed}) AS missed,
    count(*) FILTER (WHERE outcome = ${OUTCOME.excused}) AS excused,
    coalesce(sum(duration_ms), 0) AS latency_sum, coalesce(max(duration_ms), 0) AS latency_max
  FROM incidents.results_v1
  WHERE monitor_id = $1 AND due_at >= $2 AND due_at < $3 AND attempt = 0 AND counted GROUP BY latency_bucket`;

export interface SpanRow {
  from_at: number;
  until_at: number | null;
  interval_ms: number;
  phase_ms: number;
  locations: string[];
  excused: boolean;
}

export const SPANS = `SELECT from_at, until_at, interval_ms, phase_ms, locations, excused FROM incidents.spans_v1
  WHERE monitor_id = $1 AND from_at < $3 AND (until_at IS NULL OR until_at > $2)`;

export function spanOf(row: SpanRow): Span {
  const { from_at: from, until_at: to, excused } = row;
  const grid = { intervalMs: row.interval_ms, phaseMs: row.phase_ms };
  return { from, to: to ?? undefined, grid, locations: row.locations.length, excused };
}

/** Counted by the owner in one statement, so that what was due and what became of it are seen at the same moment. */
export interface CoverageRow {
  from_at: number;
  until_at: number;
  due: number;
  /** Due in a pause: these have no rows. */
  paused: number;
  ran: number;
  late: number;
  missed: number;
  excused: number;
  pending: number;
}

/** $1 from, $2 to, $3 now. */
export const COVERAGE = 'SELECT * FROM incidents.coverage_v1($1::bigint, $2::bigint, $3::bigint)';
/** $1 the monitor, $2 from, $3 to, $4 now. */
export const COVERAGE_OF = 'SELECT * FROM incidents.coverage_of_v1($1::uuid, $2::bigint, $3::bigint, $4::bigint)';

export interface IncidentSpan {
  state: string;
  opened_at: number;
  resolved_at: number | null;
}

export const INCIDENTS = `SELECT state, opened_at, resolved_at FROM incidents.incidents_v1
  WHERE monitor_id = $1 AND opened_at < $3 AND (resolved_at IS NULL OR resolved_at > $2)`;

/** A monitor that there is or was, with each stretch of a range in which it was watched as a heartbeat. */
export interface WatchedRow {
  kind: string;
  from_at: number | null;
  until_at: number | null;
}

export const WATCHED = `SELECT m.kind, h.from_at, h.until_at FROM incidents.monitors_v1 m
  LEFT JOIN incidents.heartbeat_spans_v1 h
    ON h.monitor_id = m.monitor_id AND h.from_at < $3 AND (h.until_at IS NULL OR h.until_at > $2)
  WHERE m.monitor_id = $1`;

export function stretchOf({ opened_at, resolved_at }: IncidentSpan): { from: number; to?: number } {
  return { from: opened_at, ...(resolved_at === null ? {} : { to: resolved_at }) };
}
