import { consumers } from '@tocsin/contracts';
import type { Messaging } from '@tocsin/messaging';
import { beforeEach, describe, expect, it } from 'vitest';
import { Road } from './road.ts';

const START = 1_000_000_000_000;

describe('the road', () => {
  let wall: number;
  let road: Road;

  beforeEach(() => {
    wall = START;
    const durables = [consumers.incidentsResults.durable, consumers.incidentsHeartbeats.durable];
    const queues = [{ consumers: durables.map((durable) => ({ durable, pending: 0, ackPending: 0 })) }];
    const messaging = { status: () => ({ connected: true }), queues: () => Promise.resolve(queues) };
    road = new Road(messaging as unknown as Messaging, { now: () => wall, monotonic: () => 0 });
    for (let n = 0; n < 7; n += 1) second();
  });

  /** Time goes on as it should, with a round of the sweep. */
  function second(): void {
    wall += 1_000;
    road.beat();
    road.note(true);
  }

  it.each([
    ['the process stood still, or its clock was set forward', 40_000],
    ['the clock was set back', -40_000],
  ])('when %s, it opens anew: what came meanwhile is still to be read', async (_why, ms) => {
    expect(road.isSettled()).toBe(true);
    wall += ms;
    road.beat();
    expect(road.openSince).toBeUndefined();
    road.note(true);
    expect(road.openSince).toBe(wall);
    expect(road.isSettled()).toBe(false);
    expect(await road.isCaughtUp()).toBe(true);
    for (let n = 0; n < 5; n += 1) second();
    expect(road.isSettled()).toBe(true);
  });

  it('a round that takes long is no standstill', () => {
    const since = road.openSince;
    for (let n = 0; n < 30; n += 1) {
      wall += 1_200;
      road.beat();
    }
    road.note(true);
    expect(road.openSince).toBe(since);
  });
});
