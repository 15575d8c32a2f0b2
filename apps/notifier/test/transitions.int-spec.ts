import { requests, type Transition } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.start();
}, 60_000);

async function aSink(): Promise<Sink> {
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  return sink;
}

type Asked = { incidentId: string; transition: Transition; channels: string[] };

async function known(...transitions: Asked[]): Promise<string[]> {
  const answer = await system.messaging.request(requests.transitionsKnown, { transitions });
  return answer.known.map(({ incidentId, transition }) => `${incidentId} ${transition}`);
}

it('a transition is known when each of its channels has its notification or was deleted, and not before', async () => {
  const sink = await aSink();
  const [here, later, gone] = [await system.webhook(sink.url), await system.webhook(sink.url), newId()];
  const deleted = { id: gone, revision: 2, deleted: true as const };
  await system.messaging.publish(`config.channels.${gone}`, deleted, { id: newId() });
  const { incidentId } = await system.happens({ channels: [here] });
  await system.settled(incidentId, ['sent']);
  const of = (transition: Transition, channels: string[], id = incidentId): Asked => ({
    incidentId: id,
    transition,
    channels,
  });
  await until(async () => (await known(of('resolved', [gone]))).length === 1, { what: 'the channel to be gone' });
  expect(await known(of('opened', [here, gone]), of('resolved', [here]), of('opened', [here], newId()))).toEqual([
    `${incidentId} opened`,
  ]);
  expect(await known(of('opened', [here, later]))).toEqual([]);
  expect(await known()).toEqual([]);
});

it('transitions that are published again, in any order and by anybody, change nothing', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const opened = await system.happens({ channels: [channel] });
  await system.settled(opened.incidentId, ['sent']);
  const acknowledged = { ...opened, transition: 'acknowledged' as const };
  const resolved = { ...opened, transition: 'resolved' as const, state: 'up' as const };
  await system.happens(acknowledged);
  await system.settled(opened.incidentId, ['sent', 'sent']);
  await system.happens(resolved);
  const before = await system.settled(opened.incidentId, ['sent', 'sent', 'sent']);
  for (const event of [resolved, opened, acknowledged, opened, resolved]) await system.happens(event);
  // What comes behind them on the same road has passed them.
  const marker = await system.happens({ channels: [channel] });
  await system.settled(marker.incidentId, ['sent']);
  await until(async () => (await waiting()) === 0, { what: 'the road to be empty' });
  expect(await system.notifications(opened.incidentId)).toEqual(before);
  expect(sink.arrivals.map(({ body }) => (body as { kind: string }).kind)).toEqual([
    'opened',
    'acknowledged',
    'resolved',
    'opened',
  ]);
  expect(sink.doubled()).toEqual([]);
});

it('a resolution whose opening was lost waits for it to be published again, and follows it', async () => {
  const sink = await aSink();
  const channel = await system.webhook(sink.url);
  const opening = { incidentId: newId(), channels: [channel] };
  await system.happens({ ...opening, transition: 'resolved', state: 'up' });
  const [row = {}] = await until(
    async () => {
      const rows = await system.notifications(opening.incidentId);
      return rows.length > 0 && rows;
    },
    { what: 'the resolution to be recorded' },
  );
  // The owner of the opening asks 3 s after it has published it, and a second time after 6 s more.
  const waits = (row['next_attempt_at'] as Date).getTime() - (row['created_at'] as Date).getTime();
  expect(waits).toBeGreaterThan(15_000);
  await system.happens(opening);
  await system.settled(opening.incidentId, ['sent', 'sent']);
  expect(sink.arrivals.map(({ body }) => (body as { kind: string }).kind)).toEqual(['opened', 'resolved']);
});

async function waiting(): Promise<number> {
  const queues = await system.messaging.queues();
  const found = queues.flatMap(({ consumers }) => consumers).find(({ durable }) => durable === 'notifier-incidents');
  return found ? found.pending + found.ackPending : Infinity;
}
