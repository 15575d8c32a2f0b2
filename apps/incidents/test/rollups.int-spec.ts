import type { Monitor, Result } from '@tocsin/contracts';
import { dueAt, gridOf, newId, nextWindow } from '@tocsin/core';
import { Database, type Transaction, type TransactionOptions } from '@tocsin/database';
import { aMonitor, aMonitorOf, aResult, atTheEnd } from '@tocsin/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bench, Instance, TestClock } from './bench.ts';
import { waiting } from './waiting.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A mark that was kept until what it stands for was there to be rolled up. */
const KEPT = { written: true, kept: true, missing: 0, marked: 0 };

/** A database whose transactions have done all their work, and commit only once they are let. */
class OpenDatabase extends Database {
  private readonly done = Promise.withResolvers<void>();
  private readonly let = Promise.withResolvers<void>();

  override transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return super.transaction(async (tx) => {
      const value = await fn(tx);
      this.done.resolve();
      await this.let.promise;
      return value;
    }, options);
  }

  /** Begins something, and runs `meanwhile` between the last statement of its transaction and the commit. */
  async during(begun: Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<void> {
    await Promise.race([this.done.promise, begun]);
    await meanwhile();
    this.let.resolve();
    await begun;
  }
}

describe('roll-ups, while what they are made of is written', () => {
  const clock = new TestClock(Math.floor(Date.now() / DAY) * DAY + 12 * HOUR);
  let one: Instance;
  let url: string;

  beforeAll(async () => {
    const { instance, server } = await bench(clock);
    one = instance();
    url = server.urlFor('incidents');
    await one.rollups.run();
  });

  function opened(): OpenDatabase {
    const database = new OpenDatabase({ url, schema: 'incidents', applicationName: 'open' });
    atTheEnd(() => database.close());
    return database;
  }

  async function watched(): Promise<Monitor> {
    const spec = { interval: '1m', confirm: false, locations: ['a'] };
    const monitor = aMonitor({ createdAt: clock.at, spec });
    await one.config(monitor);
    return monitor;
  }

  function result(monitor: Monitor, location = 'a'): Result {
    const grid = gridOf(monitor.id, MINUTE);
    const window = nextWindow(grid, monitor.gridSince) + 7;
    return aResult({ monitorId: monitor.id, window, dueAt: dueAt(grid, window), location });
  }

  async function settle(): Promise<void> {
    while ((await one.rollups.run()) > 0);
  }

  /** Marks all buckets of the last hour, as something that was late has done before. */
  async function mark({ id }: Monitor): Promise<void> {
    await one.database.query(
      'INSERT INTO rollup_dirty SELECT 300, bucket, $1 FROM generate_series($2::bigint, $3::bigint, 300000) AS b (bucket)',
      [id, clock.at - HOUR, clock.at - 1],
    );
  }

  /** How many results count in buckets that are complete, what their roll-ups say, and how many of those are marked. */
  async function tally({ id }: Monitor): Promise<{ rolled: number; counted: number; marked: number }> {
    const [row] = await one.database.query<{ rolled: number; counted: number; marked: number }>(
      `SELECT (SELECT coalesce(sum(ran + late + missed + excused), 0) FROM rollups_300 WHERE monitor_id = $1) AS rolled,
        (SELECT count(*) FROM results WHERE monitor_id = $1 AND counted AND due_at < done_until) AS counted,
        (SELECT count(*) FROM rollup_dirty WHERE monitor_id = $1 AND seconds = 300 AND bucket_at < done_until) AS marked
      FROM rollup_progress WHERE seconds = 300`,
      [id],
    );
    return row!;
  }

  /** Writes on one connection what a mark that is there stands for, and rolls up on another before that is committed. */
  async function interrupted(monitor: Monitor, write: (other: Instance) => Promise<unknown>): Promise<typeof KEPT> {
    await settle();
    await mark(monitor);
    const before = await tally(monitor);
    const database = opened();
    await database.during(write(new Instance(database, clock)), () => one.rollups.run());
    const between = await tally(monitor);
    await settle();
    const { counted, rolled, marked } = await tally(monitor);
    return { written: counted > before.counted, kept: between.marked > 0, missing: counted - rolled, marked };
  }

  it('a mark that a late result needs is not taken before the result is there', async () => {
    const monitor = await watched();
    clock.at += HOUR;
    expect(await interrupted(monitor, (other) => other.results(result(monitor)))).toEqual(KEPT);
  });

  it('nor one that the sweep needs', async () => {
    const monitor = await watched();
    clock.at += HOUR;
    expect(await interrupted(monitor, (other) => other.sweeps.markMissed(clock.at, 500))).toEqual(KEPT);
  });

  it('nor one that a change of what counts needs', async () => {
    const monitor = await watched();
    const spec = { ...monitor.spec, locations: ['a', 'b'] } as Monitor['spec'];
    const changed = { ...monitor, revision: 2, updatedAt: clock.at + 1, gridSince: clock.at + 1, spec };
    clock.at += HOUR;
    await one.results(result(monitor, 'b'));
    expect(await interrupted(monitor, (other) => other.config(changed))).toEqual(KEPT);
  });

  it('pings that came late, and those that did not come, are in the roll-ups', async () => {
    const settings = { schedule: { every: '5m' }, grace: '1m' };
    const monitor = aMonitorOf({ kind: 'heartbeat', name: 'backup', settings }, { createdAt: clock.at });
    await one.config(monitor);
    const ping = (receivedAt: number): Promise<void> =>
      one.pings({ monitorId: monitor.id, pingId: newId(), signal: 'success', receivedAt });
    await ping(clock.at);
    clock.at += HOUR;
    await settle();
    await one.heartbeats.sweep(clock.at);
    clock.at += HOUR;
    await settle();
    const missed = await tally(monitor);
    expect(missed.counted).toBeGreaterThan(1);
    expect(missed.rolled).toBe(missed.counted);
    await ping(clock.at - 10 * MINUTE);
    await settle();
    const late = await tally(monitor);
    expect(late.counted).toBeGreaterThan(missed.counted);
    expect(late.rolled).toBe(late.counted);
  });

  it('a step may take longer than other statements', async () => {
    const options = { url, schema: 'incidents', applicationName: 'patient', statementTimeoutMs: 1_000 };
    const database = new Database(options);
    atTheEnd(() => database.close());
    clock.at += 5 * MINUTE;
    const running = await one.database.transaction(async (tx) => {
      await tx.query('LOCK TABLE rollups_300');
      const run = new Instance(database, clock).rollups.run();
      await vi.waitFor(async () => expect(await waiting(one.database, 'patient')).toBe(1), 10_000);
      // Longer than the usual time and the second that the client gives the server beyond it.
      await tx.query('SELECT pg_sleep(2.3)');
      return { run };
    });
    expect(await running.run).toBeGreaterThan(0);
  });
});
