-- What the version before this one sweeps meanwhile is swept once more, which changes nothing.
UPDATE spans p SET swept_until = least(p.until_at - 1, s.swept_until) FROM sweeps s WHERE s.monitor_id = p.monitor_id;
UPDATE spans p SET swept_until = p.until_at - 1
  WHERE NOT EXISTS (SELECT FROM sweeps s WHERE s.monitor_id = p.monitor_id) AND p.until_at IS NOT NULL;

-- What is known of a deleted monitor is forgotten long after its deletion: from now on that is its grid_since.
UPDATE monitors SET grid_since = (extract(epoch FROM now()) * 1000)::bigint WHERE deleted AND grid_since = 0;
