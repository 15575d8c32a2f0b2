import { dueAt, gridOf, histogramCount, type Histogram, windowAt } from '@tocsin/core';
import type { Monitor, Result } from '@tocsin/contracts';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('the history', () => {
  // Noon, so that an hour and a day are complete at known times.
  const noon = Math.floor(Date.now() / DAY) * DAY + 12 * HOUR;
  const clock = new TestClock(noon);
  let one: Instance;
  let other: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    other = instance();
    await one.rollups.run();
  });

  async function watched(): Promise<Monitor> {
    const monitor = aMonitor({ createdAt: clock.at - 1, spec: { interval: '1m', confirm: false } });
    await one.config(monitor);
    return monitor;
  }

  function resultsOf(monitor: Monitor, from: number, to: number): Result[] {
    const grid = gridOf(monitor.id, MINUTE);
    const first = windowAt(grid, from - 1) + 1;
    return Array.from({ length: windowAt(grid, to - 1) - first + 1 }, (_, n) => {
      const due = dueAt(grid, first + n);
      return aResult({
        monitorId: monitor.id,
        window: first + n,
        dueAt: due,
        ...(n % 5 === 4 ? { down: 'status' } : {}),
      });
    });
  }

  /** Runs as often as there is something to do. */
  async function settle(): Promise<void> {
    while ((await one.rollups.run()) > 0);
  }

  function rollups(monitor: Monitor, seconds: number): Promise<Record<string, unknown>[]> {
    return one.database.query(`SELECT * FROM rollups_${seconds} WHERE monitor_id = $1 ORDER BY bucket_at`, [
      monitor.id,
    ]);
  }

  it('is rolled up level by level, once each bucket is complete, and the same however often', async () => {
    const monitor = await watched();
    const results = resultsOf(monitor, clock.at, clock.at + HOUR);
    clock.at += 13 * HOUR;
    await one.results(...results);
    await Promise.all([one.rollups.run(), other.rollups.run()]);
    await one.rollups.run();
    const [five, hour, day] = await Promise.all([300, 3_600, 86_400].map((seconds) => rollups(monitor, seconds)));
    expect(five).toHaveLength(12);
    expect(hour).toMatchObject([{ bucket_at: noon, up: 48, down: 12, ran: 60, missed: 0 }]);
    expect(day).toMatchObject([{ bucket_at: noon - 12 * HOUR, up: 48, down: 12 }]);
    expect(histogramCount(day?.[0]?.['histogram'] as Histogram)).toBe(48);
    await other.rollups.run();
    expect(await rollups(monitor, 3_600)).toEqual(hour);
  });

  it('a late result has its buckets computed again, up to the day', async () => {
    const monitor = await watched();
    const [late, ...rest] = resultsOf(monitor, clock.at, clock.at + HOUR);
    clock.at += 24 * HOUR;
    await one.partitions.run();
    await one.results(...rest);
    await settle();
    const [before] = await rollups(monitor, 86_400);
    await one.results(late!);
    await settle();
    const [after] = await rollups(monitor, 86_400);
    expect(after?.['ran']).toBe(Number(before?.['ran']) + 1);
  }, 60_000);

  it('partitions are there for what may come, and dropped whole when they are too old', async () => {
    const partitions = async (): Promise<string[]> => {
      const rows = await one.database.query<{ name: string }>(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'results'::regclass ORDER BY 1`,
      );
      return rows.map(({ name }) => name);
    };
    const before = await partitions();
    expect(before.length).toBeGreaterThanOrEqual(11);
    clock.at += 60 * DAY;
    await Promise.all([one.partitions.run(), other.partitions.run()]);
    await one.partitions.run();
    const after = await partitions();
    expect(after).not.toContain(before[0]);
    expect(after).toHaveLength(11);
  });
});
