import { OUTCOME_CODES as OUTCOME, VERDICT_CODES as VERDICT } from '@tocsin/core';

/** Statements that compute roll-ups. Each may be repeated: it writes what the level below says now. */

export type Level = 300 | 3_600 | 86_400;

const COLUMNS = 'up, down, degraded, ran, late, missed, excused, latency_sum, latency_max, histogram';
const REPLACE = COLUMNS.split(', ')
  .map((name) => `${name} = excluded.${name}`)
  .join(', ');

const SUMS_OF_RESULTS = `count(*) FILTER (WHERE verdict = ${VERDICT.up}) AS up, count(*) FILTER (WHERE verdict = ${VERDICT.down}) AS down,
  count(*) FILTER (WHERE verdict = ${VERDICT.degraded}) AS degraded, count(*) FILTER (WHERE outcome = ${OUTCOME.ran}) AS ran,
  count(*) FILTER (WHERE outcome = ${OUTCOME.late}) AS late, count(*) FILTER (WHERE outcome = ${OUTCOME.missed}) AS missed,
  count(*) FILTER (WHERE outcome = ${OUTCOME.excused}) AS excused,
  coalesce(sum(duration_ms) FILTER (WHERE latency_bucket IS NOT NULL), 0) AS latency_sum,
  coalesce(max(duration_ms) FILTER (WHERE latency_bucket IS NOT NULL), 0) AS latency_max`;

const SUMS_OF_ROLLUPS = `sum(up) AS up, sum(down) AS down, sum(degraded) AS degraded, sum(ran) AS ran, sum(late) AS late,
  sum(missed) AS missed, sum(excused) AS excused, sum(latency_sum) AS latency_sum, max(latency_max) AS latency_max`;

/**
 * Rolls up one bucket: $1 its beginning, $2 its end, and, where `some`, only the monitors $3.
 */
export function rollUp(level: Level, some: boolean): string {
  const fromResults = level === 300;
  const time = fromResults ? 'due_at' : 'bucket_at';
  const table = fromResults ? 'results' : `rollups_${lower(level)}`;
  const only = some ? ' AND monitor_id = ANY($3::uuid[])' : '';
  const counted = fromResults ? ' AND attempt = 0 AND counted' : '';
  const buckets = fromResults
    ? 'SELECT monitor_id, latency_bucket::text AS k, count(*) AS n FROM base WHERE latency_bucket IS NOT NULL GROUP BY 1, 2'
    : 'SELECT monitor_id, e.key AS k, sum(e.value::bigint) AS n FROM base, jsonb_each_text(histogram) e GROUP BY 1, 2';
  return `WITH base AS (SELECT * FROM ${table} WHERE ${time} >= $1 AND ${time} < $2${counted}${only}),
    sums AS (SELECT monitor_id, ${fromResults ? SUMS_OF_RESULTS : SUMS_OF_ROLLUPS} FROM base GROUP BY monitor_id),
    histograms AS (SELECT monitor_id, jsonb_object_agg(k, n) AS histogram FROM (${buckets}) b GROUP BY monitor_id)
  INSERT INTO rollups_${level} (monitor_id, bucket_at, ${COLUMNS})
  SELECT monitor_id, $1::bigint, ${COLUMNS.replace('histogram', "coalesce(histogram, '{}')")}
  FROM sums LEFT JOIN histograms USING (monitor_id)
  ON CONFLICT (monitor_id, bucket_at) DO UPDATE SET ${REPLACE}`;
}

/** The level that a level is computed from. */
function lower(level: 3_600 | 86_400): Level {
  return level === 3_600 ? 300 : 3_600;
}

/** A bucket whose results stopped counting must not keep what it said. */
export function clear(level: Level): string {
  return `DELETE FROM rollups_${level} WHERE bucket_at = $1 AND monitor_id = ANY($2::uuid[])`;
}

export const TOTAL = `INSERT INTO rollup_totals (bucket_at, ran, late, missed, excused)
  SELECT $1::bigint, coalesce(sum(ran), 0), coalesce(sum(late), 0), coalesce(sum(missed), 0), coalesce(sum(excused), 0)
  FROM rollups_300 WHERE bucket_at = $1
  ON CONFLICT (bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused`;

/** Totals are kept as long as what they are made of; the two tables hold the levels of five minutes and above. */
export const FORGET_TOTALS = [
  `DELETE FROM rollup_totals t USING history_kept k WHERE k.seconds = 300 AND t.bucket_at < k.since`,
  `DELETE FROM rollup_totals_above t USING history_kept k WHERE k.seconds = t.seconds AND t.bucket_at < k.since`,
] as const;

/**
 * Marks the buckets of rows (monitor_id, due_at) to be computed again. A mark that is there already is locked, and not
 * merely left: else it could be taken before what it stands for is committed, which would then be in no roll-up for
 * good. In the order of the marks: transactions that mark the same wait for each other instead of dead-locking.
 */
export function markDirty(rows: string): string {
  return `INSERT INTO rollup_dirty (seconds, bucket_at, monitor_id)
  SELECT DISTINCT 300, due_at - due_at % 300000 AS bucket_at, monitor_id FROM ${rows} ORDER BY bucket_at, monitor_id
  ON CONFLICT (seconds, bucket_at, monitor_id) DO UPDATE SET seconds = excluded.seconds`;
}

/**
 * Takes the next bucket with something to compute again, of those that are complete. A mark that somebody holds is left
 * to a later time: what he has written can not be seen yet.
 */
export const TAKE_DIRTY = `DELETE FROM rollup_dirty d USING (
    SELECT seconds, bucket_at, monitor_id FROM rollup_dirty WHERE seconds = $1 AND bucket_at = (
      SELECT bucket_at FROM rollup_dirty WHERE seconds = $1 AND bucket_at < $2
      ORDER BY bucket_at, monitor_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    ORDER BY monitor_id LIMIT 5000 FOR UPDATE SKIP LOCKED) AS taken
  WHERE d.seconds = taken.seconds AND d.bucket_at = taken.bucket_at AND d.monitor_id = taken.monitor_id
  RETURNING d.bucket_at, d.monitor_id`;

export const DIRTY_ABOVE = `INSERT INTO rollup_dirty (seconds, bucket_at, monitor_id)
  SELECT $1, $2, unnest($3::uuid[]) ON CONFLICT DO NOTHING`;

/** Lets the index over due times skip what was written since the last time. */
export const SUMMARIZE = `SELECT brin_summarize_new_values(c.oid)
  FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid JOIN pg_class c ON c.oid = x.indexrelid
  JOIN pg_am a ON a.oid = c.relam
  WHERE i.inhparent IN ('results'::regclass, 'rollups_300'::regclass, 'rollups_3600'::regclass) AND a.amname = 'brin' AND c.relpages >= 0
    AND pg_relation_size(i.inhrelid) > 0`;
