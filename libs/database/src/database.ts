import { TocsinError } from '@tocsin/core';
import { parseAddress } from './address.ts';
import type { Connection, Session } from './connection.ts';
import { classify, type Failure } from './failures.ts';
import { Instruments } from './instruments.ts';
import { Pool } from './pool.ts';
import { runTransaction } from './transaction.ts';
import type { DatabaseOptions, Queryable, QueryOptions, Role, Transaction, TransactionOptions } from './types.ts';
import { checkValues } from './values.ts';

/** The database of one service: a pool that follows the primary, and a read side. Connects when first used. */
export class Database implements Queryable {
  readonly schema: string;
  /** Reads that may be a little behind: the replica if one is configured and answers, else the primary. */
  readonly read: Queryable;
  private readonly primary: Pool;
  private readonly replica: Pool | undefined;
  private readonly instruments: Instruments;

  /** @throws TocsinError `invalid` if a URL or the schema's name is not usable */
  constructor(options: DatabaseOptions) {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(options.schema)) {
      throw new TocsinError(
        'invalid',
        'The schema must be lower-case letters, digits and "_", and begin with a letter.',
      );
    }
    this.schema = options.schema;
    this.instruments = new Instruments(options.schema);
    const size = options.poolSize ?? 10;
    this.primary = new Pool(sessionOf(options, options.url), size, 'primary');
    this.instruments.watch(this.primary, 'primary');
    if (options.replicaUrl !== undefined) {
      this.replica = new Pool(sessionOf(options, options.replicaUrl), size, 'any');
      this.instruments.watch(this.replica, 'replica');
    }
    this.read = { query: (sql, params, o) => this.queryReplica(sql, params, o) };
  }

  async query<R = Record<string, unknown>>(
    sql: string,
    params: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<R[]> {
    return this.queryOn<R>(this.primary, sql, params, options);
  }

  /**
   * Runs `fn` in a transaction (read committed) on the primary. `fn` is run again, up to `attempts` times, after a
   * serialization failure, a deadlock, or a connection lost before COMMIT was sent: apart from its statements it must
   * have no effect (use `afterCommit`).
   * @throws TocsinError; `unavailable` with `details.unknown` means that the connection was lost during COMMIT: it may
   * or may not have happened, so only an idempotent caller may retry. What `fn` throws is passed on after a rollback.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return runTransaction(this.primary, this.instruments, fn, options);
  }

  /** Asks the primary how it is. @throws TocsinError `unavailable` */
  async ping(): Promise<{ role: Role; latencyMs: number }> {
    const startedAt = performance.now();
    const rows = await this.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby', [], { name: 'ping' });
    return { role: rows[0]?.standby === true ? 'standby' : 'primary', latencyMs: performance.now() - startedAt };
  }

  /** Closes what is idle, and the rest as it comes back. Never throws. */
  async close(): Promise<void> {
    await Promise.all([this.primary.close(), this.replica?.close()]);
  }

  private async queryReplica<R>(
    sql: string,
    params: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<R[]> {
    if (this.replica === undefined) return this.queryOn<R>(this.primary, sql, params, options);
    try {
      return await this.queryOn<R>(this.replica, sql, params, options);
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== 'unavailable') throw error;
      return this.queryOn<R>(this.primary, sql, params, options);
    }
  }

  private async queryOn<R>(pool: Pool, sql: string, params: readonly unknown[], options: QueryOptions): Promise<R[]> {
    const statement = options.name ?? 'unnamed';
    checkValues(sql, params, statement);
    const startedAt = performance.now();
    const span = this.instruments.start(statement, sql);
    let outcome = await attempt<R>(pool, sql, params, options.name);
    // It was refused before it ran, so running it once more is safe.
    if ('error' in outcome && outcome.kind === 'outdated') outcome = await attempt<R>(pool, sql, params, options.name);
    this.instruments.finish(span, statement, startedAt, 'error' in outcome ? outcome.error : undefined);
    if ('error' in outcome) throw outcome.error;
    return outcome.rows;
  }
}

/** Runs one statement on one connection, and tells the pool what its failure means. */
async function attempt<R>(
  pool: Pool,
  sql: string,
  params: readonly unknown[],
  name: string | undefined,
): Promise<{ rows: R[] } | Failure> {
  let connection: Connection | undefined;
  try {
    connection = await pool.acquire();
    return { rows: (await connection.run<R>(sql, params, name)).rows };
  } catch (cause) {
    const failure = classify(cause, name ?? 'unnamed');
    if (connection !== undefined) pool.heed(connection, failure.kind);
    return failure;
  } finally {
    if (connection !== undefined) pool.release(connection);
  }
}

function sessionOf(options: DatabaseOptions, url: string): Session {
  return {
    address: parseAddress(url),
    schema: options.schema,
    applicationName: options.applicationName,
    connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 5_000,
  };
}
