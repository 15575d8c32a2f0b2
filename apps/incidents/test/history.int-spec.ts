import { dueAt, gridOf, histogramCount, type Histogram, newId, windowAt } from '@tocsin/core';
import type { Monitor, Result } from '@tocsin/contracts';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { RetentionService } from '../src/history/retention.service.ts';
import { HistoryService } from '../src/history/history.service.ts';
import { incidentsConfig } from '../src/incidents.config.ts';
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

  it('incidents and deleted monitors go long after their end, and never while somebody is to be told of them', async () => {
    const config = incidentsConfig.parse({ TOCSIN_RETENTION_ROLLUP_86400_DAYS: '500' });
    const history = new HistoryService(
      one.rollups,
      one.partitions,
      new RetentionService(one.database, one.operations, clock, config),
    );
    const now = clock.at;
    const [kept, gone] = [now - 499 * DAY, now - 501 * DAY];
    const names = ['old', 'recent', 'open', 'untold'] as const;
    const ids = Object.fromEntries(names.map((name) => [name, newId()])) as Record<(typeof names)[number], string>;
    const add = `INSERT INTO incidents (id, monitor_id, monitor_name, state, reason, message, opened_at, resolved_at)
      SELECT id, gen_random_uuid(), '', 'down', '', '', $2, resolved_at FROM unnest($1::uuid[], $3::bigint[]) AS n (id, resolved_at)`;
    await one.database.query(add, [Object.values(ids), gone - 1, [gone, kept, null, gone]]);
    const many = Array.from({ length: 2_500 }, () => newId());
    await one.database.query(add, [many, gone - 1, many.map(() => gone)]);
    await one.database.query(
      `INSERT INTO timeline (incident_id, at, what, text) SELECT id, opened_at, 'opened', '' FROM incidents`,
    );
    await one.database.query(
      `INSERT INTO transitions (incident_id, transition, payload, headers, message_id, ask_at)
       VALUES ($1, 'resolved', '{}', '{}', 'm', now())`,
      [ids.untold],
    );
    const [past, present, heartbeat, unknown] = [newId(), newId(), newId(), newId()];
    await one.config(
      { id: past, revision: 2, deleted: true, at: gone },
      { id: present, revision: 2, deleted: true, at: kept },
      { id: heartbeat, revision: 2, deleted: true, at: gone },
      { id: unknown, revision: 2, deleted: true },
    );
    await one.database.query(
      `INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, reason, message, prober)
       VALUES ($1, $2, 'push', 0, 0, true, '', '', '')`,
      [heartbeat, now],
    );
    await history.maintain();
    const left = async (sql: string, among: readonly string[]): Promise<unknown[]> =>
      (await one.database.query<{ id: string }>(sql, [among])).map(({ id }) => id).toSorted();
    const incidents = [ids.recent, ids.open, ids.untold].toSorted();
    const all = [...Object.values(ids), ...many];
    expect(await left('SELECT id FROM incidents WHERE id = ANY($1::uuid[])', all)).toEqual(incidents);
    const timelines = 'SELECT incident_id AS id FROM timeline WHERE incident_id = ANY($1::uuid[])';
    expect(await left(timelines, all)).toEqual(incidents);
    const monitors = 'SELECT monitor_id AS id FROM monitors WHERE monitor_id = ANY($1::uuid[])';
    const known = [past, present, heartbeat, unknown];
    expect(await left(monitors, known)).toEqual([present, heartbeat, unknown].toSorted());
  });
});
