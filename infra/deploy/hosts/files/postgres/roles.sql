-- Roles of the operation itself. Run by the superuser in the database `repmgr`, once.

-- No superuser: repmgr gets what it asks for by name. It may replicate, and pg_rewind may read files through it, so it can
-- read everything that the server can; it can't write data, make roles or run programs.
CREATE ROLE repmgr LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'repmgr_password';
GRANT pg_monitor, pg_checkpoint TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO repmgr;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO repmgr;

REVOKE ALL ON DATABASE repmgr FROM PUBLIC;
GRANT CONNECT ON DATABASE repmgr TO repmgr;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
-- An extension is made by a superuser; its tables and functions are then handed over.
CREATE EXTENSION repmgr;
GRANT ALL ON SCHEMA repmgr TO repmgr;
GRANT ALL ON ALL TABLES IN SCHEMA repmgr TO repmgr;
GRANT ALL ON ALL SEQUENCES IN SCHEMA repmgr TO repmgr;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA repmgr TO repmgr;

-- Takes base backups, by the socket only: it has no password.
CREATE ROLE backup LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE;

-- For the exporter of figures on each host, by the socket only: it has no password either. It reads statistics and no table;
-- what it may count in the tables of sub-services is granted by infra/deploy/observability/exporters/role.sql, when they exist.
CREATE ROLE prometheus LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 5;
GRANT pg_monitor TO prometheus;
GRANT CONNECT ON DATABASE tocsin TO prometheus;
ALTER ROLE prometheus SET statement_timeout = '5s';
