import { randomBytes } from 'node:crypto';
import { consumers, contract, type Monitor, streams, subjects } from '@tocsin/contracts';
import { dueAt, gridOf, newId, nextWindow } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import { aMonitor, aResult, atTheEnd, natsServer, postgres, Sink, startService, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';

const INTERVAL = 10_000;
const { durable } = consumers.notifierIncidents;
const EVENTS = streams.events.name;

describe('what the stream loses after it has acknowledged it', () => {
  let messaging: Messaging;
  let database: Database;
  let env: Record<string, string>;

  beforeAll(async () => {
    const [nats, server] = await Promise.all([natsServer(), postgres()]);
    const common = { TOCSIN_NATS_URLS: nats.url, TOCSIN_LOG_LEVEL: 'warn' };
    env = {
      ...common,
      TOCSIN_DATABASE_URL: server.urlFor('notifier'),
      TOCSIN_SECRET: randomBytes(32).toString('base64'),
    };
    const ofIncidents = { ...common, TOCSIN_DATABASE_URL: server.urlFor('incidents') };
    // It creates the streams, as `monitors` would.
    messaging = await Messaging.connect({ service: 'test', instance: 't', servers: [nats.url], replicas: 1, contract });
    await Promise.all([startService('incidents', ofIncidents), startService('incidents', ofIncidents)]);
    database = new Database({ url: server.urlFor('incidents'), schema: 'incidents', applicationName: 'test' });
    atTheEnd(() => Promise.all([messaging.close(), database.close()]).then(() => undefined));
  }, 60_000);

  /** A monitor whose transitions go to a sink, and what makes its next window's result. */
  async function watched(): Promise<{ monitor: Monitor; sink: Sink; report: (down: boolean) => Promise<void> }> {
    const sink = await Sink.start();
    atTheEnd(() => sink.stop());
    const channel = newId();
    const spec = { kind: 'webhook' as const, name: 'hook', settings: { url: sink.url } };
    const record = { id: channel, revision: 1, createdAt: 0, updatedAt: 0, spec };
    await messaging.publish(subjects.channelConfig(channel), record, { id: newId() });
    const createdAt = Date.now() - 30 * INTERVAL;
    const monitor = aMonitor({ createdAt, spec: { confirm: false, channels: [channel] } });
    await messaging.publish(subjects.monitorConfig(monitor.id), monitor, { id: newId() });
    const grid = gridOf(monitor.id, INTERVAL);
    let window = nextWindow(grid, Date.now()) - 20;
    const report = async (down: boolean): Promise<void> => {
      window += 1;
      const of = { monitorId: monitor.id, window, dueAt: dueAt(grid, window), ...(down ? { down: 'status' } : {}) };
      await messaging.publish(subjects.result(monitor.id), aResult(of), { id: newId() });
    };
    return { monitor, sink, report };
  }

  /** Waits until the outbox is empty and EVENTS holds the monitor's last transition: the stream has acknowledged it. */
  async function acknowledged(monitor: Monitor, transition: string): Promise<void> {
    await until(
      async () => {
        const [found] = await database.query<{ id: string; left: number }>(
          'SELECT id, (SELECT count(*) FROM outbox) AS left FROM incidents WHERE monitor_id = $1',
          [monitor.id],
        );
        if (!found || found.left > 0) return false;
        const query = { last_by_subj: subjects.incidentEvent(found.id) };
        const held = await messaging.connection.jsm.streams.getMessage(EVENTS, query);
        return held?.json<{ transition: string }>().transition === transition;
      },
      { what: `EVENTS to hold that it was ${transition}` },
    );
  }

  /**
   * Waits until the notifier has said that it knows every transition: then nothing is left to be sent. It is asked at once,
   * as the pause before the next question grows with each publication (12 s after the third).
   */
  async function confirmed(): Promise<void> {
    await database.query('UPDATE transitions SET ask_at = clock_timestamp()');
    await until(async () => (await database.query('SELECT 1 FROM transitions')).length === 0, { what: 'the answer' });
  }

  const kinds = (sink: Sink): string[] => sink.arrivals.map(({ body }) => (body as { kind: string }).kind);

  it('is published again from the record: the alarm arrives once, and its resolution after it', async () => {
    const notifier = await startService('notifier', env);
    const { monitor, sink, report } = await watched();
    notifier.kill('SIGKILL');
    await report(true);
    await acknowledged(monitor, 'opened');
    await messaging.connection.jsm.streams.purge(EVENTS);
    await startService('notifier', env);
    await until(() => sink.arrivals.length, { timeoutMs: 15_000, what: 'the alarm' });
    await report(false);
    await until(() => sink.arrivals.length > 1, { timeoutMs: 15_000, what: 'the resolution' });
    await confirmed();
    expect(kinds(sink)).toEqual(['opened', 'resolved']);
    expect(sink.doubled()).toEqual([]);
  }, 60_000);

  it('is published again at once when the stream itself was deleted under the running system', async () => {
    await startService('notifier', env);
    const { monitor, sink, report } = await watched();
    await report(false);
    await messaging.connection.jsm.consumers.pause(EVENTS, durable, new Date(Date.now() + 60_000));
    await report(true);
    await acknowledged(monitor, 'opened');
    expect(sink.arrivals).toEqual([]);
    await messaging.connection.jsm.streams.delete(EVENTS);
    await until(() => sink.arrivals.length, { timeoutMs: 20_000, what: 'the alarm' });
    await report(false);
    await until(() => sink.arrivals.length > 1, { timeoutMs: 15_000, what: 'the resolution' });
    await confirmed();
    expect(kinds(sink)).toEqual(['opened', 'resolved']);
    expect(sink.doubled()).toEqual([]);
  }, 60_000);
});
