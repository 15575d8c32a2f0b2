import { currentDeadline, systemClock, TocsinError, within } from '@tocsin/core';
import { ReplicaOutage } from './pool/replica-outage.ts';
import { parseAddress } from './pool/address.ts';
import type { Connection, Session } from './pool/connection.ts';
import { classify, type Failure } from './pool/failures.ts';
import { Instruments } from './pool/instruments.ts';
import { Pool } from './pool/pool.ts';
import { runTransaction } from './pool/transaction.ts';
import type { DatabaseOptions, Queryable, QueryOptions, Role, Transaction, TransactionOptions } from './types.ts';
import { checkValues } from './pool/values.ts';

/** The database of one service: a pool that follows the primary, and a read side. Connects when first used. */
export class Database implements Queryable {
  readonly schema: string;
  /**
   * Reads that may be a little behind: the replica if one is configured, answers and has a connection to spare, else the
   * primary. They end with the deadline of the work that asks: nobody waits after it, and the server gives up too.
   */
  readonly read: Queryable;
  /**
   * The replica alone, where one is configured: for what is better answered late in its past than not at all while no
   * primary is to be had. A row that is missing there may exist. Ends with the deadline of the work that asks.
   */
  readonly standby: Queryable | undefined;
  private readonly primary: Pool;
  private readonly replica: Pool | undefined;
  private readonly replicaOutage = new ReplicaOutage();
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
      const replica = new Pool(sessionOf(options, options.replicaUrl), size, 'any');
      this.replica = replica;
      this.instruments.watch(replica, 'replica');
      this.standby = {
        query: (sql, params = [], o = {}) => inTime((until) => this.queryOn(replica, sql, params, { ...o, until })),
      };
    }
    this.read = { query: (sql, params, o) => inTime((until) => this.queryReplica(sql, params, { ...o, until })) };
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

  private async queryReplica<R>(sql: string, params: readonly unknown[] = [], options: ReadOptions): Promise<R[]> {
    if (this.replica === undefined || !this.replicaOutage.mayTry()) {
      return this.queryOn<R>(this.primary, sql, params, options);
    }
    try {
      const rows = await this.queryOn<R>(this.replica, sql, params, options);
      this.replicaOutage.answered();
      return rows;
    } catch (error) {
      const code = error instanceof TocsinError ? error.code : undefined;
      if (code !== 'unavailable' && code !== 'exhausted') throw error;
      // A busy replica may be asked again at once.
      if (code === 'unavailable') this.replicaOutage.failed();
      // After its deadline nobody waits for the read any more, so the primary is not asked.
      if (options.until !== undefined && systemClock.now() >= options.until) throw error;
      return this.queryOn<R>(this.primary, sql, params, options);
    }
  }

  private async queryOn<R>(pool: Pool, sql: string, params: readonly unknown[], options: ReadOptions): Promise<R[]> {
    const statement = options.name ?? 'unnamed';
    checkValues(sql, params, statement);
    const startedAt = performance.now();
    const span = this.instruments.start(statement, sql);
    let outcome = await attempt<R>(pool, sql, params, options);
    // It was refused before it ran, so running it once more is safe.
    if ('error' in outcome && outcome.kind === 'outdated') outcome = await attempt<R>(pool, sql, params, options);
    this.instruments.finish(span, statement, startedAt, 'error' in outcome ? outcome.error : undefined);
    if ('error' in outcome) throw outcome.error;
    return outcome.rows;
  }
}

/** A read, and when nobody waits for it any more (ms since the epoch). */
interface ReadOptions extends QueryOptions {
  until?: number | undefined;
}

/** Waits for a read as long as the present deadline allows. @throws TocsinError `deadline` */
async function inTime<T>(read: (until: number | undefined) => Promise<T>): Promise<T> {
  const until = currentDeadline();
  if (until === undefined) return read(until);
  const late = (): never => {
    throw new TocsinError('deadline', 'The database did not answer before the client stopped waiting.');
  };
  const leftMs = until - systemClock.now();
  return leftMs <= 0 ? late() : within(read(until), leftMs, late);
}

/** Runs one statement on one connection, and tells the pool what its failure means. */
async function attempt<R>(
  pool: Pool,
  sql: string,
  params: readonly unknown[],
  { name, until, timeoutMs: allowedMs, urgent }: ReadOptions,
): Promise<{ rows: R[] } | Failure> {
  let connection: Connection | undefined;
  try {
    connection = await pool.acquire(urgent);
    const timeoutMs = await (allowedMs === undefined
      ? connection.limitTo(until === undefined ? undefined : until - systemClock.now())
      : connection.allow(allowedMs));
    return { rows: (await connection.run<R>(sql, params, name, timeoutMs)).rows };
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
    address: parseAddress(url, options.ca),
    schema: options.schema,
    applicationName: options.applicationName,
    connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 5_000,
  };
}
