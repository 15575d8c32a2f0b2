-- What checks found. Partitioned by day of the due time; partitions are made ahead and dropped whole.
-- outcome: 0 ran, 1 late, 2 missed, 3 excused. verdict: 0 up, 1 down, 2 degraded; null: it did not run.
CREATE TABLE results (
  monitor_id uuid NOT NULL,
  due_at bigint NOT NULL,
  location text NOT NULL,
  attempt integer NOT NULL,
  outcome smallint NOT NULL,
  verdict smallint,
  -- Whether it is the check of a due window, which coverage and uptime count; confirmations and manual checks are not.
  counted boolean NOT NULL,
  latency_bucket smallint,
  duration_ms real,
  started_at bigint,
  reason text NOT NULL,
  message text NOT NULL,
  prober text NOT NULL,
  -- The rest of the finding.
  detail json
) PARTITION BY RANGE (due_at);
-- A result counts once, however often it is delivered.
CREATE UNIQUE INDEX results_once ON results (monitor_id, due_at, location, attempt);
-- Results arrive nearly in the order they fell due: this finds a stretch of time and costs next to nothing to keep.
CREATE INDEX results_due ON results USING brin (due_at) WITH (pages_per_range = 32);
