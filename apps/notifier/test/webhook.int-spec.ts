import { createHmac } from 'node:crypto';
import { requests, streams } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { sealing, System } from './system.ts';

let system: System;
const events: { data: unknown }[] = [];

beforeAll(async () => {
  system = await System.start();
  const following = { stream: streams.events.name, filters: ['events.notifications.>'], from: 'all' as const };
  await system.messaging.follow(following, (message) => events.push(message));
}, 60_000);

async function aSink(): Promise<Sink> {
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  return sink;
}

it('an opening is delivered once, signed, with its key, although two instances race for it', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  // The same event again, as after a broker that forgot its duplicates.
  await system.happens(event);
  await system.happens(event);
  const [row] = await system.settled(event.incidentId, ['sent']);
  expect(row).toMatchObject({
    kind: 'opened',
    step: 0,
    attempts: 1,
    channel_id: channel,
    channel_name: 'hook',
    answer: 'status 200',
  });
  expect(row?.['to']).toBe(new URL(sink.url).host);
  expect(row?.['sent_at']).toBeInstanceOf(Date);
  expect(sink.arrivals).toHaveLength(1);
  const [arrival] = sink.arrivals;
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(arrival?.headers['tocsin-signature'])) ?? [];
  expect(createHmac('sha256', 's3cret').update(`${t}.${arrival?.raw}`).digest('hex')).toBe(v1);
  expect(Math.abs(Number(t) * 1000 - Date.now())).toBeLessThan(10_000);
  expect(arrival?.key).toBe(row?.['id']);
  expect(arrival?.body).toMatchObject({
    version: 1,
    kind: 'opened',
    notificationId: row?.['id'],
    incident: { id: event.incidentId, status: 'open', state: 'down', message: event.message },
    monitor: { id: event.monitorId, name: 'site' },
  });
  const told = { notificationId: row?.['id'], incidentId: event.incidentId, channelId: channel, status: 'sent' };
  await until(() => events.some(({ data }) => (data as typeof told).notificationId === told.notificationId), {
    what: 'the event',
  });
  expect(events.find(({ data }) => (data as typeof told).notificationId === told.notificationId)?.data).toMatchObject(
    told,
  );
});

it('a hundred openings at once are each delivered once', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const opened = await Promise.all(Array.from({ length: 100 }, () => system.happens({ channels: [channel] })));
  await until(() => sink.arrivals.length >= 100, { what: 'all of them' });
  await Promise.all(opened.map((event) => system.settled(event.incidentId, ['sent'])));
  expect(sink.doubled()).toEqual([]);
  expect(sink.arrivals).toHaveLength(100);
});

it('a receiver that was down gets it once, when it is back, with the same key on every attempt', async () => {
  const sink = await aSink();
  sink.answerNext({ status: 503 }, { status: 500 });
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  const [row] = await system.settled(event.incidentId, ['sent']);
  expect(row).toMatchObject({ attempts: 3 });
  expect(sink.arrivals.map((arrival) => arrival.answered)).toEqual([503, 500, 200]);
  expect(new Set(sink.arrivals.map((arrival) => arrival.key))).toEqual(new Set([row?.['id']]));
  expect(new Set(sink.arrivals.map((arrival) => arrival.raw)).size).toBe(1);
  expect(sink.arrivals[0]?.body).toMatchObject({ channel: { id: channel, name: 'hook' } });
});

it('a receiver that refuses the connection is tried again', async () => {
  const sink = await aSink();
  const { url } = sink;
  await sink.stop();
  const channel = await system.webhook(url);
  const event = await system.happens({ channels: [channel] });
  const failing = async () => (await system.notifications(event.incidentId))[0];
  const row = await until(
    async () => {
      const found = await failing();
      return Number(found?.['attempts']) >= 2 && found?.['status'] === 'pending' && found;
    },
    { what: 'a second attempt' },
  );
  expect(row['answer']).toMatch(/connection refused/);
  expect(row['next_attempt_at']).toBeInstanceOf(Date);
});

it('429 is tried again when Retry-After says, and not before', async () => {
  const sink = await aSink();
  sink.answerNext({ status: 429, headers: { 'retry-after': '2' } });
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  await system.settled(event.incidentId, ['sent']);
  const [first, second] = sink.arrivals;
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(1_900);
});

it.each([400, 404, 302])('%i is not tried again, and is shown as failed', async (status) => {
  const sink = await aSink();
  sink.answer(status, { headers: { location: 'http://127.0.0.1:9/' } });
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  const [row] = await system.settled(event.incidentId, ['failed']);
  expect(row).toMatchObject({ attempts: 1, answer: `status ${status}`, sent_at: null });
  await expect
    .poll(() => events.map(({ data }) => data))
    .toContainEqual(expect.objectContaining({ notificationId: row?.['id'], status: 'failed' }));
  expect(sink.arrivals).toHaveLength(1);
});

it('a resolution waits for its opening, and both arrive in order', async () => {
  const sink = await aSink();
  sink.answerNext({ status: 503 }, { status: 503 }, { status: 503 });
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  await until(() => sink.arrivals.length > 0, { what: 'a first attempt' });
  await system.happens({ ...event, transition: 'resolved', state: 'up' });
  await system.settled(event.incidentId, ['sent', 'sent']);
  const kinds = sink.arrivals.filter((one) => one.answered === 200).map((one) => (one.body as { kind: string }).kind);
  expect(kinds).toEqual(['opened', 'resolved']);
});

it('a resolution that overtakes its opening is sent after it', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const incidentId = newId();
  await system.happens({ incidentId, channels: [channel], transition: 'resolved', state: 'up' });
  await until(async () => (await system.notifications(incidentId)).length, { what: 'the resolution to be recorded' });
  await system.happens({ incidentId, channels: [channel] });
  await system.settled(incidentId, ['sent', 'sent']);
  expect(sink.arrivals.map((one) => (one.body as { kind: string }).kind)).toEqual(['opened', 'resolved']);
});

it('reminders come while the incident is open, and end when it is acknowledged', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel], remindEvery: '300ms' });
  await until(() => sink.arrivals.length >= 3, { what: 'two reminders' });
  await system.happens({ ...event, transition: 'acknowledged', by: 'me' });
  await until(() => sink.arrivals.some((one) => (one.body as { kind: string }).kind === 'acknowledged'), {
    what: 'the acknowledgement',
  });
  const rows = await until(
    async () => {
      const found = await system.notifications(event.incidentId);
      return found.every((row) => row['status'] !== 'pending' && row['status'] !== 'sending') && found;
    },
    { what: 'nothing to be left' },
  );
  const cancelled = rows.filter((row) => row['status'] === 'cancelled').length;
  // None where a reminder was on its way at that moment: it is the last one.
  expect(cancelled).toBeLessThanOrEqual(1);
  expect(sink.arrivals).toHaveLength(rows.length - cancelled);
  const steps = sink.arrivals.map((one) => (one.body as { step: number }).step);
  expect(steps.slice(0, 3)).toEqual([0, 1, 2]);
  expect(sink.doubled()).toEqual([]);
});

it('a slow receiver does not delay other channels', async () => {
  const [slow, quick] = await Promise.all([aSink(), aSink()]);
  slow.answer(200, { delayMs: 5_000 });
  const channels = [await system.webhook(slow.url), await system.webhook(quick.url)];
  for (let n = 0; n < 40; n++) await system.happens({ channels: [channels[0]!] });
  await until(() => slow.arrivals.length >= 8, { what: 'the slow one to be busy' });
  const started = Date.now();
  await system.happens({ channels: [channels[1]!] });
  await until(() => quick.arrivals.length, { what: 'the quick one' });
  expect(Date.now() - started).toBeLessThan(1_000);
});

it('a sealed address is opened for the delivery alone: of what is recorded, told and logged nobody learns it', async () => {
  const sink = await aSink();
  sink.answer(410);
  const { origin } = new URL(sink.url);
  const channel = await system.webhook(sealing.sealAddress(`${origin}/services/T0/hunter2?key=hunter3`));
  const event = await system.happens({ channels: [channel] });
  const rows = await system.settled(event.incidentId, ['failed']);
  expect(sink.arrivals.map(({ target }) => target)).toEqual(['/services/T0/hunter2?key=hunter3']);
  await until(() => JSON.stringify(events).includes(event.incidentId), { what: 'the event' });
  const logs = system.instances.map((instance) => instance.logs()).join('');
  expect(JSON.stringify([rows, events, logs])).not.toMatch(/hunter/);
});

it('a test of a channel is sent once, at once, and answered with what the receiver said', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const operationId = newId();
  const view = await system.test(channel, operationId);
  expect(view).toMatchObject({ kind: 'test', status: 'sent', attempts: 1, channelId: channel, answer: 'status 200' });
  expect(await system.messaging.request(requests.operationsOfNotifier, { operationId })).toMatchObject({
    status: 'done',
    result: view,
    requestHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  const asked = { kind: 'channel' as const, resourceId: channel, limit: 10 };
  const { items } = await system.messaging.request(requests.changesOfNotifier, asked);
  expect(items).toMatchObject([{ operationId, kind: 'channel', resourceId: channel, outcome: 'done' }]);
  expect(sink.arrivals).toHaveLength(1);
  sink.answer(503);
  expect(await system.test(channel)).toMatchObject({ status: 'failed', attempts: 1, answer: 'status 503' });
  await expect(system.test(newId())).rejects.toMatchObject({ code: 'not_found' });
});

it('what waits for a channel is tried at once when the channel is corrected, and cancelled when it is deleted', async () => {
  const sink = await aSink();
  const id = await system.channel({ kind: 'webhook', name: 'wrong', settings: { url: 'http://127.0.0.1:9/' } });
  const event = await system.happens({ channels: [id] });
  await until(async () => Number((await system.notifications(event.incidentId))[0]?.['attempts']) >= 4, {
    what: 'attempts',
  });
  await system.channel({ kind: 'webhook', name: 'right', settings: { url: sink.url } }, 2, id);
  await system.settled(event.incidentId, ['sent']);
  // An older revision that comes late changes nothing.
  await system.channel({ kind: 'webhook', name: 'wrong', settings: { url: 'http://127.0.0.1:9/' } }, 1, id);
  const second = await system.happens({ channels: [id] });
  expect((await system.settled(second.incidentId, ['sent']))[0]).toMatchObject({ channel_name: 'right' });
});
