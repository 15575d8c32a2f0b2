-- What other services may read: a contract, changed only by adding a view with the next number.
CREATE VIEW states_v1 AS
  SELECT s.monitor_id, m.name, m.kind, s.state, s.since, s.reason, s.message, s.last_due_at, s.last_result_at,
         s.last_duration_ms, s.incident_id AS open_incident_id
  FROM states s JOIN monitors m USING (monitor_id);

CREATE VIEW incidents_v1 AS
  SELECT id, monitor_id, monitor_name, state, reason, message, opened_at, acknowledged_at, acknowledged_by, resolved_at,
         CASE WHEN resolved_at IS NOT NULL THEN 'resolved' WHEN acknowledged_at IS NOT NULL THEN 'acknowledged'
              ELSE 'open' END AS status
  FROM incidents;

CREATE VIEW timeline_v1 AS SELECT incident_id, n, at, what, by_whom, text FROM timeline;

-- What was due but is not counted fell into a pause, or belongs to a grid that had ended: it is shown as excused.
CREATE VIEW results_v1 AS
  SELECT monitor_id, due_at, location, attempt,
         CASE WHEN attempt = 0 AND NOT counted THEN 3::smallint ELSE outcome END AS outcome, verdict, counted, latency_bucket, duration_ms, started_at,
         reason, message, prober, detail
  FROM results;

CREATE VIEW rollups_v1 AS
  SELECT 300 AS seconds, * FROM rollups_300
  UNION ALL SELECT 3600, * FROM rollups_3600
  UNION ALL SELECT 86400, * FROM rollups_86400;

CREATE VIEW rollup_totals_v1 AS SELECT * FROM rollup_totals;
CREATE VIEW rollup_progress_v1 AS SELECT * FROM rollup_progress;
CREATE VIEW spans_v1 AS SELECT monitor_id, from_at, until_at, interval_ms, phase_ms, locations, excused FROM spans;

GRANT SELECT ON states_v1, incidents_v1, timeline_v1, results_v1, rollups_v1, rollup_totals_v1, rollup_progress_v1,
  spans_v1 TO status;
