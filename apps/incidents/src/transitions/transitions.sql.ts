/** A transition was just published when it is kept: the notifier is asked once it has had time to take it. */
const FIRST_ASK_MS = 3_000;

const IN = (ms: string | number): string => `clock_timestamp() + ${ms} * interval '1 millisecond'`;

/** An opening that was published again, for channels that were added, takes the place of the one that waits. */
export const KEEP = `INSERT INTO transitions AS t (incident_id, transition, payload, headers, message_id, ask_at)
  SELECT n.*, ${IN(FIRST_ASK_MS)}
  FROM unnest($1::uuid[], $2::text[], $3::json[], $4::json[], $5::text[]) AS n
  ON CONFLICT (incident_id, transition) DO UPDATE SET payload = excluded.payload, headers = excluded.headers,
    message_id = excluded.message_id, published_at = excluded.published_at, ask_at = excluded.ask_at`;

/** $1 limit, $2 how long they are this instance's, in ms. One index look-up while nothing is due. */
export const CLAIM = `UPDATE transitions t SET ask_at = ${IN('$2')}
  FROM (SELECT incident_id AS id, transition AS name FROM transitions WHERE ask_at <= clock_timestamp()
        ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
  WHERE t.incident_id = due.id AND t.transition = due.name
  RETURNING t.payload, t.headers, t.published,
    t.message_id AS "messageId",
    extract(epoch FROM clock_timestamp() - t.published_at)::float8 * 1000 AS age_ms,
    EXISTS (SELECT FROM outbox o WHERE o.id = t.message_id) AS in_outbox`;

/** One that was published again since it was asked about stays. */
export const FORGET = `DELETE FROM transitions t USING unnest($1::uuid[], $2::text[], $3::text[])
    AS n (incident_id, transition, message_id)
  WHERE t.incident_id = n.incident_id AND t.transition = n.transition AND t.message_id = n.message_id`;

/** Whoever published it again meanwhile has moved its count on: then it is left alone. */
export const AGAIN = `UPDATE transitions t SET published = t.published + 1, published_at = clock_timestamp(),
    message_id = n.message_id, ask_at = ${IN('n.pause_ms')}
  FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[])
    AS n (incident_id, transition, published, message_id, pause_ms)
  WHERE t.incident_id = n.incident_id AND t.transition = n.transition AND t.published = n.published
  RETURNING t.message_id`;

export const HURRY = 'UPDATE transitions SET ask_at = clock_timestamp() WHERE ask_at > clock_timestamp()';
