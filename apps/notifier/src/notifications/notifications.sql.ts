/** The statements of the adapter that are longer than a line. */

/** How long a claim is good without being renewed. A killed instance's sends are taken over after it. */
export const LEASE_MS = 2_000;
/** A claim that took longer than this to get is confirmed before anything is sent: it may have run out on the way. */
export const PROMPT_MS = LEASE_MS / 2;

const LEASE = `now() + ${LEASE_MS} * interval '1 millisecond'`;

export const INSERT = `
  INSERT INTO notifications (id, incident_id, monitor_id, channel_id, channel_name, kind, step, "to", event, trace,
    status, attempts, claimed_by, due_at)
  SELECT id, incident_id, monitor_id, channel_id, channel_name, kind, step, "to", event, trace,
    CASE WHEN claimed_by IS NULL THEN 'pending' ELSE 'sending' END,
    CASE WHEN claimed_by IS NULL THEN 0 ELSE 1 END,
    claimed_by,
    CASE WHEN claimed_by IS NULL THEN now() + delay_ms * interval '1 millisecond' ELSE ${LEASE} END
  FROM json_to_recordset($1) AS new(id uuid, incident_id uuid, monitor_id uuid, channel_id uuid, channel_name text,
    kind text, step integer, "to" text, event json, trace json, claimed_by text, delay_ms double precision)
  ON CONFLICT DO NOTHING
  RETURNING *`;

/**
 * Takes what is due, a few of each channel so that none crowds out the others. What must wait for an earlier one of its
 * incident is put off; so is a reminder of a channel that its monitor no longer has. A reminder of an incident that was
 * silenced meanwhile is cancelled, and so is what has waited too long for an opening that never came.
 * $1 holder, $2 limit, $3 most per channel, $4 busy channels, $5 claims that ran out by then are taken over (null: none),
 * $6 how long to put off in ms, $7 what the holder is sending, $8 how long an opening is waited for in ms
 */
export const CLAIM = `
  WITH candidates AS (
    SELECT id, row_number() OVER (PARTITION BY channel_id ORDER BY due_at) AS nth FROM notifications
    WHERE status IN ('pending', 'sending') AND due_at <= now() AND (status = 'pending' OR due_at <= $5::timestamptz)
      AND channel_id <> ALL ($4::uuid[]) AND id <> ALL ($7::uuid[])
  ), due AS (
    SELECT n.id, n.incident_id, n.channel_id, n.kind, n.rank, n.created_at FROM notifications n JOIN candidates USING (id)
    WHERE nth <= $3 AND n.status IN ('pending', 'sending') AND n.due_at <= now()
      AND (n.status = 'pending' OR n.due_at <= $5::timestamptz)
    ORDER BY n.due_at LIMIT $2 FOR UPDATE OF n SKIP LOCKED
  ), placed AS (
    SELECT due.*, due.kind NOT IN ('opened', 'test') AND NOT EXISTS (SELECT FROM notifications o
      WHERE o.incident_id = due.incident_id AND o.channel_id = due.channel_id AND o.kind = 'opened') AS orphaned
    FROM due
  ), judged AS (
    SELECT due.id,
      due.kind = 'reminder' AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = due.incident_id) AS silenced,
      orphaned AND created_at < now() - $8 * interval '1 millisecond' AS untold,
      orphaned OR due.kind = 'reminder' AND EXISTS (SELECT FROM reminded r WHERE r.incident_id = due.incident_id
        AND due.channel_id <> ALL (r.channels)) OR EXISTS (SELECT FROM notifications b WHERE b.incident_id = due.incident_id AND b.channel_id = due.channel_id
        AND b.rank < due.rank AND (b.status = 'sending' OR b.status = 'pending' AND b.kind <> 'reminder')) AS blocked
    FROM placed AS due
  )
  UPDATE notifications n SET
    status = CASE WHEN silenced OR untold THEN 'cancelled' WHEN blocked THEN 'pending' ELSE 'sending' END,
    attempts = attempts + CASE WHEN silenced OR blocked THEN 0 ELSE 1 END,
    claimed_by = CASE WHEN silenced OR blocked THEN NULL ELSE $1 END,
    answer = CASE WHEN untold THEN 'this channel was told of no opening' ELSE answer END,
    due_at = CASE WHEN silenced OR untold THEN NULL WHEN blocked THEN now() + $6 * interval '1 millisecond' ELSE ${LEASE} END
  FROM judged WHERE n.id = judged.id
  RETURNING n.*`;

export const RENEW = `
  UPDATE notifications SET due_at = ${LEASE} WHERE id = ANY ($2::uuid[]) AND status = 'sending' AND claimed_by = $1`;

export const CONFIRM = `
  UPDATE notifications SET due_at = ${LEASE}
  WHERE id = $1 AND status = 'sending' AND claimed_by = $2 AND attempts = $3
  RETURNING id`;

export const GIVE_BACK = `
  UPDATE notifications SET status = 'pending', attempts = attempts - 1, claimed_by = NULL,
    due_at = now() + $4 * interval '1 millisecond'
  WHERE id = $1 AND status = 'sending' AND claimed_by = $2 AND attempts = $3`;

/** $1 id, $2 holder, $3 attempts, $4 status, $5 answer, $6 delay in ms, $7 name, $8 to, $9 recipients */
export const SETTLE = `
  UPDATE notifications SET
    status = CASE WHEN $4 = 'pending' AND kind = 'reminder'
      AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = notifications.incident_id) THEN 'cancelled' ELSE $4 END,
    due_at = CASE WHEN $4 = 'pending' AND NOT (kind = 'reminder'
      AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = notifications.incident_id))
      THEN now() + $6 * interval '1 millisecond' END,
    answer = $5, claimed_by = NULL, channel_name = $7, "to" = $8, recipients = coalesce($9::json, recipients),
    sent_at = CASE WHEN $4 = 'sent' THEN now() END
  WHERE id = $1 AND (
    $4 = 'sent' AND status IN ('pending', 'sending')
    OR status = 'sending' AND claimed_by = $2 AND attempts = $3)
  RETURNING id`;

export const RELEASE = `
  UPDATE notifications SET due_at = now()
  WHERE incident_id = $1 AND channel_id = $2 AND rank > $3 AND status = 'pending' AND attempts = 0 AND kind <> 'reminder'`;

/** Whom an incident's reminders go to; an older revision of the monitor changes nothing. */
export const REMIND = `
  INSERT INTO reminded (incident_id, revision, channels) VALUES ($1, $2, $3)
  ON CONFLICT (incident_id) DO UPDATE SET revision = excluded.revision, channels = excluded.channels
    WHERE reminded.revision < excluded.revision`;

/** Old notifications, but no opening whose end has not come: the end looks for it. $1 days, $2 most at a time */
export const PURGE = `
  DELETE FROM notifications WHERE id IN (SELECT id FROM notifications n
    WHERE created_at < now() - $1 * interval '1 day' AND status NOT IN ('pending', 'sending')
      AND (kind <> 'opened' OR status = 'cancelled' OR EXISTS (SELECT FROM notifications e
        WHERE e.incident_id = n.incident_id AND e.channel_id = n.channel_id AND e.kind = 'resolved')
        OR EXISTS (SELECT FROM channels c WHERE c.id = n.channel_id AND c.spec IS NULL))
    ORDER BY created_at LIMIT $2)`;

export const PURGE_SILENCED = `
  WITH old AS (DELETE FROM silenced WHERE incident_id IN (SELECT incident_id FROM silenced
    WHERE at < now() - $1 * interval '1 day' ORDER BY at LIMIT $2) RETURNING incident_id)
  DELETE FROM reminded USING old WHERE reminded.incident_id = old.incident_id`;

/** The places, from 1, of those transitions in $1 of which no channel lacks its notification without having been deleted. */
export const KNOWN = `
  SELECT asked.n::integer AS n
  FROM ROWS FROM (json_to_recordset($1) AS ("incidentId" uuid, transition text, channels json))
    WITH ORDINALITY AS asked (incident_id, kind, channels, n)
  WHERE NOT EXISTS (
    SELECT FROM json_array_elements_text(asked.channels) AS channel (id)
    WHERE NOT EXISTS (SELECT FROM notifications n WHERE n.incident_id = asked.incident_id
        AND n.channel_id = channel.id::uuid AND n.kind = asked.kind AND n.step = 0)
      AND NOT EXISTS (SELECT FROM channels c WHERE c.id = channel.id::uuid AND c.spec IS NULL))`;

export const PUT_CHANNEL = `
  INSERT INTO channels (id, revision, spec) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, spec = excluded.spec
    WHERE channels.revision < excluded.revision
  RETURNING id`;
