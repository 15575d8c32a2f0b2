import { consumers, contract, type IncidentEvent, type Monitor, streams, subjects } from '@tocsin/contracts';
import { dueAt, gridOf, newId, nextWindow } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import { aMonitor, aResult, atTheEnd, natsServer, type TestDatabase, until } from '@tocsin/testing';
import { startPostgres } from '@tocsin/testing/servers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IntakeHealth } from '../src/sweep/intake-health.ts';
import { SweepService } from '../src/sweep/sweep.service.ts';
import { SweepStore } from '../src/sweep/sweep.store.ts';
import { bench, type Instance, TestClock } from './bench.ts';

/** The silence that monitors of the factory may keep: an interval of 10 s, and a timeout. */
const SILENCE = 60_000;

describe('absence is judged', () => {
  const clock = new TestClock();
  let nats: Awaited<ReturnType<typeof natsServer>>;
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  let messaging: Messaging;
  let one: Instance;
  let sweep: SweepService;
  let road: IntakeHealth;
  let server: Pick<TestDatabase, 'urlFor'>;
  let monitor: Monitor;

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([natsServer(), startPostgres()]);
    atTheEnd(() => postgres.stop());
    messaging = await Messaging.connect({ service: 'test', instance: 't', servers: [nats.url], replicas: 1, contract });
    atTheEnd(() => messaging.close());
    await Promise.all([consumes(consumers.incidentsResults), consumes(consumers.incidentsHeartbeats)]);
    server = await postgres.createDatabase('tocsin');
    const { instance } = await bench(clock, server);
    one = instance();
  }, 60_000);

  /** Makes a durable consumer, as the service does when it starts. */
  async function consumes({
    stream,
    durable,
    filters,
  }: typeof consumers.incidentsResults | typeof consumers.incidentsHeartbeats): Promise<void> {
    const config = { durable_name: durable, filter_subjects: [...filters], ack_policy: 'explicit' as never };
    await messaging.connection.jsm.consumers.add(stream, config);
  }

  /** A monitor that was heard of a moment ago, and an instance that has been up for a minute. */
  beforeEach(async () => {
    await one.database.query('UPDATE states SET silence_ms = NULL');
    road = new IntakeHealth(messaging, clock);
    sweep = new SweepService(one.sweeps, one.states, one.heartbeats, road);
    await sweep.run();
    clock.at += 60_000;
    monitor = aMonitor({ createdAt: clock.at - 120_000, spec: { channels: [newId()] } });
    await one.config(monitor);
    const grid = gridOf(monitor.id, 10_000);
    const window = nextWindow(grid, clock.at) - 1;
    await one.results(aResult({ monitorId: monitor.id, window, dueAt: dueAt(grid, window) }));
    await sweep.run();
  });

  const state = async (): Promise<unknown> => (await one.state(monitor))?.['state'];
  const missed = async (): Promise<number> => {
    const rows = await one.database.query(
      'SELECT 1 FROM results WHERE monitor_id = $1 AND outcome = 2 AND due_at > $2',
      [monitor.id, clock.at - SILENCE],
    );
    return rows.length;
  };

  /** What the notifier is to tell of the monitor. */
  async function told(): Promise<string[]> {
    const rows = await one.database.query<{ payload: IncidentEvent }>(
      `SELECT payload FROM transitions WHERE payload->>'monitorId' = $1 ORDER BY recorded_at`,
      [monitor.id],
    );
    return rows.map(({ payload }) => `${payload.transition} ${payload.state} ${payload.reason}`);
  }

  /** After the road was cut: nothing for 5 s, and silence only from its opening on. */
  async function isJudgedFromNowOn(): Promise<void> {
    await sweep.run();
    clock.at += 4_999;
    await sweep.run();
    expect(await state()).toBe('up');
    expect(await missed()).toBe(0);
    clock.at += 1_001;
    await sweep.run();
    expect(await state()).toBe('up');
    clock.at += SILENCE;
    await sweep.run();
    expect(await state()).toBe('unknown');
    expect(await one.incidentsOf(monitor)).toMatchObject([{ reason: 'no_results', resolved_at: null }]);
  }

  it('while everything is there: a silent monitor is unknown, which is told, as is that it was heard of again', async () => {
    clock.at += SILENCE;
    await sweep.run();
    expect(await state()).toBe('unknown');
    expect(await missed()).toBeGreaterThan(0);
    expect(await told()).toEqual(['opened unknown no_results']);
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at }));
    expect(await state()).toBe('up');
    expect(await told()).toEqual(['opened unknown no_results', 'resolved up ok']);
  });

  it('though the reads for the gauges take too long: nothing hangs on them', async () => {
    const metrics = new Database({ url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'slow', statementTimeoutMs: 100 }); // prettier-ignore
    atTheEnd(() => metrics.close());
    const slow = new SweepStore(metrics);
    // The count for a gauge waits for these; the search for silence does not need them.
    await one.database.transaction(async (tx) => {
      await tx.query('LOCK TABLE incidents, rollup_progress');
      clock.at += 30_001;
      const before = road.openSince;
      expect(before).toBeDefined();
      const watched = new SweepService(slow, one.states, one.heartbeats, road);
      await watched.run();
      await expect(watched.readGauges()).rejects.toThrow('took longer than allowed');
      await expect(watched.countUnaccounted()).rejects.toThrow('took longer than allowed');
      expect(road.openSince).toBe(before);
    });
  });

  it('not while the broker is unreachable, nor right after, and that time is nobody’s silence', async () => {
    await nats.kill('SIGKILL');
    await until(() => !messaging.status().connected, { what: 'the connection to be lost' });
    clock.at += SILENCE;
    await sweep.run();
    expect(await state()).toBe('up');
    expect(await missed()).toBe(0);
    await nats.restart();
    await until(() => messaging.status().connected, { what: 'the connection' });
    await isJudgedFromNowOn();
  });

  it('not while the database is unreachable, nor right after, and that time is nobody’s silence', async () => {
    await postgres.kill('SIGKILL');
    await expect(sweep.run()).rejects.toMatchObject({ retry: true });
    clock.at += SILENCE;
    await postgres.restart();
    await until(() => one.database.query('SELECT 1'), { timeoutMs: 20_000, what: 'the database' });
    await isJudgedFromNowOn();
  }, 60_000);

  it('not while nobody can say how many results wait: a broker that elects does not name what has no leader', async () => {
    const { stream, durable } = consumers.incidentsResults;
    await messaging.connection.jsm.consumers.delete(stream, durable);
    clock.at += SILENCE;
    await sweep.run();
    expect(await state()).toBe('up');
    await consumes(consumers.incidentsResults);
    await sweep.run();
    expect(await state()).toBe('unknown');
  });

  it('not while more results wait than usual: they are late, and nobody is silent', async () => {
    const waiting = Array.from({ length: 1_001 }, () =>
      messaging.publish(subjects.result(monitor.id), aResult(), { id: newId() }),
    );
    await Promise.all(waiting);
    clock.at += SILENCE;
    await sweep.run();
    expect(await state()).toBe('up');
    await messaging.connection.jsm.streams.purge(streams.results.name);
    await sweep.run();
    expect(await state()).toBe('unknown');
  });
});
