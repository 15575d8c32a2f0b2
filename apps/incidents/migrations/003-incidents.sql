CREATE TABLE incidents (
  id uuid PRIMARY KEY,
  monitor_id uuid NOT NULL,
  monitor_name text NOT NULL,
  state text NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  opened_at bigint NOT NULL,
  acknowledged_at bigint,
  acknowledged_by text,
  resolved_at bigint
);
-- The rule that a monitor has at most one open incident, kept by the database too.
CREATE UNIQUE INDEX incidents_open ON incidents (monitor_id) WHERE resolved_at IS NULL;
CREATE INDEX incidents_by_time ON incidents (opened_at, id);
CREATE INDEX incidents_of_monitor ON incidents (monitor_id, opened_at, id);

CREATE TABLE timeline (
  incident_id uuid NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  n bigint GENERATED ALWAYS AS IDENTITY,
  at bigint NOT NULL,
  what text NOT NULL,
  by_whom text,
  text text NOT NULL,
  PRIMARY KEY (incident_id, n)
);
