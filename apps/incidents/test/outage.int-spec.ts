import { consumers, contract, subjects } from '@tocsin/contracts';
import { dueAt, gridOf, newId, nextWindow, systemClock } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import {
  aMonitor,
  aMonitorOf,
  aResult,
  atTheEnd,
  natsServer,
  type ServiceProcess,
  startService,
  until,
} from '@tocsin/testing';
import { startPostgres } from '@tocsin/testing/servers';
import { beforeAll, expect, it } from 'vitest';

const MONITORS = 40;
const WINDOWS = 125;
const PINGS = 2_000;
const NEW_MONITORS = 1_000;
const OBSERVED_MS = 4_000;
/** Each consumer's batch, as its handler asks for it. */
const BATCHES = {
  [consumers.incidentsResults.durable]: 250,
  [consumers.incidentsHeartbeats.durable]: 100,
  [consumers.incidentsConfig.durable]: 200,
};

let server: Awaited<ReturnType<typeof startPostgres>>;
let messaging: Messaging;
let database: Database;
let service: ServiceProcess;

beforeAll(async () => {
  const [nats, postgres] = await Promise.all([natsServer(), startPostgres()]);
  server = postgres;
  atTheEnd(() => server.stop());
  const url = (await server.createDatabase('tocsin')).urlFor('incidents');
  // It creates the streams, as `monitors` would.
  messaging = await Messaging.connect({ service: 'test', instance: 't', servers: [nats.url], replicas: 1, contract });
  service = await startService('incidents', { TOCSIN_NATS_URLS: nats.url, TOCSIN_DATABASE_URL: url });
  database = new Database({ url, schema: 'incidents', applicationName: 'test' });
  atTheEnd(() => Promise.all([messaging.close(), database.close()]).then(() => undefined));
}, 60_000);

/** How many deliveries of a durable were given back so far. */
async function givenBack(durable: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.includes(`durable="${durable}"`) && one.includes('outcome="nak"'));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const count = async (sql: string): Promise<number> => (await database.query<{ n: number }>(sql))[0]?.n ?? 0;
const waited = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('an outage of the database costs about one attempt a second, however much waits, and ends when it ends', async () => {
  const createdAt = systemClock.now() - (WINDOWS + 5) * 10_000;
  const monitors = Array.from({ length: MONITORS }, () => aMonitor({ createdAt, spec: { confirm: false } }));
  const backup = aMonitorOf({ kind: 'heartbeat', name: 'backup', settings: { schedule: { every: '1h' } } });
  for (const one of [...monitors, backup])
    await messaging.publish(subjects.monitorConfig(one.id), one, { id: newId() });
  await until(async () => (await count('SELECT count(*) AS n FROM states')) === MONITORS + 1, { what: 'all known' });

  await server.kill('SIGKILL');
  const results = monitors.flatMap((monitor) => {
    const grid = gridOf(monitor.id, 10_000);
    const first = nextWindow(grid, createdAt);
    const one = (n: number) => aResult({ monitorId: monitor.id, window: first + n, dueAt: dueAt(grid, first + n) });
    return Array.from({ length: WINDOWS }, (_, n) => ({
      subject: subjects.result(monitor.id),
      data: one(n) as object,
    }));
  });
  const pings = Array.from({ length: PINGS }, () => ({
    subject: subjects.heartbeat(backup.id),
    data: { monitorId: backup.id, pingId: newId(), signal: 'success', receivedAt: systemClock.now() },
  }));
  const created = Array.from({ length: NEW_MONITORS }, () => aMonitor({ spec: { paused: true } }));
  const configs = created.map((one) => ({ subject: subjects.monitorConfig(one.id), data: one }));
  const all = [...results, ...pings, ...configs];
  await Promise.all(all.map(({ subject, data }) => messaging.publish(subject, data, { id: newId() })));

  await waited(2_000);
  const before = await Promise.all(Object.keys(BATCHES).map(givenBack));
  await waited(OBSERVED_MS);
  const after = await Promise.all(Object.keys(BATCHES).map(givenBack));
  const attempts = Object.values(BATCHES).map((size, n) => (after[n]! - before[n]!) / size);
  for (const each of attempts) {
    expect(each).toBeGreaterThan(1);
    expect(each).toBeLessThanOrEqual(OBSERVED_MS / 1_000 + 1.5);
  }

  await server.restart();
  const backAt = systemClock.monotonic();
  const recorded = `SELECT count(*) AS n FROM results WHERE prober = 'prober-1'`;
  await until(async () => (await count(recorded)) > 0, { what: 'the first result' });
  expect(systemClock.monotonic() - backAt).toBeLessThan(3_000);
  await until(async () => (await count(recorded)) === MONITORS * WINDOWS, { timeoutMs: 20_000, what: 'all results' });
  const known = 'SELECT count(*) AS n FROM states';
  await until(async () => (await count(known)) === MONITORS + 1 + NEW_MONITORS, { what: 'all configurations' });
  const drained = async (): Promise<boolean> =>
    (await messaging.queues()).find(({ stream }) => stream === 'RESULTS')?.messages === 0;
  await until(drained, { what: 'all pings' });
  expect(await messaging.deadLetters.list({ limit: 1 })).toEqual([]);
}, 90_000);
