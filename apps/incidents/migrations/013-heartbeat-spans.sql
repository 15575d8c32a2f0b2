-- Nothing in this file reads or writes a row: filling in is left to the next one.

-- The stretches of time in which a heartbeat was watched: from the ping, or the silence, that first said how it is, to its
-- pause, its deletion or the change of its kind. Its uptime is the share of them in which it was not down.
CREATE TABLE heartbeat_spans (
  monitor_id uuid NOT NULL,
  from_at bigint NOT NULL,
  until_at bigint,
  PRIMARY KEY (monitor_id, from_at)
);
CREATE VIEW heartbeat_spans_v1 AS SELECT monitor_id, from_at, until_at FROM heartbeat_spans;
-- Every monitor that there is or was, as long as anything of it is kept. The kind of a deleted one is empty.
CREATE VIEW monitors_v1 AS SELECT monitor_id, kind, deleted FROM monitors;
GRANT SELECT ON heartbeat_spans_v1, monitors_v1 TO status;

-- Whoever writes a state, of whatever version: the stretches follow it.
CREATE FUNCTION follow_heartbeat() RETURNS trigger LANGUAGE plpgsql SET search_path = incidents, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.state IN ('up', 'down', 'degraded') THEN
    INSERT INTO heartbeat_spans (monitor_id, from_at)
      SELECT NEW.monitor_id, NEW.since FROM monitors WHERE monitor_id = NEW.monitor_id AND kind = 'heartbeat'
    ON CONFLICT (monitor_id, from_at) DO UPDATE SET until_at = NULL;
  ELSE
    UPDATE heartbeat_spans AS h SET until_at = greatest(h.from_at, CASE TG_OP WHEN 'UPDATE' THEN NEW.since ELSE
        coalesce((SELECT nullif(m.grid_since, 0) FROM monitors AS m WHERE m.monitor_id = h.monitor_id AND m.deleted),
          (extract(epoch FROM clock_timestamp()) * 1000)::bigint) END)
      WHERE h.monitor_id = OLD.monitor_id AND h.until_at IS NULL;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER follow_heartbeat AFTER UPDATE OF state ON states FOR EACH ROW
  WHEN ((OLD.state IN ('up', 'down', 'degraded')) <> (NEW.state IN ('up', 'down', 'degraded')))
  EXECUTE FUNCTION follow_heartbeat();
CREATE TRIGGER end_heartbeat AFTER DELETE ON states FOR EACH ROW EXECUTE FUNCTION follow_heartbeat();
