-- Roles, schemas and rights of one Tocsin database. Run by a superuser, connected to that database; safe to repeat.
-- Variables, as psql spells them:
--   psql -v database=tocsin -v monitors_password=… -v incidents_password=… -v notifier_password=… -v status_password=… -f bootstrap.sql
-- Each owner has a schema of its own name and nothing else. `status` may look into the schemas; what it may read there
-- is granted view by view in the owners' migrations. Roles belong to the whole server: never run it in two databases at once.

-- Only lengths are printed: what psql shows may end in a log.
SELECT length(set_config('tocsin.monitors_password', :'monitors_password', false)) AS monitors,
       length(set_config('tocsin.incidents_password', :'incidents_password', false)) AS incidents,
       length(set_config('tocsin.notifier_password', :'notifier_password', false)) AS notifier,
       length(set_config('tocsin.status_password', :'status_password', false)) AS status;

DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['monitors', 'incidents', 'notifier', 'status'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role_name);
    END IF;
    EXECUTE format('ALTER ROLE %I PASSWORD %L', role_name, current_setting(format('tocsin.%s_password', role_name)));
    PERFORM set_config(format('tocsin.%s_password', role_name), '', false);
  END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO monitors, incidents, notifier, status;

DO $$
DECLARE
  owner_name text;
BEGIN
  FOREACH owner_name IN ARRAY ARRAY['monitors', 'incidents', 'notifier'] LOOP
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', owner_name, owner_name);
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = %I', owner_name, current_database(), owner_name);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO status', owner_name);
  END LOOP;
  EXECUTE format('ALTER ROLE status IN DATABASE %I SET search_path = status', current_database());
END
$$;
