-- An outer join that is not needed is not made: counting states must not visit every monitor.
CREATE OR REPLACE VIEW states_v1 AS
  SELECT s.monitor_id, m.name, m.kind, s.state, s.since, s.reason, s.message, s.last_due_at, s.last_result_at,
         s.last_duration_ms, s.incident_id AS open_incident_id
  FROM states s LEFT JOIN monitors m USING (monitor_id);
