-- Transitions that somebody is to be notified of, until the notifier says that it has recorded them: what the stream
-- lost after it had acknowledged it is published again from here. Nearly empty at all times while every row of it lives
-- for seconds. Times are by the server's clock, as in the outbox: instances' clocks need not agree.
CREATE TABLE transitions (
  incident_id uuid NOT NULL,
  transition text NOT NULL,
  payload json NOT NULL,
  headers json NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- How often it was given to the outbox, when and under which id the last time.
  published integer NOT NULL DEFAULT 1,
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  message_id text NOT NULL,
  -- When the notifier is asked whether it knows it.
  ask_at timestamptz NOT NULL,
  PRIMARY KEY (incident_id, transition)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX transitions_ask ON transitions (ask_at);
