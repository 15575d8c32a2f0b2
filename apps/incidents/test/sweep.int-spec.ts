import { dueAt, gridOf, nextWindow, windowsIn } from '@tocsin/core';
import { type Monitor, type Result } from '@tocsin/contracts';
import { Database, type DatabaseOptions, type Transaction, type TransactionOptions } from '@tocsin/database';
import { aMonitor, aResult, atTheEnd } from '@tocsin/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bench, Instance, TestClock } from './bench.ts';
import { waiting } from './waiting.ts';

const INTERVAL = 10_000;
const MINUTE = 60_000;

/** A database that counts how often its transactions were begun. */
class CountedDatabase extends Database {
  begun = 0;

  override transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return super.transaction((tx) => {
      this.begun += 1;
      return fn(tx);
    }, options);
  }
}

describe('what did not happen', () => {
  const clock = new TestClock();
  let one: Instance;
  let other: Instance;
  let url: string;

  beforeAll(async () => {
    const { instance, server } = await bench(clock);
    url = server.urlFor('incidents');
    one = instance();
    other = instance();
  });

  async function watched(spec: Parameters<typeof aMonitor>[0] = {}): Promise<Monitor> {
    const monitor = aMonitor({ createdAt: clock.at, ...spec });
    await one.config(monitor);
    return monitor;
  }

  function result(monitor: Monitor, n: number, over: Parameters<typeof aResult>[0] = {}): Result {
    const grid = gridOf(monitor.id, INTERVAL);
    const window = nextWindow(grid, monitor.gridSince) + n;
    return aResult({ monitorId: monitor.id, window, dueAt: dueAt(grid, window), ...over });
  }

  async function outcomes(monitor: Monitor): Promise<Record<string, number>> {
    const rows = await one.database.query<{ outcome: number; n: number }>(
      'SELECT outcome, count(*) AS n FROM results WHERE monitor_id = $1 AND counted GROUP BY outcome',
      [monitor.id],
    );
    const names = ['ran', 'late', 'missed', 'excused'];
    return Object.fromEntries(rows.map(({ outcome, n }) => [names[outcome], n]));
  }

  it('every due window is accounted for exactly: what nobody answered is missed, once', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0), result(monitor, 1, { outcome: 'late' }), result(monitor, 4));
    clock.at += 5 * MINUTE;
    await Promise.all([one.sweeps.markMissed(clock.at, 500), other.sweeps.markMissed(clock.at, 500)]);
    const due = windowsIn(gridOf(monitor.id, INTERVAL), monitor.gridSince + 1, clock.at - 30_000 + 1);
    expect(await outcomes(monitor)).toEqual({ ran: 2, late: 1, missed: due - 3 });
    await one.sweeps.markMissed(clock.at, 500);
    expect(await outcomes(monitor)).toEqual({ ran: 2, late: 1, missed: due - 3 });
  });

  it('a result that comes after its window was marked takes the place of the mark', async () => {
    const monitor = await watched();
    clock.at += MINUTE;
    await one.sweeps.markMissed(clock.at, 500);
    const { missed } = await outcomes(monitor);
    await one.results(result(monitor, 1));
    await other.results(result(monitor, 1));
    expect(await outcomes(monitor)).toEqual({ ran: 1, missed: missed! - 1 });
  });

  it('a changed interval and a pause end the old grid exactly: due = ran + late + missed + excused', async () => {
    const monitor = await watched();
    const changedAt = clock.at + MINUTE;
    const pausedAt = changedAt + MINUTE;
    const spec = { ...monitor.spec, interval: '5s' } as Monitor['spec'];
    const changed = { ...monitor, revision: 2, updatedAt: changedAt, gridSince: changedAt, spec };
    // A result of the new grid comes before its configuration does.
    const early = dueAt(gridOf(monitor.id, 5_000), nextWindow(gridOf(monitor.id, 5_000), changedAt));
    clock.at = changedAt + 8_000;
    await one.results(aResult({ monitorId: monitor.id, dueAt: early }));
    await one.config(changed);
    clock.at = pausedAt + 1;
    await one.config({ ...changed, revision: 3, updatedAt: pausedAt, spec: { ...spec, paused: true } });
    clock.at = pausedAt + 10 * MINUTE;
    await one.sweeps.markMissed(clock.at, 500);
    const before = windowsIn(gridOf(monitor.id, INTERVAL), monitor.gridSince + 1, changedAt + 1);
    const after = windowsIn(gridOf(monitor.id, 5_000), changedAt + 1, pausedAt + 1);
    expect(await outcomes(monitor)).toEqual({ ran: 1, missed: before + after - 1 });
    const spans = await one.database.query(
      'SELECT from_at, until_at, excused FROM spans WHERE monitor_id = $1 ORDER BY 1',
      [monitor.id],
    );
    expect(spans).toEqual([
      { from_at: monitor.gridSince + 1, until_at: changedAt + 1, excused: false },
      { from_at: changedAt + 1, until_at: pausedAt + 1, excused: false },
      { from_at: pausedAt + 1, until_at: null, excused: true },
    ]);
  });

  it('a monitor without fresh results becomes unknown, with an incident of its own, until they return', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0));
    const openSince = clock.at;
    clock.at += 50_000;
    await Promise.all([one.states.silence(clock.at, openSince), other.states.silence(clock.at, openSince)]);
    expect(await one.state(monitor)).toMatchObject({ state: 'unknown', reason: 'no_results' });
    expect(await one.incidentsOf(monitor)).toMatchObject([
      { reason: 'no_results', state: 'unknown', resolved_at: null },
    ]);
    await one.results(result(monitor, 5));
    expect(await one.events(monitor)).toEqual(['state up', 'state unknown', 'opened', 'state up', 'resolved']);
  });

  it('the time in which nothing could come in is nobody’s silence', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0));
    clock.at += 50_000;
    await one.states.silence(clock.at, clock.at - 1_000);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
  });

  it('a confirmation that nobody answers is asked for again, and counts at last', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0, { down: 'status' }));
    const openSince = clock.at;
    const attempts = [];
    for (let round = 0; round < 3; round += 1) {
      clock.at += 16_000;
      await one.states.confirm(clock.at, openSince);
      attempts.push(
        one.confirmations.asked.filter(({ monitorId }) => monitorId === monitor.id).map(({ attempt }) => attempt),
      );
    }
    expect(attempts.at(-1)).toEqual([1, 2, 3]);
    expect(await one.state(monitor)).toMatchObject({ state: 'down', reason: 'status', confirm_at: null });
  });

  it('a sweep and a batch that write the same windows wait for each other, and none has to begin again', async () => {
    const createdAt = clock.at;
    // The sweep comes first to the one whose window the batch writes last.
    const [second, first] = [await watched({ createdAt }), await watched({ createdAt })];
    clock.at += 5 * MINUTE;
    await one.database.query('UPDATE sweeps SET next_at = 0 WHERE monitor_id = $1', [second.id]);
    const mine = new CountedDatabase(options('sweep'));
    const theirs = new CountedDatabase(options('batch'));
    for (const database of [mine, theirs]) atTheEnd(() => database.close());
    const gate = result(first, 1, { attempt: 1 });

    const [swept, folded] = await one.database.transaction(async (tx) => {
      // The batch stops half-way: somebody else is writing what comes next in it.
      await tx.query(
        `INSERT INTO results (monitor_id, due_at, location, attempt, outcome, counted, reason, message, prober)
         VALUES ($1, $2, $3, 1, 0, false, '', '', '')`,
        [gate.monitorId, gate.dueAt, gate.location],
      );
      const batch = new Instance(theirs, clock).results(result(first, 1), gate, result(second, 9));
      await vi.waitFor(async () => expect(await waiting(one.database, 'batch')).toBe(1), 10_000);
      const sweep = new Instance(mine, clock).sweeps.markMissed(clock.at, 500);
      await vi.waitFor(async () => expect(await waiting(one.database, 'sweep')).toBe(1), 10_000);
      return [{ sweep }, { batch }];
    });
    await Promise.all([swept.sweep, folded.batch]);
    expect([mine.begun, theirs.begun]).toEqual([1, 1]);
    expect(await outcomes(second)).toMatchObject({ ran: 1 });
  });

  function options(applicationName: string): DatabaseOptions {
    return { url, schema: 'incidents', applicationName };
  }
});
