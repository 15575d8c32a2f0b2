-- What is watched, where alarms go, and who may use the API. `spec` is the specification as it was accepted, with
-- secrets sealed; the columns beside it are what it is searched by.

CREATE TABLE channels (
  id uuid PRIMARY KEY,
  revision integer NOT NULL,
  spec json NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL
);

CREATE TABLE monitors (
  id uuid PRIMARY KEY,
  revision integer NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  tags text[] NOT NULL,
  channels uuid[] NOT NULL,
  paused boolean NOT NULL,
  spec json NOT NULL,
  created_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  -- since when its present grid of windows is in force
  grid_since timestamptz(3) NOT NULL
);
CREATE INDEX monitors_tags ON monitors USING gin (tags);
CREATE INDEX monitors_channels ON monitors USING gin (channels);
CREATE INDEX monitors_kind ON monitors (kind, id);
CREATE INDEX monitors_paused ON monitors (id) WHERE paused;

-- What was deleted lately, so that a message of it that arrives late in CONFIG can be corrected.
CREATE TABLE tombstones (
  kind text NOT NULL CHECK (kind IN ('monitors', 'channels')),
  id uuid NOT NULL,
  revision integer NOT NULL,
  deleted_at timestamptz(3) NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX tombstones_deleted ON tombstones (deleted_at);

CREATE TABLE tokens (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
  hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
  expires_at timestamptz(3),
  created_at timestamptz(3) NOT NULL
);

-- How many there are of each: a bound that two instances can't pass together, without counting rows.
CREATE TABLE counters (
  name text PRIMARY KEY,
  value integer NOT NULL CHECK (value >= 0)
) WITH (fillfactor = 10);
INSERT INTO counters VALUES ('monitors', 0), ('channels', 0), ('tokens', 0);

-- One row: which instance did the periodic work last, and when.
CREATE TABLE chores (
  name text PRIMARY KEY,
  done_at timestamptz(3) NOT NULL
);
INSERT INTO chores VALUES ('reconcile', '-infinity');
