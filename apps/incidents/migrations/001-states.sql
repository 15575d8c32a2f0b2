-- Times are milliseconds since the epoch, as in every message: nothing is converted on the hot path.

-- The monitors as CONFIG tells of them. A deleted one stays, without its specification, so that an older revision that
-- arrives late is known to be old, and its results known to belong to nobody.
CREATE TABLE monitors (
  monitor_id uuid PRIMARY KEY,
  revision integer NOT NULL,
  deleted boolean NOT NULL DEFAULT false,
  name text NOT NULL,
  kind text NOT NULL,
  paused boolean NOT NULL,
  grid_since bigint NOT NULL,
  -- What deciding needs of the specification, ready to use.
  rules json NOT NULL,
  spec json
);

-- One row per monitor, locked while results are folded into it. Only the indexes below may exist: an update that
-- touches none of their columns stays on its page (HOT), which is what the spare room is for.
CREATE TABLE states (
  monitor_id uuid PRIMARY KEY,
  state text NOT NULL,
  since bigint NOT NULL,
  reason text NOT NULL,
  message text NOT NULL,
  last_due_at bigint,
  last_result_at bigint,
  last_duration_ms real,
  incident_id uuid,
  -- When results were first expected, and how long none may come; null: no results are expected (paused, heartbeats).
  expected_since bigint NOT NULL,
  silence_ms bigint,
  -- When somebody must look at it although no result came: a confirmation or a heartbeat that is overdue.
  confirm_at bigint,
  overdue_at bigint,
  -- What each location said, the open incident's worst state, the heartbeat's schedule.
  data json NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX states_by_state ON states (state, monitor_id);
CREATE INDEX states_confirm ON states (confirm_at) WHERE confirm_at IS NOT NULL;
CREATE INDEX states_overdue ON states (overdue_at) WHERE overdue_at IS NOT NULL;

-- The spans of time in which a monitor's windows were due on one grid, or excused while it was paused: from them any
-- window can be counted without a row of its own. `until_at` is exclusive, and null for the present one.
CREATE TABLE spans (
  monitor_id uuid NOT NULL,
  from_at bigint NOT NULL,
  until_at bigint,
  interval_ms bigint NOT NULL,
  phase_ms bigint NOT NULL,
  locations text[] NOT NULL,
  excused boolean NOT NULL,
  PRIMARY KEY (monitor_id, from_at)
);

-- Up to where each monitor's windows are accounted for, and when to look again.
CREATE TABLE sweeps (
  monitor_id uuid PRIMARY KEY,
  swept_until bigint NOT NULL,
  next_at bigint NOT NULL,
  interval_ms bigint NOT NULL,
  timeout_ms bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX sweeps_next ON sweeps (next_at);
