/** The statements of the adapter that are longer than a line. */

/** How long a claim is good without being renewed. A killed instance's sends are taken over after it. */
export const LEASE_MS = 2_000;

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
 * incident is put off, and a reminder of an incident that was silenced meanwhile is cancelled.
 * $1 holder, $2 limit, $3 most per channel, $4 busy channels, $5 whether to take over, $6 how long to put off in ms, $7 what the holder is sending
 */
export const CLAIM = `
  WITH candidates AS (
    SELECT id, row_number() OVER (PARTITION BY channel_id ORDER BY due_at) AS nth FROM notifications
    WHERE status IN ('pending', 'sending') AND due_at <= now() AND (status = 'pending' OR $5)
      AND channel_id <> ALL ($4::uuid[]) AND id <> ALL ($7::uuid[])
  ), due AS (
    SELECT n.id, n.incident_id, n.channel_id, n.kind, n.rank FROM notifications n JOIN candidates USING (id)
    WHERE nth <= $3 AND n.status IN ('pending', 'sending') AND n.due_at <= now() AND (n.status = 'pending' OR $5)
    ORDER BY n.due_at LIMIT $2 FOR UPDATE OF n SKIP LOCKED
  ), judged AS (
    SELECT due.id,
      due.kind = 'reminder' AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = due.incident_id) AS silenced,
      EXISTS (SELECT FROM notifications b WHERE b.incident_id = due.incident_id AND b.channel_id = due.channel_id
        AND b.rank < due.rank AND (b.status = 'sending' OR b.status = 'pending' AND b.kind <> 'reminder')) AS blocked
    FROM due
  )
  UPDATE notifications n SET
    status = CASE WHEN silenced THEN 'cancelled' WHEN blocked THEN 'pending' ELSE 'sending' END,
    attempts = attempts + CASE WHEN silenced OR blocked THEN 0 ELSE 1 END,
    claimed_by = CASE WHEN silenced OR blocked THEN NULL ELSE $1 END,
    due_at = CASE WHEN silenced THEN NULL WHEN blocked THEN now() + $6 * interval '1 millisecond' ELSE ${LEASE} END
  FROM judged WHERE n.id = judged.id
  RETURNING n.*`;

export const RENEW = `
  UPDATE notifications SET due_at = ${LEASE} WHERE id = ANY ($2::uuid[]) AND status = 'sending' AND claimed_by = $1`;

export const GIVE_BACK = `
  UPDATE notifications SET status = 'pending', attempts = attempts - 1, claimed_by = NULL,
    due_at = now() + $4 * interval '1 millisecond'
  WHERE id = $1 AND status = 'sending' AND claimed_by = $2 AND attempts = $3`;

/** $1 id, $2 holder, $3 attempts, $4 status, $5 answer, $6 delay in ms, $7 name, $8 to */
export const SETTLE = `
  UPDATE notifications SET
    status = CASE WHEN $4 = 'pending' AND kind = 'reminder'
      AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = notifications.incident_id) THEN 'cancelled' ELSE $4 END,
    due_at = CASE WHEN $4 = 'pending' AND NOT (kind = 'reminder'
      AND EXISTS (SELECT FROM silenced s WHERE s.incident_id = notifications.incident_id))
      THEN now() + $6 * interval '1 millisecond' END,
    answer = $5, claimed_by = NULL, channel_name = $7, "to" = $8,
    sent_at = CASE WHEN $4 = 'sent' THEN now() END
  WHERE id = $1 AND (
    $4 = 'sent' AND status IN ('pending', 'sending')
    OR status = 'sending' AND claimed_by = $2 AND attempts = $3)
  RETURNING id`;

export const RELEASE = `
  UPDATE notifications SET due_at = now()
  WHERE incident_id = $1 AND channel_id = $2 AND rank > $3 AND status = 'pending' AND attempts = 0 AND kind <> 'reminder'`;

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
