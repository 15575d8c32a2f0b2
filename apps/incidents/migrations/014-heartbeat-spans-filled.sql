-- Heartbeats that there are: watched since the oldest that is known of their pings, and until now or their pause. Pauses
-- before that are not on record.
INSERT INTO heartbeat_spans (monitor_id, from_at, until_at)
  SELECT m.monitor_id, f.at, CASE WHEN s.state IN ('up', 'down', 'degraded') THEN NULL ELSE greatest(f.at, s.since) END
  FROM monitors AS m JOIN states AS s USING (monitor_id)
  CROSS JOIN LATERAL (SELECT greatest(
      (SELECT max(p.until_at) FROM spans AS p WHERE p.monitor_id = m.monitor_id),
      least((SELECT min(r.due_at) FROM results AS r WHERE r.monitor_id = m.monitor_id AND r.location = 'push'),
        (SELECT min(r.bucket_at) FROM rollups_86400 AS r WHERE r.monitor_id = m.monitor_id),
        CASE WHEN s.state IN ('up', 'down', 'degraded') THEN s.since END)) AS at) AS f
  WHERE m.kind = 'heartbeat' AND f.at IS NOT NULL
  ON CONFLICT (monitor_id, from_at) DO NOTHING;
