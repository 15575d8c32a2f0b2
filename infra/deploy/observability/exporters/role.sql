-- The role of the PostgreSQL exporter. Run by a superuser in the database of Tocsin once its services have created their
-- tables; safe to repeat. It can count outboxes and notifications, and read no message, address or answer.
--   psql -d tocsin -v ON_ERROR_STOP=1 -f role.sql

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prometheus') THEN
    CREATE ROLE prometheus LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 5;
  END IF;
END
$$;

GRANT pg_monitor TO prometheus;
GRANT CONNECT ON DATABASE tocsin TO prometheus;
GRANT USAGE ON SCHEMA monitors, incidents, notifier TO prometheus;
GRANT SELECT (lease_until) ON monitors.outbox, incidents.outbox, notifier.outbox TO prometheus;
GRANT SELECT (status, due_at) ON notifier.notifications TO prometheus;
ALTER ROLE prometheus SET statement_timeout = '5s';
