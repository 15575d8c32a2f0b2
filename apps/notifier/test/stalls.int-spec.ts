import { Database } from '@tocsin/database';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { signalUnlessGone, startPostgres } from '@tocsin/testing/servers';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { System } from './system.ts';

let system: System;
let server: Awaited<ReturnType<typeof startPostgres>>;
let owner: Database;
let sink: Sink;
let channel: string;

/** Longer than a claim is good for, and shorter than any statement's time limit: nobody gets an error. */
const STALL_MS = 3_000;

beforeAll(async () => {
  server = await startPostgres();
  atTheEnd(() => server.stop());
  const database = await server.createDatabase('tocsin');
  system = await System.start(database);
  owner = new Database({ url: database.urlFor('notifier'), schema: 'notifier', applicationName: 'test' });
  atTheEnd(() => owner.close());
}, 60_000);

beforeEach(async () => {
  sink = await Sink.start();
  atTheEnd(() => sink.stop());
  channel = await system.webhook(sink.url);
  const first = await system.happens({ channels: [channel] });
  await system.settled(first.incidentId, ['sent']);
  // From here on each instance would take over what others let run out.
  await pass(STALL_MS);
});

it('an alarm whose commit stalls until its claim has run out is sent once, and soon', async () => {
  await owner.query(`CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(${STALL_MS / 1_000}); RETURN NULL; END $$`);
  await owner.query(`CREATE CONSTRAINT TRIGGER stall AFTER INSERT ON notifications
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stall()`);
  sink.answer(200, { delayMs: 1_000 });
  const events = [];
  // Spread over the time between two polls, so that some become visible just before another instance looks.
  for (let nth = 0; nth < 10; nth++) {
    events.push(await system.happens({ channels: [channel] }));
    await pass(60);
  }
  for (const event of events) await system.settled(event.incidentId, ['sent'], STALL_MS + 4_000);
  await owner.query('DROP TRIGGER stall ON notifications');
  expect(sink.doubled()).toEqual([]);
  expect(sink.arrivals).toHaveLength(11);
});

it('what is being sent while PostgreSQL stands still is not sent by another', async () => {
  sink.answer(200, { delayMs: STALL_MS + 2_000 });
  const events = await Promise.all(Array.from({ length: 6 }, () => system.happens({ channels: [channel] })));
  await until(() => sink.arrivals.length === 7, { what: 'the sends to have begun' });
  const first = await backendsOf('notifier-2');
  await server.kill('SIGSTOP');
  await pass(STALL_MS);
  // What one instance asked meanwhile is answered first: the other could not yet say that it is still sending.
  first.forEach((pid) => signalUnlessGone(pid, 'SIGCONT'));
  await pass(200);
  await server.kill('SIGCONT');
  for (const event of events) await system.settled(event.incidentId, ['sent']);
  expect(sink.doubled()).toEqual([]);
  expect(sink.arrivals).toHaveLength(7);
});

async function backendsOf(instance: string): Promise<number[]> {
  const rows = await owner.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1', [
    `%${instance}%`,
  ]);
  return rows.map(({ pid }) => pid);
}

async function pass(ms: number): Promise<void> {
  const since = Date.now();
  await until(() => Date.now() - since > ms, { timeoutMs: ms + 5_000, what: `${ms} ms to pass` });
}
