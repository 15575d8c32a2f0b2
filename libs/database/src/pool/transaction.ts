import { Logger } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import { sleep, TocsinError } from '@tocsin/core';
import type { Connection } from './connection.ts';
import { classify, type Failure } from './failures.ts';
import type { Instruments } from './instruments.ts';
import type { Pool } from './pool.ts';
import type { QueryOptions, Transaction, TransactionOptions } from '../types.ts';
import { checkValues } from './values.ts';

const ATTEMPTS = 4;
const TIMEOUT_MS = 30_000;
const BACKOFF_MS = 20;

/** Runs `fn` in a transaction, again where that is safe. See Database.transaction. */
export async function runTransaction<T>(
  pool: Pool,
  instruments: Instruments,
  fn: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const span = instruments.start('transaction');
  const inSpan = span === undefined ? context.active() : trace.setSpan(context.active(), span);
  const attempts = options.attempts ?? ATTEMPTS;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await context.with(inSpan, () => new Attempt(pool, instruments, options).run(fn));
    if ('value' in outcome) {
      instruments.end(span);
      return outcome.value;
    }
    if (!outcome.again || attempt >= attempts) {
      const { error } = outcome;
      instruments.end(span, error instanceof TocsinError ? error : undefined);
      throw error;
    }
    await sleep(BACKOFF_MS * 2 ** attempt * (0.5 + Math.random()));
  }
}

type AttemptOutcome<T> = { value: T } | { error: unknown; again: boolean };

/** One attempt on one connection. */
class Attempt implements Transaction {
  private readonly committed: (() => void)[] = [];
  private connection: Connection | undefined;
  /** The first failure of a statement: it decides what happens, whatever `fn` makes of it. */
  private failure: Failure | undefined;
  private readonly expiry = new AbortController();
  private over = false;
  private readonly timeoutMs: number;

  constructor(
    private readonly pool: Pool,
    private readonly instruments: Instruments,
    private readonly options: TransactionOptions,
  ) {
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  async run<T>(fn: (tx: Transaction) => Promise<T>): Promise<AttemptOutcome<T>> {
    try {
      this.connection = await this.pool.acquire();
    } catch (cause) {
      const { kind, error } = classify(cause, 'connect');
      return { error, again: kind === 'connection' };
    }
    const timer = setTimeout(() => this.expire(), this.timeoutMs);
    try {
      return await this.runOn(this.connection, fn);
    } finally {
      clearTimeout(timer);
      this.over = true;
      if (this.failure !== undefined) this.pool.heed(this.connection, this.failure.kind);
      this.pool.release(this.connection);
    }
  }

  async query<R = Record<string, unknown>>(
    sql: string,
    params: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<R[]> {
    const { connection } = this;
    if (connection === undefined || this.over) {
      throw new TocsinError(
        'internal',
        'A transaction was used after it ended; await every query inside its function.',
      );
    }
    const statement = options.name ?? 'unnamed';
    checkValues(sql, params, statement);
    const startedAt = performance.now();
    const span = this.instruments.start(statement, sql);
    try {
      const { rows } = await connection.run<R>(sql, params, options.name, this.options.statementTimeoutMs);
      this.instruments.finish(span, statement, startedAt);
      return rows;
    } catch (cause) {
      const failure = classify(cause, statement);
      this.failure ??= failure;
      this.instruments.finish(span, statement, startedAt, failure.error);
      throw failure.error;
    }
  }

  afterCommit(fn: () => void): void {
    this.committed.push(fn);
  }

  private async runOn<T>(connection: Connection, fn: (tx: Transaction) => Promise<T>): Promise<AttemptOutcome<T>> {
    let value: T;
    try {
      await this.begin(connection);
      value = await Promise.race([fn(this), this.expired()]);
    } catch (cause) {
      return this.abandon(connection, cause);
    }
    if (this.failure !== undefined) return this.abandon(connection, this.failure.error);
    const refused = await this.commit(connection);
    if (refused !== undefined) return { error: refused, again: false };
    this.committed.forEach(runQuietly);
    return { value };
  }

  private async begin(connection: Connection): Promise<void> {
    try {
      await connection.limitTo();
      await connection.run('BEGIN');
      const { statementTimeoutMs } = this.options;
      if (statementTimeoutMs !== undefined) {
        await connection.run(`SET LOCAL statement_timeout = ${Math.ceil(statementTimeoutMs)}`);
      }
    } catch (cause) {
      this.failure = classify(cause, 'BEGIN');
      throw this.failure.error;
    }
  }

  private async abandon(connection: Connection, cause: unknown): Promise<AttemptOutcome<never>> {
    if (!connection.broken) await connection.run('ROLLBACK').catch(() => connection.destroy());
    if (this.expiry.signal.aborted) return { error: this.tooLong(), again: false };
    const again = this.failure !== undefined && this.failure.kind !== 'refused';
    return again ? { error: this.failure?.error, again } : { error: cause, again };
  }

  /** From here on a lost connection leaves it open whether the server committed. */
  private async commit(connection: Connection): Promise<TocsinError | undefined> {
    connection.warned = false;
    try {
      const { command } = await connection.run('COMMIT');
      if (command !== 'COMMIT') return new TocsinError('internal', 'The server rolled back instead of committing.');
      if (!connection.warned) return undefined;
      return unknownOutcome('the server warned that no standby confirmed it');
    } catch (cause) {
      const failure = classify(cause, 'COMMIT');
      this.failure = failure;
      return failure.kind === 'connection' ? unknownOutcome(failure.error.message) : failure.error;
    }
  }

  private expire(): void {
    this.expiry.abort();
    this.connection?.destroy();
  }

  /** Ends the wait for a function that hangs on something else than its statements. */
  private expired(): Promise<never> {
    return new Promise((_, reject) => this.expiry.signal.addEventListener('abort', () => reject(this.tooLong())));
  }

  private tooLong(): TocsinError {
    return new TocsinError('deadline', `The transaction took longer than ${this.timeoutMs} ms and was rolled back.`);
  }
}

function unknownOutcome(why: string): TocsinError {
  const message = `It is not known whether the transaction was committed (${why}); repeat it only if it is idempotent.`;
  return new TocsinError('unavailable', message, { retry: true, details: { unknown: true } });
}

function runQuietly(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    new Logger('Database').error('A function given to afterCommit threw', error instanceof Error ? error.stack : error);
  }
}
