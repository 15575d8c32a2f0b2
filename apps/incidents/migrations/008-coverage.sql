-- Only what is new: nothing here waits for those who fold and read meanwhile, nor do they wait for it.

-- Since when each level is kept (0: single results): what is older was dropped. No row: everything is there.
CREATE TABLE history_kept (seconds integer PRIMARY KEY, since bigint NOT NULL);

-- All monitors together per level, of what has a grid; kept by the database itself, see 011. The totals of five minutes
-- beside them hold heartbeats, too, and the version before this one forgets them after a week.
CREATE TABLE rollup_totals_above (
  seconds integer NOT NULL,
  bucket_at bigint NOT NULL,
  ran bigint NOT NULL,
  late bigint NOT NULL,
  missed bigint NOT NULL,
  excused bigint NOT NULL,
  PRIMARY KEY (seconds, bucket_at)
);
CREATE VIEW rollup_totals_v2 AS SELECT seconds, bucket_at, ran, late, missed, excused FROM rollup_totals_above;
GRANT SELECT ON rollup_totals_v2 TO status;

-- How the windows that have ended ended. Heartbeats have no grid, and so no windows.
CREATE VIEW ended_windows AS
  SELECT monitor_id, due_at, outcome FROM results WHERE attempt = 0 AND counted AND location <> 'push';

-- How long after its due time a window may wait for its end to be on record: its interval, the longest timeout there is
-- with it, how often the sweep looks, and twice ten seconds of grace. Fifteen seconds are for the sweep's own work.
CREATE FUNCTION settle_ms(interval_ms bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT interval_ms + greatest(interval_ms, 10000) + least(interval_ms, 60000) + 35000 $$;

-- How many windows of a grid are due in [from_ms, to_ms).
CREATE FUNCTION windows_in(interval_ms bigint, phase_ms bigint, from_ms bigint, to_ms bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT greatest(0, (to_ms - phase_ms + interval_ms - 1) / interval_ms
    - (from_ms - phase_ms + interval_ms - 1) / interval_ms) $$;

-- The part of a range that can be counted exactly: where the fine levels are no longer kept, whole buckets of the next.
CREATE FUNCTION kept_range(from_ms bigint, to_ms bigint) RETURNS int8range
  LANGUAGE plpgsql STABLE SET search_path = incidents, pg_temp AS $$
DECLARE
  kept bigint;
  lower_seconds integer := 0;
  bucket_ms bigint;
  f bigint := from_ms;
  t bigint := to_ms;
BEGIN
  FOREACH bucket_ms IN ARRAY ARRAY[300000, 3600000, 86400000]::bigint[] LOOP
    SELECT since INTO kept FROM history_kept WHERE seconds = lower_seconds;
    IF f < kept THEN f := (f + bucket_ms - 1) / bucket_ms * bucket_ms; END IF;
    IF t / bucket_ms * bucket_ms < kept THEN t := t / bucket_ms * bucket_ms; END IF;
    lower_seconds := (bucket_ms / 1000)::integer;
  END LOOP;
  SELECT since INTO kept FROM history_kept WHERE seconds = 86400;
  IF f < kept THEN f := kept; END IF;
  RETURN CASE WHEN f < t THEN int8range(f, t) ELSE int8range(t, t) END;
END $$;

-- The whole buckets of a length in these parts of time, as far as the level is complete.
CREATE FUNCTION whole_buckets(parts int8multirange, bucket_ms bigint, done_until bigint) RETURNS int8multirange
  LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(range_agg(int8range(a, b)), '{}')
  FROM (SELECT (lower(r) + bucket_ms - 1) / bucket_ms * bucket_ms AS a,
          least(upper(r), done_until) / bucket_ms * bucket_ms AS b FROM unnest(parts) AS r) AS x
  WHERE a < b $$;

-- Outcomes counted: ran, late, missed, excused.
CREATE FUNCTION add_tallies(a bigint[], b bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY[a[1] + coalesce(b[1], 0), a[2] + coalesce(b[2], 0), a[3] + coalesce(b[3], 0), a[4] + coalesce(b[4], 0)] $$;

-- Of the spans' last windows, those whose time for an answer has not passed: how many were due and have none (pending),
-- and how what is due since tail_at ended. Each result meets its span once: the planner, who knows nothing of a day
-- that has just begun, would compare every result with every span, so it is told not to.
CREATE FUNCTION lately(f bigint, t bigint, now_ms bigint, soon_ms bigint, soon_at bigint, tail_at bigint,
  OUT tallies bigint[], OUT pending bigint)
  LANGUAGE plpgsql STABLE SET search_path = incidents, pg_temp SET jit = off SET enable_nestloop = off
  SET enable_mergejoin = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  WITH young AS MATERIALIZED (
    SELECT p.monitor_id, y.since, least(p.until_at, t) AS until, settle_ms(p.interval_ms) <= soon_ms AS soon,
      cardinality(p.locations) * windows_in(p.interval_ms, p.phase_ms, y.since, least(p.until_at, t)) AS due
    FROM spans AS p
    CROSS JOIN LATERAL (SELECT greatest(p.from_at, f, now_ms - settle_ms(p.interval_ms)) AS since) AS y
    WHERE NOT p.excused AND y.since < least(p.until_at, t)
  ), counted AS (
    SELECT count(*) FILTER (WHERE r.due_at >= tail_at AND r.outcome = 0) AS ran,
      count(*) FILTER (WHERE r.due_at >= tail_at AND r.outcome = 1) AS late,
      count(*) FILTER (WHERE r.due_at >= tail_at AND r.outcome = 2) AS missed,
      count(*) FILTER (WHERE r.due_at >= tail_at AND r.outcome = 3) AS excused,
      count(y.monitor_id) AS answered
    FROM ended_windows AS r
    LEFT JOIN young AS y ON y.soon AND y.monitor_id = r.monitor_id AND r.due_at >= y.since AND r.due_at < y.until
    WHERE r.due_at >= soon_at AND r.due_at < t
  )
  SELECT ARRAY[l.ran, l.late, l.missed, l.excused], coalesce((SELECT sum(y.due) FROM young AS y), 0) - l.answered
    - coalesce((SELECT sum(x.n) FROM young AS y
       CROSS JOIN LATERAL (SELECT count(*) AS n FROM ended_windows AS r WHERE r.monitor_id = y.monitor_id
         AND r.due_at >= y.since AND r.due_at < y.until) AS x
       WHERE NOT y.soon), 0) INTO tallies, pending FROM counted AS l;
END $$;

-- How the windows of all monitors ended that were due in [from_ms, to_ms) and before now_ms. `due` and `paused` come
-- from the spans alone, the others from the rows alone: that they agree is a fact, and not how they are made. `pending`
-- are windows that have no row yet and whose time for one has not passed.
CREATE FUNCTION coverage_v1(from_ms bigint, to_ms bigint, now_ms bigint, OUT from_at bigint, OUT until_at bigint,
  OUT due bigint, OUT paused bigint, OUT ran bigint, OUT late bigint, OUT missed bigint, OUT excused bigint,
  OUT pending bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = incidents, pg_temp SET jit = off
  -- How much a range holds differs by orders of magnitude, and so does what is best.
  SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  span CONSTANT int8range := kept_range(from_ms, to_ms);
  -- An empty range has no bounds.
  f CONSTANT bigint := coalesce(lower(span), to_ms);
  t CONSTANT bigint := least(coalesce(upper(span), to_ms), now_ms);
  done CONSTANT bigint := coalesce((SELECT done_until FROM rollup_progress WHERE seconds = 300), 0);
  todo int8multirange := CASE WHEN f < t THEN int8multirange(int8range(f, t)) ELSE '{}' END;
  rolled int8multirange := '{}';
  used int8multirange;
  level integer;
  part int8range;
  sums bigint[] := '{0,0,0,0}';
  more bigint[];
  -- Most spans are settled soon: what they answered since then is read once, for what is counted and what is absent.
  soon_ms CONSTANT bigint := coalesce((SELECT max(settle_ms(p.interval_ms)) FROM spans AS p
    WHERE p.until_at IS NULL AND NOT p.excused AND settle_ms(p.interval_ms) <= 300000), 0);
  soon_at CONSTANT bigint := least(t, greatest(f, now_ms - soon_ms));
  tail_at bigint;
BEGIN
  FOREACH level IN ARRAY ARRAY[86400, 3600, 300] LOOP
    used := whole_buckets(todo, level * 1000, done);
    SELECT ARRAY[sum(ran), sum(late), sum(missed), sum(excused)] INTO more FROM unnest(used) AS u
      JOIN rollup_totals_v2 AS x ON x.seconds = level AND x.bucket_at >= lower(u) AND x.bucket_at < upper(u);
    sums := add_tallies(sums, more);
    rolled := rolled + used;
    todo := todo - used;
  END LOOP;
  SELECT coalesce(max(greatest(lower(r), soon_at)) FILTER (WHERE upper(r) = t), t) INTO tail_at FROM unnest(todo) AS r;
  IF tail_at < t THEN todo := todo - int8multirange(int8range(tail_at, t)); END IF;
  FOR part IN SELECT unnest(todo) LOOP
    SELECT ARRAY[count(*) FILTER (WHERE outcome = 0), count(*) FILTER (WHERE outcome = 1),
      count(*) FILTER (WHERE outcome = 2), count(*) FILTER (WHERE outcome = 3)] INTO more FROM ended_windows
      WHERE due_at >= lower(part) AND due_at < upper(part);
    sums := add_tallies(sums, more);
  END LOOP;
  -- What has changed since it was rolled up is taken as it is now.
  SELECT ARRAY[sum(now.tally[1] - coalesce(r.ran, 0)), sum(now.tally[2] - coalesce(r.late, 0)),
      sum(now.tally[3] - coalesce(r.missed, 0)), sum(now.tally[4] - coalesce(r.excused, 0))] INTO more
    FROM rollup_dirty AS d
    LEFT JOIN rollups_300 AS r ON r.monitor_id = d.monitor_id AND r.bucket_at = d.bucket_at
    CROSS JOIN LATERAL (SELECT ARRAY[count(*) FILTER (WHERE outcome = 0), count(*) FILTER (WHERE outcome = 1),
      count(*) FILTER (WHERE outcome = 2), count(*) FILTER (WHERE outcome = 3)] FROM ended_windows AS x WHERE x.monitor_id = d.monitor_id
      AND x.due_at >= d.bucket_at AND x.due_at < d.bucket_at + 300000) AS now (tally)
    WHERE d.seconds = 300 AND d.bucket_at <@ rolled AND d.monitor_id IN (SELECT p.monitor_id FROM spans AS p);
  sums := add_tallies(sums, more);

  SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE is_excused), 0) INTO due, paused
    FROM (SELECT p.excused AS is_excused, cardinality(p.locations)
        * windows_in(p.interval_ms, p.phase_ms, greatest(p.from_at, f), least(p.until_at, t)) AS n
      FROM spans AS p WHERE p.from_at < t AND (p.until_at IS NULL OR p.until_at > f)) AS windows;

  SELECT x.tallies, x.pending INTO more, pending FROM lately(f, t, now_ms, soon_ms, soon_at, tail_at) AS x;
  sums := add_tallies(sums, more);
  SELECT f, greatest(f, coalesce(upper(span), f)), sums[1], sums[2], sums[3], sums[4]
    INTO from_at, until_at, ran, late, missed, excused;
END $$;

-- The same of one monitor.
CREATE FUNCTION coverage_of_v1(id uuid, from_ms bigint, to_ms bigint, now_ms bigint, OUT from_at bigint,
  OUT until_at bigint, OUT due bigint, OUT paused bigint, OUT ran bigint, OUT late bigint, OUT missed bigint,
  OUT excused bigint, OUT pending bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = incidents, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  span CONSTANT int8range := kept_range(from_ms, to_ms);
  f CONSTANT bigint := coalesce(lower(span), to_ms);
  t CONSTANT bigint := least(coalesce(upper(span), to_ms), now_ms);
  -- The days in which it had a grid: what is rolled up of the others are a heartbeat's pings.
  todo int8multirange := coalesce((SELECT range_agg(int8range(p.from_at - p.from_at % 86400000,
      p.until_at + 86400000 - p.until_at % 86400000)) FROM spans AS p WHERE p.monitor_id = id), '{}')
    * CASE WHEN f < t THEN int8multirange(int8range(f, t)) ELSE '{}' END;
  used int8multirange;
  changed int8multirange;
  level integer;
  part int8range;
  sums bigint[] := '{0,0,0,0}';
  more bigint[];
BEGIN
  FOREACH level IN ARRAY ARRAY[86400, 3600, 300] LOOP
    -- A bucket that has changed since, or that holds one, is taken from what it is made of.
    SELECT coalesce(range_agg(int8range(at, at + level * 1000)), '{}') INTO changed
      FROM (SELECT bucket_at - bucket_at % (level * 1000) AS at FROM rollup_dirty
        WHERE monitor_id = id AND seconds = ANY(ARRAY[300, 3600, 86400]) AND seconds <= level
          AND bucket_at >= f - f % 86400000 AND bucket_at < t) AS d;
    used := whole_buckets(todo, level * 1000,
      coalesce((SELECT done_until FROM rollup_progress WHERE seconds = level), 0)) - changed;
    SELECT ARRAY[sum(ran), sum(late), sum(missed), sum(excused)] INTO more FROM unnest(used) AS u
      JOIN rollups_v1 AS x ON x.monitor_id = id AND x.seconds = level
        AND x.bucket_at >= lower(u) AND x.bucket_at < upper(u);
    sums := add_tallies(sums, more);
    todo := todo - used;
  END LOOP;
  FOR part IN SELECT unnest(todo) LOOP
    SELECT ARRAY[count(*) FILTER (WHERE outcome = 0), count(*) FILTER (WHERE outcome = 1),
      count(*) FILTER (WHERE outcome = 2), count(*) FILTER (WHERE outcome = 3)] INTO more FROM ended_windows
      WHERE monitor_id = id AND due_at >= lower(part) AND due_at < upper(part);
    sums := add_tallies(sums, more);
  END LOOP;

  SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE is_excused), 0) INTO due, paused
    FROM (SELECT p.excused AS is_excused, cardinality(p.locations)
        * windows_in(p.interval_ms, p.phase_ms, greatest(p.from_at, f), least(p.until_at, t)) AS n
      FROM spans AS p WHERE p.monitor_id = id AND p.from_at < t AND (p.until_at IS NULL OR p.until_at > f)) AS windows;

  SELECT coalesce(sum(y.due - x.n), 0) INTO pending
    FROM (SELECT greatest(p.from_at, f, now_ms - settle_ms(p.interval_ms)) AS since, least(p.until_at, t) AS until,
        cardinality(p.locations) * windows_in(p.interval_ms, p.phase_ms,
          greatest(p.from_at, f, now_ms - settle_ms(p.interval_ms)), least(p.until_at, t)) AS due
      FROM spans AS p WHERE p.monitor_id = id AND NOT p.excused) AS y
    CROSS JOIN LATERAL (SELECT count(*) AS n FROM ended_windows AS r WHERE r.monitor_id = id
      AND r.due_at >= y.since AND r.due_at < y.until) AS x
    WHERE y.since < y.until;
  SELECT f, greatest(f, coalesce(upper(span), f)), sums[1], sums[2], sums[3], sums[4]
    INTO from_at, until_at, ran, late, missed, excused;
END $$;

REVOKE EXECUTE ON FUNCTION lately, coverage_v1, coverage_of_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION coverage_v1, coverage_of_v1 TO status;
