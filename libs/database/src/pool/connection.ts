import { Client } from 'pg';
import { within } from '@tocsin/core';
import type { Address, Host } from './address.ts';
import { ConnectionTimeout } from './failures.ts';
import { columnTypes } from './values.ts';

/** What every connection of a pool has in common. */
export interface Session {
  address: Address;
  schema: string;
  applicationName: string;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
}

/** What a statement gave. */
export interface StatementResult<R> {
  command: string;
  rows: R[];
}

/** The server's timeout comes first and leaves the connection usable; this is how much later the client gives up on it. */
const CLIENT_MARGIN_MS = 1_000;
const LIMITS_MS = [100, 250, 500, 1_000, 2_000, 4_000];
/** A process that froze in the middle of a transaction must not hold its locks for longer than others wait for its work. */
const IDLE_IN_TRANSACTION_MS = 1_500;

/** One connection to one server. Statements run one after another; once `broken` it is good for nothing. */
export class Connection {
  broken = false;
  /** Whether a warning came in since it was last cleared; after COMMIT it means the standby may not have the data. */
  warned = false;
  private limitMs: number;
  private last: Promise<unknown> = Promise.resolve();
  private askedAt: number | undefined;

  private constructor(
    private readonly client: Client,
    readonly host: Host,
    private readonly statementTimeoutMs: number,
  ) {
    this.limitMs = statementTimeoutMs;
    client.on('error', () => (this.broken = true));
    client.on('end', () => (this.broken = true));
    client.on('notice', (notice: { code?: string | undefined }) => (this.warned ||= notice.code === '01000'));
  }

  /** Connects within `connectTimeoutMs`, authentication included. @throws the driver's error */
  static async open(session: Session, host: Host): Promise<Connection> {
    const { address } = session;
    const client = new Client({
      ...host,
      user: address.user,
      password: address.password,
      database: address.database,
      ssl: address.ssl,
      application_name: session.applicationName,
      options: `-c search_path=${session.schema}`,
      keepAlive: true,
      connectionTimeoutMillis: session.connectTimeoutMs,
      statement_timeout: session.statementTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      types: columnTypes,
    });
    const connection = new Connection(client, host, session.statementTimeoutMs);
    try {
      await client.connect();
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    return connection;
  }

  /** Runs one statement after those before it. @throws the driver's error, or ConnectionTimeout */
  run<R>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
    timeoutMs?: number,
  ): Promise<StatementResult<R>> {
    const query = { text, values: values as unknown[], ...(name === undefined ? {} : { name }) };
    const mine = this.last.then(() =>
      this.bounded(
        // What a statement's rows look like is the caller's to say: the driver only knows that they have columns.
        () => this.client.query(query) as Promise<StatementResult<unknown>> as Promise<StatementResult<R>>,
        timeoutMs ?? this.statementTimeoutMs,
      ),
    );
    this.last = mine.catch(() => undefined);
    return mine;
  }

  /** How long the statement that runs now has been without an answer, in ms; 0 when none runs. */
  get unansweredMs(): number {
    return this.askedAt === undefined ? 0 : performance.now() - this.askedAt;
  }

  /**
   * Has the server give up statements from now on after `ms` (a little later: in steps, so that it is rarely told), or after
   * the usual time. @returns that time. @throws the driver's error, or ConnectionTimeout
   */
  async limitTo(ms: number = Number.POSITIVE_INFINITY): Promise<number> {
    return this.allow(
      Math.min(this.statementTimeoutMs, LIMITS_MS.find((step) => step >= ms) ?? this.statementTimeoutMs),
    );
  }

  /** Has the server give statements from now on this long, be it more than the usual time. @returns that time */
  async allow(limit: number): Promise<number> {
    if (limit !== this.limitMs) {
      await this.run(`SET statement_timeout = ${limit}`);
      this.limitMs = limit;
    }
    return limit;
  }

  /** Ends it at once. */
  destroy(): void {
    this.broken = true;
    this.client.connection.stream.destroy();
  }

  /** Says goodbye to the server. Never throws. */
  async close(): Promise<void> {
    if (this.broken) return this.destroy();
    this.broken = true;
    const timer = setTimeout(() => this.client.connection.stream.destroy(), CLIENT_MARGIN_MS);
    await this.client.end().catch(() => undefined);
    clearTimeout(timer);
  }

  private async bounded<T>(fn: () => Promise<T>, timeoutMs: number): Promise<T> {
    if (this.broken) throw new Error('the connection was lost');
    this.askedAt = performance.now();
    try {
      return await within(fn(), timeoutMs + CLIENT_MARGIN_MS, () => {
        this.destroy();
        throw new ConnectionTimeout(`no answer from ${this.host.host}:${this.host.port} within ${timeoutMs} ms`);
      });
    } finally {
      this.askedAt = undefined;
    }
  }
}
