import type { Monitor, MonitorSpecInput, Result } from '@tocsin/contracts';
import { dueAt, gridOf, newId, nextWindow } from '@tocsin/core';
import { aMonitorOf, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

const INTERVAL = 10_000;
const CHANGED = 'What was watched has changed';

describe('a monitor whose kind changes', () => {
  const clock = new TestClock();
  const channel = newId();
  let one: Instance;

  beforeAll(async () => {
    one = (await bench(clock)).instance();
  });

  const specs: Record<'http' | 'tcp' | 'heartbeat', MonitorSpecInput> = {
    http: { kind: 'http', name: 'x', interval: '10s', confirm: false, settings: { url: 'http://shop.example/' } },
    tcp: { kind: 'tcp', name: 'x', interval: '10s', confirm: false, settings: { host: 'shop.example', port: 80 } },
    heartbeat: { kind: 'heartbeat', name: 'x', settings: { schedule: { every: '5m' } } },
  };

  async function watched(kind: keyof typeof specs, over: Partial<MonitorSpecInput> = {}): Promise<Monitor> {
    const spec = { ...specs[kind], channels: [channel], ...over } as MonitorSpecInput;
    const monitor = aMonitorOf(spec, { createdAt: clock.at - 60_000 });
    await one.config(monitor);
    return monitor;
  }

  /** The monitor, changed now. */
  async function become(monitor: Monitor, kind: keyof typeof specs, over: object = {}): Promise<Monitor> {
    clock.at += 1;
    const { spec } = aMonitorOf({ ...specs[kind], ...over } as MonitorSpecInput);
    const changed = { ...monitor, revision: monitor.revision + 1, updatedAt: clock.at, gridSince: clock.at, spec };
    await one.config(changed);
    return changed;
  }

  function result(monitor: Monitor, n: number, over: Parameters<typeof aResult>[0] = {}): Result {
    const grid = gridOf(monitor.id, INTERVAL);
    const window = nextWindow(grid, clock.at - 60_000) + n;
    const { id: monitorId, revision } = monitor;
    return aResult({ monitorId, revision, window, dueAt: dueAt(grid, window), ...over });
  }

  const fail = (monitor: Monitor) =>
    one.pings({ monitorId: monitor.id, pingId: newId(), signal: 'fail', receivedAt: clock.at });

  async function isFresh(monitor: Monitor): Promise<void> {
    expect(await one.state(monitor)).toMatchObject({ state: 'unknown', reason: 'changed', incident_id: null });
    const incidents = await one.incidentsOf(monitor);
    expect(incidents.filter(({ resolved_at }) => resolved_at === null)).toEqual([]);
  }

  it.each([
    ['http', 'heartbeat'],
    ['http', 'tcp'],
    ['tcp', 'http'],
  ] as const)('from %s to %s while it is down: its incident ends, and its channels hear why', async (from, to) => {
    const monitor = await watched(from);
    await one.results(result(monitor, 0), result(monitor, 1, { down: 'connect' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
    const changed = await become(monitor, to);
    await isFresh(monitor);
    const [row] = await one.database.query<{ payload: { message: string; channels: string[] } }>(
      `SELECT payload FROM outbox WHERE payload->>'monitorId' = $1 AND payload->>'transition' = 'resolved'`,
      [monitor.id],
    );
    expect(row?.payload.message).toContain(CHANGED);
    expect(row?.payload.channels).toEqual([channel]);
    // What was on its way of the old kind says nothing of the new one, also where the grid is the same.
    await one.results(result(monitor, 2, { down: 'connect' }), result(monitor, 9, { down: 'connect' }));
    await isFresh(monitor);
    if (to === 'heartbeat') return;
    await one.results(result(changed, 3, { down: 'status' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'down', reason: 'status' });
    expect(await one.incidentsOf(monitor)).toHaveLength(2);
  });

  it('from heartbeat to http: its incident ends, and its last pings change nothing', async () => {
    const monitor = await watched('heartbeat');
    await fail(monitor);
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
    const changed = await become(monitor, 'http');
    await isFresh(monitor);
    await fail(monitor);
    await one.heartbeats.sweep(clock.at + 86_400_000);
    await isFresh(monitor);
    await one.results(result(changed, 5));
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
  });

  it('while it is degraded, acknowledged or up: nothing is known of what is watched now', async () => {
    const degraded = await watched('http');
    const slow = result(degraded, 0);
    await one.results({ ...slow, finding: { ...slow.finding!, verdict: 'degraded', reason: 'assertion' } });
    expect(await one.state(degraded)).toMatchObject({ state: 'degraded' });
    const acknowledged = await watched('http');
    await one.results(result(acknowledged, 0, { down: 'status' }));
    await one.database.query('UPDATE incidents SET acknowledged_at = 1 WHERE monitor_id = $1', [acknowledged.id]);
    const up = await watched('http');
    await one.results(result(up, 0));
    for (const monitor of [degraded, acknowledged, up]) {
      await become(monitor, 'tcp');
      await isFresh(monitor);
    }
  });

  it('while a failure waits to be confirmed: the answer opens nothing', async () => {
    const monitor = await watched('http', { confirm: true });
    await one.results(result(monitor, 0), result(monitor, 1, { down: 'status' }));
    await become(monitor, 'tcp', { confirm: true });
    await one.results(result(monitor, 1, { attempt: 1, down: 'status', prober: 'prober-2' }));
    await one.states.confirm(clock.at + 86_400_000, 0);
    await isFresh(monitor);
    expect(await one.incidentsOf(monitor)).toEqual([]);
  });

  it('while it is paused: it stays so, and waits for its first result when it is resumed', async () => {
    const monitor = await watched('http');
    await one.results(result(monitor, 0, { down: 'status' }));
    const paused = await become(monitor, 'http', { paused: true });
    const changed = await become(paused, 'heartbeat', { paused: true });
    expect(await one.state(monitor)).toMatchObject({ state: 'paused' });
    await become(changed, 'heartbeat');
    expect(await one.state(monitor)).toMatchObject({ state: 'unknown', reason: 'resumed' });
  });

  it('another name, or another target of the same kind, ends nothing: the next result says how it is', async () => {
    const monitor = await watched('http');
    await one.results(result(monitor, 0, { down: 'status' }));
    const changed = await become(monitor, 'http', { name: 'y', settings: { url: 'http://other.example/' } });
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
    await one.results(result(changed, 1));
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
  });
});
