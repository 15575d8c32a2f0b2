import { TocsinError } from '@tocsin/core';
import { Connection, type Session } from './connection.ts';
import { type FailureKind } from './failures.ts';
import { Discovery, type Wanted } from './discovery.ts';

interface Waiter {
  /** False if the caller has given up already. */
  give(connection: Connection): boolean;
  fail(error: unknown): unknown;
}

/** Callers that may wait for a connection, for each connection there is. Past it they are refused at once. */
const WAITERS_PER_CONNECTION = 100;
const IDLE_MS = 30_000;
/** A statement without an answer for so long is a reason to ask whether another server has become the primary. */
const DOUBT_MS = 1_000;
/** Shorter than any failover. */
const STANDSTILL_MS = 2_000;

/** A bounded set of connections to the wanted server. When that server is lost, all of them are. */
export class Pool {
  private readonly idle: { connection: Connection; since: number }[] = [];
  private readonly inUse = new Map<Connection, number>();
  private readonly waiters: Waiter[] = [];
  private readonly discovery: Discovery;
  private opening = 0;
  /** Grows each time the server was lost; connections of an earlier generation are not used again. */
  private generation = 0;
  private closed = false;
  private readonly sweeper: NodeJS.Timeout;
  private readonly doubter: NodeJS.Timeout;
  private doubting = false;
  private awakeAt = performance.now();

  constructor(
    private readonly session: Session,
    private readonly size: number,
    wanted: Wanted,
  ) {
    this.discovery = new Discovery(session, wanted);
    this.sweeper = setInterval(() => this.sweep(), IDLE_MS / 2);
    this.sweeper.unref();
    this.doubter = setInterval(() => {
      this.stayAwake();
      void this.doubt();
    }, DOUBT_MS / 4);
    this.doubter.unref();
  }

  get counts(): { inUse: number; idle: number; waiting: number } {
    return { inUse: this.inUse.size, idle: this.idle.length, waiting: this.waiters.length };
  }

  /**
   * Takes a connection, opening one if there is room.
   * @param urgent to come before all who wait for one
   * @throws TocsinError `exhausted`, or the driver's error
   */
  async acquire(urgent = false): Promise<Connection> {
    if (this.closed) throw new TocsinError('unavailable', 'The database pool is closed; the service is stopping.');
    this.stayAwake();
    const connection = this.takeIdle();
    if (connection !== undefined) return this.lend(connection);
    if (this.inUse.size + this.opening < this.size) return this.open();
    return this.wait(urgent);
  }

  /** Gives a connection back. */
  release(connection: Connection): void {
    const generation = this.inUse.get(connection);
    this.inUse.delete(connection);
    if (connection.broken || this.closed || generation !== this.generation) {
      void connection.close();
      this.refill();
      return;
    }
    const waiter = this.waiters.shift();
    if (waiter?.give(this.lend(connection)) === true) return;
    this.inUse.delete(connection);
    this.idle.push({ connection, since: performance.now() });
  }

  /** Draws the consequences of a failure on a connection that is in use. */
  heed(connection: Connection, kind: FailureKind): void {
    if (kind !== 'connection' && kind !== 'outdated') return;
    if (this.inUse.get(connection) !== this.generation) return;
    // The server is gone, or is a standby now; or what this connection has prepared, and so all others, is out of date.
    if (kind === 'connection') this.discovery.forget();
    this.begin();
  }

  /** Refuses new callers, closes what is idle at once and the rest when it comes back. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweeper);
    clearInterval(this.doubter);
    const refusal = new TocsinError('unavailable', 'The database pool is closed; the service is stopping.');
    for (const waiter of this.waiters.splice(0)) waiter.fail(refusal);
    await Promise.all(this.idle.splice(0).map(({ connection }) => connection.close()));
  }

  /** A new generation: no connection that is there is used again. */
  private begin(): void {
    this.generation += 1;
    for (const { connection } of this.idle.splice(0)) void connection.close();
  }

  /**
   * Notices that this process stood still, frozen with its host perhaps, and may have slept through a failover: the old
   * primary would answer until somebody stops it.
   */
  private stayAwake(): void {
    const now = performance.now();
    const stoodStill = now - this.awakeAt > STANDSTILL_MS;
    this.awakeAt = now;
    if (!stoodStill || !this.discovery.hasChoice) return;
    this.discovery.mistrust();
    this.begin();
  }

  private takeIdle(): Connection | undefined {
    for (let entry = this.idle.pop(); entry !== undefined; entry = this.idle.pop()) {
      if (!entry.connection.broken) return entry.connection;
    }
    return undefined;
  }

  private lend(connection: Connection): Connection {
    this.inUse.set(connection, this.generation);
    return connection;
  }

  private async open(): Promise<Connection> {
    this.opening += 1;
    const generation = this.generation;
    try {
      const connection = await this.discovery.open();
      this.opening -= 1;
      this.inUse.set(connection, generation);
      return connection;
    } catch (error) {
      this.opening -= 1;
      this.refill();
      throw error;
    }
  }

  private wait(urgent: boolean): Promise<Connection> {
    if (this.waiters.length >= this.size * WAITERS_PER_CONNECTION) {
      throw new TocsinError('exhausted', `${this.waiters.length} callers already wait for a database connection.`);
    }
    return new Promise((resolve, reject) => {
      let waiting = true;
      const settle = (): boolean => {
        clearTimeout(timer);
        const at = this.waiters.indexOf(waiter);
        if (at !== -1) this.waiters.splice(at, 1);
        const first = waiting;
        waiting = false;
        return first;
      };
      const waiter: Waiter = {
        give: (connection) => settle() && (resolve(connection), true),
        fail: (error) => settle() && reject(error as Error),
      };
      const timer = setTimeout(() => {
        const busy = `All ${this.size} database connections were busy for ${this.session.connectTimeoutMs} ms; retry.`;
        waiter.fail(new TocsinError('exhausted', busy));
      }, this.session.connectTimeoutMs);
      if (urgent) this.waiters.unshift(waiter);
      else this.waiters.push(waiter);
    });
  }

  /** A connection went away, or could not be opened, while callers wait: open another for the first of them. */
  private refill(): void {
    if (this.closed || this.inUse.size + this.opening >= this.size) return;
    const waiter = this.waiters.shift();
    if (waiter === undefined) return;
    this.open().then(
      (connection) => waiter.give(connection) || this.release(connection),
      (error: unknown) => waiter.fail(error),
    );
  }

  /**
   * From a host that was cut off or froze nothing comes, no error either. When another one has become the primary
   * meanwhile, nothing will: the statements that wait for the old one end now, instead of at their time limit.
   */
  private async doubt(): Promise<void> {
    const silent = [...this.inUse.keys()].filter((connection) => connection.unansweredMs > DOUBT_MS);
    if (silent.length === 0 || this.doubting || !this.discovery.hasChoice) return;
    this.doubting = true;
    try {
      const host = await this.discovery.again();
      for (const connection of silent) if (connection.host !== host) connection.destroy();
    } catch {
      // There is no other, or none yet.
    } finally {
      this.doubting = false;
    }
  }

  private sweep(): void {
    const oldest = performance.now() - IDLE_MS;
    while (this.idle[0] !== undefined && this.idle[0].since < oldest) void this.idle.shift()?.connection.close();
  }
}
