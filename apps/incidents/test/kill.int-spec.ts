import { contract, type IncidentEvent, type Monitor, streams, subjects } from '@tocsin/contracts';
import { dueAt, gridOf, nextWindow } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import { aMonitor, aResult, atTheEnd, natsServer, postgres, startService, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';

const MONITORS = 40;
const WINDOWS = 30;

/** Down in windows 5 to 9 and 20 to 24: two incidents each, both resolved. */
function isDown(n: number): boolean {
  return (n >= 5 && n < 10) || (n >= 20 && n < 25);
}

describe('two instances, one of them killed without warning', () => {
  let messaging: Messaging;
  let database: Database;
  let env: Record<string, string>;

  beforeAll(async () => {
    const [nats, server] = await Promise.all([natsServer(), postgres()]);
    env = { TOCSIN_NATS_URLS: nats.url, TOCSIN_DATABASE_URL: server.urlFor('incidents') };
    messaging = await Messaging.connect({ service: 'test', instance: 't', servers: [nats.url], replicas: 1, contract });
    database = new Database({ url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'test' });
    atTheEnd(() => Promise.all([messaging.close(), database.close()]).then(() => undefined));
  }, 60_000);

  async function publish(monitor: Monitor, n: number): Promise<void> {
    const grid = gridOf(monitor.id, 10_000);
    const window = nextWindow(grid, monitor.gridSince) + n;
    const due = dueAt(grid, window);
    const one = aResult({ monitorId: monitor.id, window, dueAt: due, ...(isDown(n) ? { down: 'status' } : {}) });
    await messaging.publish(subjects.result(monitor.id), one, { id: `${monitor.id}.${window}` });
  }

  it('every result is recorded once, and every incident is opened and resolved once', async () => {
    const [victim] = await Promise.all([startService('incidents', env), startService('incidents', env)]);
    const createdAt = Date.now() - WINDOWS * 10_000 - 15_000;
    const monitors = Array.from({ length: MONITORS }, () => aMonitor({ createdAt, spec: { confirm: false } }));
    for (const one of monitors) await messaging.publish(subjects.monitorConfig(one.id), one, { id: `${one.id}.1` });

    const seen: IncidentEvent[] = [];
    await messaging.follow(
      { stream: streams.events.name, filters: [subjects.incidentEvent('>')], from: 'all' },
      (event) => {
        seen.push(event.data as IncidentEvent);
      },
    );
    for (let n = 0; n < WINDOWS; n += 1) {
      await Promise.all(monitors.map((monitor) => publish(monitor, n)));
      if (n === 12) victim.kill('SIGKILL');
    }
    const count = async (sql: string): Promise<number> => (await database.query<{ n: number }>(sql))[0]?.n ?? 0;
    // What the killed one held comes again after the ack wait.
    await until(async () => (await count(RECORDED)) === MONITORS * WINDOWS, { timeoutMs: 60_000, what: 'all results' });
    await until(async () => (await count(OPEN)) === 0, { what: 'all incidents resolved' });
    const ofEach = await database.query<{ n: number }>('SELECT count(*) AS n FROM incidents GROUP BY monitor_id');
    // Windows that the killed one held are older than those that the other folded meanwhile: they are recorded and
    // change nothing any more, so a short outage may have passed unseen. None may be seen twice.
    for (const { n } of ofEach) expect(n).toBeLessThanOrEqual(2);
    const incidents = await count('SELECT count(*) AS n FROM incidents');
    await until(() => seen.length >= 2 * incidents, { what: 'all transitions' });
    const transitions = seen.map((event) => `${event.incidentId} ${event.transition}`);
    expect(transitions).toHaveLength(2 * incidents);
    expect(new Set(transitions).size).toBe(transitions.length);
  }, 120_000);
});

const RECORDED = `SELECT count(*) AS n FROM results WHERE prober <> ''`;
const OPEN = 'SELECT count(*) AS n FROM incidents WHERE resolved_at IS NULL';
