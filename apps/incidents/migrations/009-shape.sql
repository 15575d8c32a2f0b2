-- The version before this one serves while this runs, and here it has to wait: so nothing in this file reads or writes a
-- row. Filling in is left to the next files, which lock nothing that folds need.

-- Up to where the windows of each span are accounted for; null: none yet. Each span has its own, so that windows of a
-- grid that has ended are accounted for in that grid's time, whatever came after it.
ALTER TABLE spans ADD COLUMN swept_until bigint, SET (fillfactor = 70);

-- What these indexes are for is right without them, and slower. PartitionsService builds them partition by partition
-- while everything goes on; a new partition has them from the start.
-- Windows that did not run in time are few and are asked for alone. The expression is that of the view results_v1.
CREATE INDEX results_not_ran ON ONLY results (monitor_id, due_at)
  WHERE (CASE WHEN attempt = 0 AND NOT counted THEN 3::smallint ELSE outcome END) <> 0;
-- Buckets are written nearly in the order of their time: this finds one without reading a week of all monitors.
CREATE INDEX rollups_300_at ON ONLY rollups_300 USING brin (bucket_at) WITH (pages_per_range = 16);
CREATE INDEX rollups_3600_at ON ONLY rollups_3600 USING brin (bucket_at) WITH (pages_per_range = 16);
