import { NO_RESULTS, OUTCOME_CODES } from '@tocsin/core';
import { markDirty } from '../history/rollups.sql.ts';
import type { Overdue } from './states.store.ts';

/** The statements of the hot path. Each is prepared once per connection. */

const HELD = `s.monitor_id, s.state, s.since, s.reason, s.message, s.last_due_at, s.last_result_at, s.last_duration_ms,
  s.expected_since, s.data, m.revision, m.name, m.kind, m.paused, m.grid_since, m.rules
  FROM states s JOIN monitors m USING (monitor_id)`;

/** Always in the order of the ids: two batches that share monitors wait for each other instead of dead-locking. */
export const LOCK = 'SELECT FROM states WHERE monitor_id = ANY($1::uuid[]) ORDER BY monitor_id FOR UPDATE';

/** Read once the locks are held: a statement that waits for a lock shows other tables as they were before it waited. */
export const READ_LOCKED = `SELECT ${HELD} WHERE s.monitor_id = ANY($1::uuid[])`;

const OVERDUE: Record<Overdue, string> = {
  silent: `s.silence_ms IS NOT NULL AND NOT (s.state = 'unknown' AND s.reason = '${NO_RESULTS}')
    AND greatest(s.last_result_at, s.expected_since) + s.silence_ms < $1`,
  confirmation: 's.confirm_at <= $1',
  heartbeat: 's.overdue_at < $1',
};

function lockOverdue(what: Overdue): string {
  return `SELECT ${HELD} WHERE ${OVERDUE[what]} ORDER BY s.monitor_id LIMIT $2 FOR UPDATE OF s SKIP LOCKED`;
}

export const LOCK_OVERDUE: Record<Overdue, string> = {
  silent: lockOverdue('silent'),
  confirmation: lockOverdue('confirmation'),
  heartbeat: lockOverdue('heartbeat'),
};

export const SPANS = `SELECT monitor_id AS "monitorId", from_at AS "from", until_at AS "until",
  interval_ms AS "intervalMs", phase_ms AS "phaseMs", locations, excused
  FROM spans WHERE monitor_id = ANY($1::uuid[]) ORDER BY monitor_id, from_at`;

/**
 * Results and states in one round trip. A result that is there already stays, unless it only says that the window was
 * missed, as the sweep does while a result is still on its way: what really happened wins, in whatever order it comes.
 * Results are written in the order in which the sweep writes its marks, so that the two never dead-lock.
 * Returns how many due windows ended by it, by outcome: a result that was there already is none.
 */
export const WRITE = `WITH written AS (
  INSERT INTO results AS r (monitor_id, due_at, location, attempt, outcome, verdict, counted, latency_bucket,
    duration_ms, started_at, reason, message, prober, detail)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::smallint[], $6::smallint[], $7::bool[],
    $8::smallint[], $9::real[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::json[])
    AS n (monitor_id, due_at, location, attempt)
  ORDER BY n.due_at, n.monitor_id, n.location, n.attempt
  ON CONFLICT (monitor_id, due_at, location, attempt) DO UPDATE
    SET outcome = excluded.outcome, verdict = excluded.verdict, latency_bucket = excluded.latency_bucket,
      duration_ms = excluded.duration_ms, started_at = excluded.started_at, reason = excluded.reason,
      message = excluded.message, prober = excluded.prober, detail = excluded.detail
    WHERE r.outcome = ${OUTCOME_CODES.missed} AND excluded.outcome <> ${OUTCOME_CODES.missed}
  RETURNING r.outcome, r.counted
), saved AS (
UPDATE states s SET state = n.state, since = n.since, reason = n.reason, message = n.message,
  last_due_at = n.last_due_at, last_result_at = n.last_result_at, last_duration_ms = n.last_duration_ms,
  incident_id = n.incident_id, expected_since = n.expected_since, silence_ms = n.silence_ms,
  confirm_at = n.confirm_at, overdue_at = n.overdue_at, data = n.data
FROM unnest($15::uuid[], $16::text[], $17::bigint[], $18::text[], $19::text[], $20::bigint[], $21::bigint[],
  $22::real[], $23::uuid[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[], $28::json[])
  AS n (monitor_id, state, since, reason, message, last_due_at, last_result_at, last_duration_ms, incident_id,
    expected_since, silence_ms, confirm_at, overdue_at, data)
WHERE s.monitor_id = n.monitor_id
) SELECT outcome, count(*) AS n FROM written WHERE counted GROUP BY outcome`;

/** An empty state means that the texts stay as they are: the incident was only resolved. Returns whom each is told to. */
export const SAVE_INCIDENTS = `INSERT INTO incidents AS i
    (id, monitor_id, monitor_name, state, reason, message, opened_at, resolved_at, told)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
    $9::json[])
  ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at,
    state = CASE excluded.state WHEN '' THEN i.state ELSE excluded.state END,
    reason = CASE excluded.state WHEN '' THEN i.reason ELSE excluded.reason END,
    message = CASE excluded.state WHEN '' THEN i.message ELSE excluded.message END
  RETURNING id, told`;

export const ADD_TIMELINE = `INSERT INTO timeline (incident_id, at, what, by_whom, text)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[])`;

export const MARK_DIRTY = markDirty('unnest($1::uuid[], $2::bigint[]) AS d (monitor_id, due_at)');
