-- Counts and latency histograms of counted results per stretch of time, computed in the background.
CREATE TABLE rollups_300 (
  monitor_id uuid NOT NULL,
  bucket_at bigint NOT NULL,
  up integer NOT NULL,
  down integer NOT NULL,
  degraded integer NOT NULL,
  ran integer NOT NULL,
  late integer NOT NULL,
  missed integer NOT NULL,
  excused integer NOT NULL,
  latency_sum double precision NOT NULL,
  latency_max real NOT NULL,
  -- Latency bucket → count; see latencyBucket in core.
  histogram jsonb NOT NULL,
  PRIMARY KEY (monitor_id, bucket_at)
) PARTITION BY RANGE (bucket_at);
CREATE TABLE rollups_3600 (
  monitor_id uuid NOT NULL,
  bucket_at bigint NOT NULL,
  up integer NOT NULL,
  down integer NOT NULL,
  degraded integer NOT NULL,
  ran integer NOT NULL,
  late integer NOT NULL,
  missed integer NOT NULL,
  excused integer NOT NULL,
  latency_sum double precision NOT NULL,
  latency_max real NOT NULL,
  histogram jsonb NOT NULL,
  PRIMARY KEY (monitor_id, bucket_at)
) PARTITION BY RANGE (bucket_at);
CREATE TABLE rollups_86400 (
  monitor_id uuid NOT NULL,
  bucket_at bigint NOT NULL,
  up integer NOT NULL,
  down integer NOT NULL,
  degraded integer NOT NULL,
  ran integer NOT NULL,
  late integer NOT NULL,
  missed integer NOT NULL,
  excused integer NOT NULL,
  latency_sum double precision NOT NULL,
  latency_max real NOT NULL,
  histogram jsonb NOT NULL,
  PRIMARY KEY (monitor_id, bucket_at)
) PARTITION BY RANGE (bucket_at);

-- All monitors together, per five minutes: a summary must not add up every monitor.
CREATE TABLE rollup_totals (
  bucket_at bigint PRIMARY KEY,
  ran bigint NOT NULL,
  late bigint NOT NULL,
  missed bigint NOT NULL,
  excused bigint NOT NULL
);

-- Up to where each level is complete, and what before that has changed since.
CREATE TABLE rollup_progress (seconds integer PRIMARY KEY, done_until bigint NOT NULL);
CREATE TABLE rollup_dirty (
  seconds integer NOT NULL,
  bucket_at bigint NOT NULL,
  monitor_id uuid NOT NULL,
  PRIMARY KEY (seconds, bucket_at, monitor_id)
);
