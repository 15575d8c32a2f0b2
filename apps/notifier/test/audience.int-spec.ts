import { newId } from '@tocsin/core';
import { Database, Operations, Outbox } from '@tocsin/database';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { NotificationsStore } from '../src/notifications/notifications.store.ts';
import { System } from './system.ts';

let system: System;
let owner: Database;

beforeAll(async () => {
  system = await System.start();
  const url = String(system.env['TOCSIN_DATABASE_URL']);
  owner = new Database({ url, schema: 'notifier', applicationName: 'test' });
  atTheEnd(() => owner.close());
}, 60_000);

async function aHook(): Promise<{ id: string; kinds: () => string[] }> {
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  const kinds = (): string[] => sink.arrivals.map(({ body }) => (body as { kind: string }).kind);
  return { id: await system.webhook(sink.url), kinds };
}

/** Makes due what waits for a channel. */
async function hurry(channelId: string, agedMs = 0): Promise<void> {
  await owner.query(
    `UPDATE notifications SET due_at = now(), created_at = created_at - $2 * interval '1 millisecond'
     WHERE channel_id = $1 AND status = 'pending'`,
    [channelId, agedMs],
  );
}

async function rowsOf(
  channelId: string,
): Promise<{ kind: string; status: string; answer: string | null; due: Date }[]> {
  return owner.query('SELECT kind, status, answer, due_at AS due FROM notifications WHERE channel_id = $1', [
    channelId,
  ]);
}

it('the end goes to the channel that heard the beginning although the event names another; that one hears no end alone', async () => {
  const [a, b] = [await aHook(), await aHook()];
  const opened = await system.happens({ channels: [a.id] });
  await until(() => a.kinds().length === 1, { what: 'the opening' });
  await system.happens({ ...opened, transition: 'acknowledged', channels: [b.id] });
  await until(() => a.kinds().length === 2, { what: 'the acknowledgement' });
  await system.happens({ ...opened, transition: 'resolved', state: 'up', channels: [b.id] });
  await until(() => a.kinds().length === 3, { what: 'the end' });
  expect(a.kinds()).toEqual(['opened', 'acknowledged', 'resolved']);
  await until(async () => (await rowsOf(b.id)).length === 2, { what: 'what waits for an opening' });
  await hurry(b.id, 86_400_001);
  await until(async () => (await rowsOf(b.id)).every(({ status }) => status === 'cancelled'), { what: 'its end' });
  expect((await rowsOf(b.id)).map(({ answer }) => answer)).toEqual(
    Array(2).fill('this channel was told of no opening'),
  );
  expect(b.kinds()).toEqual([]);
});

it('what waits for its opening is looked at in its time and not sent, and follows the opening at once', async () => {
  const a = await aHook();
  const incident = { incidentId: newId(), channels: [a.id] };
  await system.happens({ ...incident, transition: 'resolved', state: 'up' });
  await until(async () => (await rowsOf(a.id)).length === 1, { what: 'the end to be recorded' });
  await hurry(a.id);
  const later = Date.now() + 25_000;
  await until(async () => (await rowsOf(a.id)).some(({ due }) => due.getTime() > later), { what: 'it to be put off' });
  expect(a.kinds()).toEqual([]);
  await system.happens(incident);
  await until(() => a.kinds().length === 2, { what: 'both' });
  expect(a.kinds()).toEqual(['opened', 'resolved']);
});

it('a channel that is added hears the opening and the end; one that is removed is reminded no more, and hears the end', async () => {
  const [a, b] = [await aHook(), await aHook()];
  const first = await system.happens({ channels: [a.id], remindEvery: '300ms' });
  await until(() => a.kinds().includes('reminder'), { what: 'a reminder' });
  const added = { ...first, channels: [a.id, b.id] };
  await system.happens({ ...added, reminded: { channels: [b.id], revision: 3 } });
  await until(() => b.kinds().filter((kind) => kind === 'reminder').length >= 2, { what: 'two reminders' });
  // A change that was made before and comes late changes nothing.
  await system.happens({ ...added, reminded: { channels: [a.id], revision: 2 } });
  const before = a.kinds().length;
  const more = b.kinds().length + 3;
  await until(() => b.kinds().length >= more, { what: 'three more' });
  expect(a.kinds().length - before).toBeLessThanOrEqual(1);
  // Put back, it is reminded as before.
  await system.happens({ ...added, reminded: { channels: [a.id, b.id], revision: 4 } });
  const quiet = a.kinds().length;
  await until(async () => (await owner.query('SELECT FROM reminded WHERE revision = 4')).length === 1, { what: 'it' });
  await hurry(a.id);
  await until(() => a.kinds().length > quiet, { what: 'a reminder again' });
  await system.happens({ ...added, transition: 'resolved', state: 'up' });
  await until(() => a.kinds().includes('resolved') && b.kinds().includes('resolved'), { what: 'the ends' });
  for (const { kinds } of [a, b]) {
    expect(kinds().filter((kind) => kind !== 'reminder')).toEqual(['opened', 'resolved']);
    expect(kinds().at(-1)).toBe('resolved');
  }
});

it('an opening is kept for as long as its end has not come', async () => {
  const a = await aHook();
  const [open, over] = [await system.happens({ channels: [a.id] }), await system.happens({ channels: [a.id] })];
  await system.happens({ ...over, transition: 'resolved', state: 'up' });
  await system.settled(open.incidentId, ['sent']);
  await system.settled(over.incidentId, ['sent', 'sent']);
  await owner.query(`UPDATE notifications SET created_at = now() - interval '401 days' WHERE channel_id = $1`, [a.id]);
  await new NotificationsStore(owner, new Operations(owner, new Outbox())).tidy(400);
  expect(await rowsOf(a.id)).toMatchObject([{ kind: 'opened', status: 'sent' }]);
});
