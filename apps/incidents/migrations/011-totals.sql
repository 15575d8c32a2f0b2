-- Nobody rolls up meanwhile, so that no total changes between being filled in and being kept. Roll-ups can wait.
SELECT pg_advisory_xact_lock(hashtext('tocsin.rollups'));

-- Whoever writes a total of five minutes, of whatever version: the levels follow it.
CREATE FUNCTION add_up_totals() RETURNS trigger LANGUAGE plpgsql SET search_path = incidents, pg_temp AS $$
DECLARE
  hour_at CONSTANT bigint := NEW.bucket_at - NEW.bucket_at % 3600000;
  day_at CONSTANT bigint := NEW.bucket_at - NEW.bucket_at % 86400000;
BEGIN
  INSERT INTO rollup_totals_above
    SELECT 300, NEW.bucket_at, coalesce(sum(ran), 0), coalesce(sum(late), 0), coalesce(sum(missed), 0),
      coalesce(sum(excused), 0)
    FROM rollups_300 AS r WHERE r.bucket_at = NEW.bucket_at AND r.monitor_id IN (SELECT monitor_id FROM spans)
  ON CONFLICT (seconds, bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused;
  INSERT INTO rollup_totals_above SELECT 3600, hour_at, sum(ran), sum(late), sum(missed), sum(excused)
    FROM rollup_totals_above WHERE seconds = 300 AND bucket_at >= hour_at AND bucket_at < hour_at + 3600000
  ON CONFLICT (seconds, bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused;
  INSERT INTO rollup_totals_above SELECT 86400, day_at, sum(ran), sum(late), sum(missed), sum(excused)
    FROM rollup_totals_above WHERE seconds = 3600 AND bucket_at >= day_at AND bucket_at < day_at + 86400000
  ON CONFLICT (seconds, bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused;
  RETURN NULL;
END $$;
CREATE TRIGGER rollup_totals_above AFTER INSERT OR UPDATE ON rollup_totals
  FOR EACH ROW EXECUTE FUNCTION add_up_totals();

-- Each level from the one below, as the trigger has it; and where that is no longer kept, from the level's own roll-ups.
INSERT INTO rollup_totals_above SELECT 300, bucket_at, sum(ran), sum(late), sum(missed), sum(excused)
  FROM rollups_300 WHERE monitor_id IN (SELECT monitor_id FROM spans) GROUP BY bucket_at;
INSERT INTO rollup_totals_above
  SELECT 3600, bucket_at - bucket_at % 3600000, sum(ran), sum(late), sum(missed), sum(excused)
  FROM rollup_totals_above WHERE seconds = 300 GROUP BY 2;
INSERT INTO rollup_totals_above SELECT 3600, bucket_at, sum(ran), sum(late), sum(missed), sum(excused)
  FROM rollups_3600 WHERE monitor_id IN (SELECT monitor_id FROM spans)
    AND bucket_at <= coalesce((SELECT min(bucket_at) FROM rollup_totals_above WHERE seconds = 3600), bucket_at)
  GROUP BY bucket_at
  ON CONFLICT (seconds, bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused;
INSERT INTO rollup_totals_above
  SELECT 86400, bucket_at - bucket_at % 86400000, sum(ran), sum(late), sum(missed), sum(excused)
  FROM rollup_totals_above WHERE seconds = 3600 GROUP BY 2;
INSERT INTO rollup_totals_above SELECT 86400, bucket_at, sum(ran), sum(late), sum(missed), sum(excused)
  FROM rollups_86400 WHERE monitor_id IN (SELECT monitor_id FROM spans)
    AND bucket_at <= coalesce((SELECT min(bucket_at) FROM rollup_totals_above WHERE seconds = 86400), bucket_at)
  GROUP BY bucket_at
  ON CONFLICT (seconds, bucket_at) DO UPDATE SET ran = excluded.ran, late = excluded.late, missed = excluded.missed,
    excused = excluded.excused;
