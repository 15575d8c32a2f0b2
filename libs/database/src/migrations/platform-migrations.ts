/** One forward step of a schema. */
export interface Migration {
  /** `NNN-name`, unique and ascending among the migrations it is applied with. */
  name: string;
  sql: string;
}

/**
 * The tables that every owner of a schema has, applied before its own migrations. Text and not files, so that a
 * bundled service carries them.
 *
 * `outbox` is nearly empty at all times while every row of it lives for milliseconds, so it is vacuumed early and
 * its rows are never updated on the usual path.
 */
export const platformMigrations: readonly Migration[] = [
  {
    name: 'platform-001-outbox',
    sql: `
      CREATE TABLE outbox (
        id text PRIMARY KEY,
        subject text NOT NULL,
        payload json NOT NULL,
        headers json NOT NULL,
        lease_until timestamptz NOT NULL
      ) WITH (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 2000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000
      );
      CREATE INDEX outbox_lease ON outbox (lease_until);
    `,
  },
  {
    name: 'platform-002-operations',
    sql: `
      CREATE TABLE operations (
        key text PRIMARY KEY,
        request_hash text NOT NULL,
        result json,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX operations_created ON operations (created_at);
    `,
  },
  {
    // Identifiers sort by time, so that they are also what a page, a range of time and the purge go by.
    name: 'platform-003-changes',
    sql: `
      CREATE TABLE changes (
        id uuid PRIMARY KEY,
        at timestamptz(3) NOT NULL,
        operation_id text,
        token_id uuid,
        token_name text,
        route text,
        kind text NOT NULL,
        resource_id uuid,
        revision integer,
        fields text[],
        code text
      );
      CREATE INDEX changes_resource ON changes (resource_id, id);
      CREATE INDEX changes_token ON changes (token_id, id);
    `,
  },
];
