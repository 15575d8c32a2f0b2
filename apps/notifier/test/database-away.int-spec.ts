import { atTheEnd, Sink, until } from '@tocsin/testing';
import { startPostgres } from '@tocsin/testing/servers';
import { beforeAll, expect, it } from 'vitest';
import { System } from './system.ts';

let system: System;
let server: Awaited<ReturnType<typeof startPostgres>>;

beforeAll(async () => {
  server = await startPostgres();
  atTheEnd(() => server.stop());
  system = await System.start(await server.createDatabase('tocsin'));
}, 60_000);

it('what was sent while PostgreSQL died is not sent again, and what happened meanwhile is sent when it is back', async () => {
  const sink = await Sink.start();
  atTheEnd(() => sink.stop());
  const channel = await system.webhook(sink.url);
  const before = await system.happens({ channels: [channel] });
  await system.settled(before.incidentId, ['sent']);
  sink.answer(200, { delayMs: 1_500 });
  const during = await Promise.all(Array.from({ length: 5 }, () => system.happens({ channels: [channel] })));
  await until(() => sink.arrivals.length === 6, { what: 'the sends to have begun' });
  await server.kill('SIGKILL');
  const meanwhile = await system.happens({ channels: [channel] });
  // Longer than a claim is good for, so that only patience keeps the other instance from sending again.
  const killedAt = Date.now();
  await until(() => Date.now() - killedAt > 4_000, { what: 'the claims to run out' });
  sink.answer(200);
  await server.restart();
  for (const event of [...during, meanwhile]) await system.settled(event.incidentId, ['sent'], 20_000);
  expect(sink.doubled()).toEqual([]);
  expect(sink.arrivals).toHaveLength(7);
}, 60_000);
