import type { ChannelSpec } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, Sink, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.start();
}, 60_000);

it.each([
  ['of a kind', { kind: 'pigeon', name: 'loft', settings: { ring: 7 } }],
  ['with settings', { kind: 'email', name: 'loft', settings: { to: 'the list of a later version' } }],
])('an alarm to a channel %s that only a later version knows waits for that version', async (_, later) => {
  const channel = await system.channel(later as unknown as ChannelSpec);
  const event = await system.happens({ channels: [channel] });
  const seen = Date.now();
  // Long enough to have been claimed and given back.
  await until(() => Date.now() - seen > 2_500, { what: 'some turns to pass' });
  const [row] = await system.notifications(event.incidentId);
  expect(row?.['attempts']).toBeLessThanOrEqual(1);
  expect(['pending', 'sending']).toContain(row?.['status']);
  expect(row).toMatchObject({ to: '', answer: null });
  // What the later version does with it, this one does with a kind that it knows.
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  await system.channel({ kind: 'webhook', name: 'loft', settings: { url: sink.url } }, 2, channel);
  const [sent] = await system.settled(event.incidentId, ['sent']);
  expect(sent).toMatchObject({ attempts: 1 });
  expect(sink.arrivals).toHaveLength(1);
});

it('a test of a channel of a later kind says so at once', async () => {
  const channel = await system.channel(
    { kind: 'pigeon', name: 'loft', settings: {} } as unknown as ChannelSpec,
    1,
    newId(),
  );
  const tested = await system.test(channel);
  expect(tested).toMatchObject({ status: 'failed', answer: expect.stringContaining('a later version') as string });
});
