import { atTheEnd, Sink, startService, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { System } from './system.ts';

let system: System;
let sink: Sink;

beforeAll(async () => {
  system = await System.start();
  sink = await Sink.start();
  atTheEnd(() => sink.stop());
}, 60_000);

it('what a killed instance was sending is sent by another within 3 s of its death', async () => {
  // The receiver takes long to answer, so the kill falls between claim and settlement.
  sink.answer(200, { delayMs: 60_000 });
  const channel = await system.webhook(sink.url);
  const event = await system.happens({ channels: [channel] });
  await until(() => sink.arrivals.length, { what: 'the first attempt' });
  const [row] = await system.notifications(event.incidentId);
  expect(row).toMatchObject({ status: 'sending' });
  sink.answer(200);
  // Whichever of the two holds the claim: both are killed, and a third one comes.
  const third = startService('notifier', { ...system.env, TOCSIN_INSTANCE: 'notifier-3' });
  await third;
  for (const instance of system.instances) instance.kill('SIGKILL');
  const killedAt = Date.now();
  const [sent] = await system.settled(event.incidentId, ['sent']);
  expect(sent).toMatchObject({ attempts: 2 });
  const second = sink.arrivals[1];
  expect(second!.at - killedAt).toBeLessThan(4_000);
  expect(sink.arrivals.map((arrival) => arrival.key)).toEqual([row?.['id'], row?.['id']]);
});
