import { consumers } from '@tocsin/contracts';
import type { Messaging } from '@tocsin/messaging';
import { beforeEach, describe, expect, it } from 'vitest';
import { IntakeHealth } from './intake-health.ts';

const START = 1_000_000_000_000;

describe('the intake', () => {
  let wall: number;
  let intake: IntakeHealth;

  beforeEach(() => {
    wall = START;
    const durables = [consumers.incidentsResults.durable, consumers.incidentsHeartbeats.durable];
    const queues = [{ consumers: durables.map((durable) => ({ durable, pending: 0, ackPending: 0 })) }];
    const messaging = { status: () => ({ connected: true }), queues: () => Promise.resolve(queues) };
    intake = new IntakeHealth(messaging as unknown as Messaging, { now: () => wall, monotonic: () => 0 });
    for (let n = 0; n < 7; n += 1) second();
  });

  /** A second passes, with one run of the sweep. */
  function second(): void {
    wall += 1_000;
    intake.tick();
    intake.recordDatabase(true);
  }

  it.each([
    ['the process stood still, or its clock was set forward', 40_000],
    ['the clock was set back', -40_000],
  ])('when %s, the intake opens again: results of that time are still to be read', async (_why, ms) => {
    expect(intake.isSettled()).toBe(true);
    wall += ms;
    intake.tick();
    expect(intake.openSince).toBeUndefined();
    intake.recordDatabase(true);
    expect(intake.openSince).toBe(wall);
    expect(intake.isSettled()).toBe(false);
    expect(await intake.isCaughtUp()).toBe(true);
    for (let n = 0; n < 5; n += 1) second();
    expect(intake.isSettled()).toBe(true);
  });

  it('a sweep that takes long is no standstill', () => {
    const since = intake.openSince;
    for (let n = 0; n < 30; n += 1) {
      wall += 1_200;
      intake.tick();
    }
    intake.recordDatabase(true);
    expect(intake.openSince).toBe(since);
  });
});
