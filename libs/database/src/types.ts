/** How one statement is run. */
export interface QueryOptions {
  /**
   * Name of the prepared statement, of the span and of the metric's label. One name means one text for ever;
   * a statement whose text varies must not be named.
   */
  name?: string;
  /**
   * Longest time of the statement in ms, where it differs from the database's: for what takes long, is in nobody's way
   * and can not run in a transaction. Not heeded within one: that has its own.
   */
  timeoutMs?: number;
  /** Comes before all that wait for a connection: for what others wait for, such as the renewal of a claim. Not heeded in a transaction. */
  urgent?: boolean;
}

/** Something that runs SQL: the database itself, its read side, or a transaction. */
export interface Queryable {
  /**
   * Runs one statement and returns its rows. `bigint` and `numeric` columns arrive as numbers, `date` as text,
   * `json` parsed, `timestamptz` as Date. JSON arrays must be passed as text (`JSON.stringify`).
   * @throws TocsinError whose `retry` says whether the same statement may succeed later; `details.sqlState` and
   * `details.constraint` name what the server refused.
   */
  query<R = Record<string, unknown>>(sql: string, params?: readonly unknown[], options?: QueryOptions): Promise<R[]>;
}

/** A running transaction. It is over once the function that was given it returns. */
export interface Transaction extends Queryable {
  /** Runs `fn` once the commit is acknowledged; never when the transaction is rolled back or retried. */
  afterCommit(fn: () => void): void;
}

export interface TransactionOptions {
  /** Longest time of one attempt in ms, after which it is rolled back with `deadline`. Default 30 000. */
  timeoutMs?: number;
  /** Longest time of one statement in ms, where it differs from the database's. */
  statementTimeoutMs?: number;
  /** How often it is tried in all. Default 4. */
  attempts?: number;
}

export interface DatabaseOptions {
  /** `postgres://user:password@host1:port1,host2:port2/name?sslmode=…`; with several hosts the writable one is followed. */
  url: string;
  /** Same form; any of its hosts may answer reads. Without it reads go to the primary. */
  replicaUrl?: string | undefined;
  /** Certificates (PEM) of the authority that signed the servers' own, for `sslmode=verify-full`. Default: the public ones. */
  ca?: string | undefined;
  /** The schema that this service owns; becomes the search_path. */
  schema: string;
  /** Most connections to the primary (and, separately, to the replica). Default 10. */
  poolSize?: number;
  /** Longest time to connect to one host, and to wait for a free connection, in ms. Default 2 000. */
  connectTimeoutMs?: number;
  /** Longest time of one statement in ms. Default 5 000. */
  statementTimeoutMs?: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

export type Role = 'primary' | 'standby';
