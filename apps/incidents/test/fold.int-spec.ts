import { dueAt, gridOf, newId, nextWindow } from '@tocsin/core';
import { type Monitor, monitorConfig, type Result } from '@tocsin/contracts';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

const INTERVAL = 10_000;

describe('folding results', () => {
  const clock = new TestClock();
  let one: Instance;
  let other: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    other = instance();
  });

  async function watched(spec: Parameters<typeof aMonitor>[0] = {}): Promise<Monitor> {
    const monitor = aMonitor({ createdAt: clock.at - 60_000, ...spec });
    await one.config(monitor);
    return monitor;
  }

  /** The result of the n-th window after the monitor's grid began. */
  function result(monitor: Monitor, n: number, over: Parameters<typeof aResult>[0] = {}): Result {
    const grid = gridOf(monitor.id, INTERVAL);
    const window = nextWindow(grid, monitor.gridSince) + n;
    return aResult({ monitorId: monitor.id, window, dueAt: dueAt(grid, window), ...over });
  }

  it('a first failure opens nothing and is confirmed at once, by another prober; its confirmation opens', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0), result(monitor, 1, { down: 'status' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    expect(one.confirmations.asked.at(-1)).toMatchObject({ monitorId: monitor.id, attempt: 1, avoid: 'prober-1' });
    await one.results(result(monitor, 1, { attempt: 1, down: 'status', prober: 'prober-2' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'down', reason: 'status' });
    expect(await one.incidentsOf(monitor)).toMatchObject([{ resolved_at: null, state: 'down', reason: 'status' }]);
    await one.results(result(monitor, 2));
    expect(await one.incidentsOf(monitor)).toMatchObject([{ resolved_at: expect.any(Number), reason: 'status' }]);
    expect(await one.events(monitor)).toEqual(['state up', 'state down', 'opened', 'state up', 'resolved']);
  });

  it('a monitor of a kind that a later version brought is watched like any other', async () => {
    const known = aMonitor({ createdAt: clock.at - 60_000, spec: { confirm: false } });
    const spec = { ...known.spec, kind: 'icmp', settings: { host: 'a.example', packets: 3 } };
    const monitor = { ...known, spec };
    await one.config(monitorConfig.parse(monitor));
    const because = { reason: 'unsupported', message: 'no prober of default can run it' };
    const { finding: _, startedAt: _at, ...missed } = result(known, 1, { outcome: 'missed', because });
    await one.results(result(known, 0), missed, result(known, 2, { down: 'loss' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'down', reason: 'loss' });
    expect(await one.incidentsOf(monitor)).toMatchObject([{ reason: 'loss', resolved_at: null }]);
    const rows = await one.database.query(
      'SELECT outcome, counted, reason, message FROM results WHERE monitor_id = $1 ORDER BY due_at',
      [monitor.id],
    );
    expect(rows).toMatchObject([
      { outcome: 0, counted: true },
      { outcome: 2, counted: true, ...because },
      { outcome: 0, counted: true },
    ]);
  });

  it('a confirmation that succeeds clears the failure', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0), result(monitor, 1, { down: 'connect' }), result(monitor, 1, { attempt: 1 }));
    expect(await one.state(monitor)).toMatchObject({ state: 'up', confirm_at: null });
    expect(await one.incidentsOf(monitor)).toEqual([]);
  });

  it('a redelivered batch changes nothing: killed between commit and ack', async () => {
    const monitor = await watched({ spec: { confirm: false } });
    const batch = [result(monitor, 0), result(monitor, 1, { down: 'timeout' })];
    await one.results(...batch);
    const before = await one.state(monitor);
    const events = await one.events(monitor);
    await other.results(...batch);
    expect(await one.state(monitor)).toEqual(before);
    expect(await one.events(monitor)).toEqual(events);
    const rows = await one.database.query('SELECT 1 FROM results WHERE monitor_id = $1', [monitor.id]);
    expect(rows).toHaveLength(2);
  });

  it('two instances that race on the same results agree, with one incident and each result once', async () => {
    const monitors = await Promise.all(Array.from({ length: 20 }, () => watched({ spec: { confirm: false } })));
    const results = monitors.flatMap((monitor) => [
      result(monitor, 0),
      result(monitor, 1, { down: 'status' }),
      result(monitor, 2, { down: 'status' }),
    ]);
    const shuffled = results.toSorted((a, b) =>
      a.monitorId.slice(-4) + a.window < b.monitorId.slice(-4) + b.window ? -1 : 1,
    );
    const halves = [results, shuffled].map((list) => [list.slice(0, 30), list.slice(30), list.slice(15, 45)]);
    await Promise.all([
      ...halves[0]!.map((batch) => one.results(...batch)),
      ...halves[1]!.map((batch) => other.results(...batch)),
    ]);
    for (const monitor of monitors) {
      expect(await one.state(monitor)).toMatchObject({ state: 'down' });
      expect(await one.incidentsOf(monitor)).toHaveLength(1);
      expect((await one.events(monitor)).filter((event) => event === 'opened')).toHaveLength(1);
    }
    const [count] = await one.database.query<{ n: number }>(
      'SELECT count(*) AS n FROM results WHERE monitor_id = ANY($1::uuid[])',
      [monitors.map(({ id }) => id)],
    );
    expect(count?.n).toBe(60);
  });

  it('a result of a monitor that is not known yet is handed back, and the rest of its batch is kept', async () => {
    const monitor = await watched();
    const stranger = aResult({ monitorId: newId(), dueAt: clock.at });
    await expect(one.results(result(monitor, 0), stranger)).rejects.toThrow('not known yet');
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
  });

  it('a result from another age is refused for good', async () => {
    const monitor = await watched();
    const ancient = aResult({ monitorId: monitor.id, dueAt: clock.at - 30 * 86_400_000 });
    await expect(one.results(ancient)).rejects.toMatchObject({ code: 'invalid', retry: false });
  });

  it('results that fell due in a pause are recorded and count for nothing; those of before it count, however late', async () => {
    const monitor = await watched();
    await one.results(result(monitor, 0));
    const pausedAt = result(monitor, 1).dueAt + 1;
    const paused = { ...monitor, revision: 2, updatedAt: pausedAt, spec: { ...monitor.spec, paused: true } };
    await one.config(paused);
    expect(await one.state(monitor)).toMatchObject({ state: 'paused', silence_ms: null });
    await one.results(result(monitor, 1), result(monitor, 2, { down: 'status' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'paused' });
    const rows = await one.database.query('SELECT counted FROM results WHERE monitor_id = $1 ORDER BY due_at', [
      monitor.id,
    ]);
    expect(rows).toEqual([{ counted: true }, { counted: true }, { counted: false }]);
  });

  it('pausing and deleting resolve the open incident; an older revision is ignored', async () => {
    const monitor = await watched({ spec: { confirm: false } });
    await one.results(result(monitor, 0, { down: 'status' }));
    expect(await one.incidentsOf(monitor)).toMatchObject([{ resolved_at: null }]);
    await one.config({ id: monitor.id, revision: 3, deleted: true });
    await other.config({ ...monitor, revision: 2 });
    expect(await one.state(monitor)).toBeUndefined();
    expect(await one.incidentsOf(monitor)).toMatchObject([{ resolved_at: expect.any(Number) }]);
    await one.results(result(monitor, 1));
    expect(await one.state(monitor)).toBeUndefined();
  });
});
