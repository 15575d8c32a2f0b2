import { newId } from '@tocsin/core';
import { type Heartbeat, type Monitor, monitorConfig, type MonitorSpecInput } from '@tocsin/contracts';
import { HandBack } from '@tocsin/messaging';
import { aMonitorOf } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { rulesOf } from '../src/states/held-monitor.ts';
import { bench, type Instance, TestClock } from './bench.ts';

const MINUTE = 60_000;

describe('heartbeats', () => {
  const clock = new TestClock();
  let one: Instance;
  let other: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    other = instance();
  });

  async function watched(schedule: object = { every: '5m' }, over: object = {}): Promise<Monitor> {
    const settings = { schedule, grace: '1m' } as Extract<MonitorSpecInput, { kind: 'heartbeat' }>['settings'];
    const monitor = aMonitorOf({ kind: 'heartbeat', name: 'backup', settings, ...over }, { createdAt: clock.at });
    await one.config(monitor);
    return monitor;
  }

  function ping(monitor: Monitor, over: Partial<Heartbeat> = {}): Heartbeat {
    return { monitorId: monitor.id, pingId: newId(), signal: 'success', receivedAt: clock.at, ...over };
  }

  it('a new one waits for its first ping without an alert, however long that takes', async () => {
    const monitor = await watched();
    clock.at += 60 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    await one.states.silence(clock.at, 0);
    expect(await one.state(monitor)).toMatchObject({ state: 'unknown', message: 'Waiting for the first ping' });
    expect(await one.incidentsOf(monitor)).toEqual([]);
  });

  it('one with a schedule of a later version is left to an instance of that version, and the others are taken', async () => {
    const known = aMonitorOf({ kind: 'heartbeat', name: 'a', settings: { schedule: { every: '5m' } } });
    const settings = { schedule: { rrule: 'FREQ=DAILY' }, grace: '1m' };
    const later = { ...known, id: newId(), spec: { kind: 'heartbeat', name: 'b', settings } };
    const read = [known, later].map((config) => monitorConfig.parse(config));
    await expect(one.config(...read)).rejects.toThrow(HandBack);
    expect(await one.state(known)).toMatchObject({ state: 'unknown' });
    expect(await one.state(later)).toBeUndefined();
  });

  it('an overdue one goes down and says by how much; the next ping resolves it', async () => {
    const monitor = await watched();
    await one.pings(ping(monitor));
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 6 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 1_000;
    await Promise.all([one.heartbeats.sweep(clock.at), other.heartbeats.sweep(clock.at)]);
    expect(await one.state(monitor)).toMatchObject({ state: 'down', message: 'heartbeat: overdue by 61s' });
    await one.pings(ping(monitor));
    expect(await one.events(monitor)).toEqual(['state up', 'state down', 'opened', 'state up', 'resolved']);
    const rows = await one.database.query('SELECT outcome FROM results WHERE monitor_id = $1 ORDER BY due_at', [
      monitor.id,
    ]);
    expect(rows.map(({ outcome }) => outcome)).toEqual([0, 2, 0]);
  });

  it('a failure or an exit code puts it down at once; a redelivered ping changes nothing', async () => {
    const monitor = await watched({ every: '5m' }, { failureThreshold: 3 });
    const failed = ping(monitor, { signal: 'success', exitCode: 3, message: 'disk full\nmore' });
    await one.pings(failed);
    await other.pings(failed);
    expect(await one.state(monitor)).toMatchObject({
      state: 'down',
      message: 'heartbeat: reported a failure (exit code 3): disk full',
    });
    expect(await one.incidentsOf(monitor)).toHaveLength(1);
    expect(await one.database.query('SELECT 1 FROM results WHERE monitor_id = $1', [monitor.id])).toHaveLength(1);
  });

  it('a job that started and does not finish within the grace is down', async () => {
    const monitor = await watched();
    await one.pings(ping(monitor), ping(monitor, { signal: 'start' }));
    clock.at += 61_000;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ message: 'heartbeat: started and did not finish in time' });
  });

  it('the time between start and success is its duration', async () => {
    const monitor = await watched();
    await one.pings(ping(monitor, { signal: 'start' }));
    clock.at += 12_000;
    await one.pings(ping(monitor));
    expect(await one.state(monitor)).toMatchObject({ state: 'up', last_duration_ms: 12_000 });
  });

  it('a run that hangs beside one that ends is on record for every instance, and is down after its own grace', async () => {
    const monitor = await watched({ every: '1h' });
    const [a, b] = [newId(), newId()];
    await one.pings(ping(monitor, { signal: 'start', rid: a }));
    clock.at += 30_000;
    await other.pings(ping(monitor, { signal: 'start', rid: b }));
    clock.at += 10_000;
    await one.pings(ping(monitor, { rid: b }));
    expect(await one.state(monitor)).toMatchObject({ state: 'up', last_duration_ms: 10_000 });
    clock.at += 20_000;
    await other.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 1;
    await other.heartbeats.sweep(clock.at);
    const message = `heartbeat: run ${a} started and did not finish in time`;
    expect(await one.state(monitor)).toMatchObject({ state: 'down', message });
    await one.pings(ping(monitor, { signal: 'start', rid: a }), ping(monitor, { rid: a }));
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
  });

  it('a ping just before it is due counts for that time too, also after the monitor was edited', async () => {
    clock.at = Math.ceil(clock.at / 3_600_000) * 3_600_000 - 2_000;
    const monitor = await watched({ cron: '0 * * * *' });
    await one.pings(ping(monitor));
    await one.config({ ...monitor, revision: 2, spec: { ...monitor.spec, description: 'edited' } });
    clock.at += 30 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 32 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'down', message: 'heartbeat: overdue by 118s' });
  });

  it('pings count in the order in which the broker took them, whatever the clocks of the gateways say', async () => {
    const monitor = await watched();
    const ahead = { signal: 'start', receivedAt: clock.at + 30_000 } as const;
    const of = [ping(monitor), ping(monitor, ahead)].map((data, n) => ({
      data,
      headers: {},
      publishedAt: clock.at + 1 - n,
    }));
    await one.heartbeats.fold(of);
    clock.at += 2 * MINUTE;
    await other.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    await one.pings(ping(monitor, { ...ahead, receivedAt: clock.at + 30_000 }));
    clock.at += 1;
    await other.pings(ping(monitor, { signal: 'fail' }));
    expect(await one.state(monitor)).toMatchObject({ state: 'down', message: 'heartbeat: reported a failure' });
  });

  it('an edit counts no missed ping once more', async () => {
    const monitor = await watched({ every: '1h' }, { failureThreshold: 2 });
    await one.pings(ping(monitor));
    clock.at += 62 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    await one.config({ ...monitor, revision: 2, spec: { ...monitor.spec, name: 'another name' } });
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 60 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
  });

  it('one that cannot be judged holds up nobody else, and is tried again a minute later', async () => {
    // A time zone that the instance that took it knew, and this one does not.
    const settings = { cron: '0 * * * *', timezone: 'Europe/Berlin' };
    const [broken, whole] = [await watched(settings), await watched()];
    await one.pings(ping(broken), ping(whole));
    await one.database.query(
      `UPDATE monitors SET rules = jsonb_set(rules::jsonb, '{schedule,timezone}', '"Mars/Olympus"') WHERE monitor_id = $1`,
      [broken.id],
    );
    clock.at += 200 * MINUTE;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(whole)).toMatchObject({ state: 'down' });
    expect(await one.state(broken)).toMatchObject({ state: 'up', overdue_at: clock.at + MINUTE });
    await one.database.query('UPDATE monitors SET rules = $2 WHERE monitor_id = $1', [
      broken.id,
      JSON.stringify(rulesOf(broken.id, broken.spec)),
    ]);
    clock.at += MINUTE + 1;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(broken)).toMatchObject({ state: 'down' });
  });

  it('after a long time without us, windows that are too old to record are left out, and the rest goes on', async () => {
    const monitor = await watched({ every: '1d' });
    await one.pings(ping(monitor));
    clock.at += 20 * 1_440 * MINUTE;
    await one.partitions.run();
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
    const rows = await one.database.query('SELECT due_at FROM results WHERE monitor_id = $1', [monitor.id]);
    expect(rows).toHaveLength(1 + 6);
  });

  it('what it said counts, also after it was paused, resumed and deleted', async () => {
    const monitor = await watched();
    await one.pings(ping(monitor));
    const { spec, revision } = monitor;
    const at = clock.at - 1;
    await one.config({ ...monitor, revision: revision + 1, updatedAt: at, spec: { ...spec, paused: true } });
    await one.config({ ...monitor, revision: revision + 2, gridSince: at });
    await one.config({ id: monitor.id, revision: revision + 3, deleted: true, at });
    const rows = await one.database.query('SELECT counted FROM results WHERE monitor_id = $1', [monitor.id]);
    expect(rows).toEqual([{ counted: true }]);
  });

  it('a cron schedule is read in its time zone', async () => {
    clock.at = Date.parse('2026-03-28T12:00:00Z');
    await one.partitions.run();
    const monitor = await watched({ cron: '0 3 * * *', timezone: 'Europe/Berlin' });
    await one.pings(ping(monitor));
    // 03:00 of the 29th is at 01:00 UTC: the clocks went forward in the night.
    clock.at = Date.parse('2026-03-29T01:01:00Z');
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'up' });
    clock.at += 1;
    await one.heartbeats.sweep(clock.at);
    expect(await one.state(monitor)).toMatchObject({ state: 'down' });
  });
});
