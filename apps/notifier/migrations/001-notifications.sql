-- Where notifications go, as `monitors` says it in CONFIG: a projection, rebuilt from there. Secrets in `spec` are sealed.
CREATE TABLE channels (
  id uuid PRIMARY KEY,
  revision integer NOT NULL,
  -- null: the channel was deleted
  spec json
);

-- Incidents that were acknowledged or resolved: nobody is reminded of them any more.
CREATE TABLE silenced (
  incident_id uuid PRIMARY KEY,
  at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX silenced_at ON silenced (at);

-- One message about one transition of an incident to one channel.
CREATE TABLE notifications (
  id uuid PRIMARY KEY,
  -- null, like the monitor, for a test
  incident_id uuid,
  monitor_id uuid,
  channel_id uuid NOT NULL,
  channel_name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('opened', 'acknowledged', 'resolved', 'reminder', 'test')),
  step integer NOT NULL,
  -- what must be sent before what, within an incident and channel
  rank smallint GENERATED ALWAYS AS
    (CASE kind WHEN 'opened' THEN 0 WHEN 'resolved' THEN 2 ELSE 1 END) STORED,
  status text NOT NULL CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'cancelled')),
  attempts integer NOT NULL DEFAULT 0,
  "to" text NOT NULL,
  answer text,
  -- the event that it tells of; null for a test
  event json,
  trace json NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- pending: when it is sent; sending: when its claim runs out and another instance may take it; else null
  due_at timestamptz(3),
  claimed_by text,
  sent_at timestamptz(3),
  CHECK ((status IN ('pending', 'sending')) = (due_at IS NOT NULL)),
  UNIQUE (incident_id, channel_id, kind, step)
) WITH (fillfactor = 80);
CREATE INDEX notifications_due ON notifications (due_at) WHERE status IN ('pending', 'sending');
CREATE INDEX notifications_channel ON notifications (channel_id, id);
CREATE INDEX notifications_created ON notifications (created_at);

-- What others may read.
CREATE VIEW notifications_v1 AS
SELECT id, incident_id, monitor_id, channel_id, channel_name, kind, step, status, attempts, "to", answer, created_at,
  CASE status WHEN 'pending' THEN due_at END AS next_attempt_at, sent_at
FROM notifications;
GRANT SELECT ON notifications_v1 TO status;
