import { beforeEach, describe, expect, it } from 'vitest';
import type { HeartbeatsService } from '../heartbeats/heartbeats.service.ts';
import type { IntakeHealth } from './intake-health.ts';
import type { StateSweep } from './state-sweep.ts';
import { SweepService } from './sweep.service.ts';
import type { SweepStore } from './sweep.store.ts';

const NOW = 1_000_000_000_000;

describe('a round of the sweep, with everything due', () => {
  let done: [string, ...number[]][];
  let intake: { settled: boolean; caughtUp: boolean };
  let sweep: SweepService;

  beforeEach(() => {
    done = [];
    intake = { settled: true, caughtUp: true };
    const does =
      <T>(name: string, answer: T) =>
      (...args: number[]): Promise<T> => {
        done.push([name, ...args]);
        return Promise.resolve(answer);
      };
    const due = { silent: true, confirmations: true, heartbeats: true, windows: true };
    const store = { due: () => Promise.resolve(due), markMissed: does('windows', { missed: 0, looked: 0 }) };
    const states = { confirm: does('confirmations', undefined), silence: does('silence', undefined) };
    const heartbeats = { sweep: does('heartbeats', 0) };
    const standIn = {
      now: () => NOW,
      recordDatabase: () => undefined,
      openSince: NOW - 60_000,
      isSettled: () => intake.settled,
      isCaughtUp: () => Promise.resolve(intake.caughtUp),
    };
    sweep = new SweepService(
      store as unknown as SweepStore,
      states as unknown as StateSweep,
      heartbeats as unknown as HeartbeatsService,
      standIn as unknown as IntakeHealth,
    );
  });

  const names = async (): Promise<string[]> => {
    await sweep.run();
    return done.map(([name]) => name);
  };

  it('while the intake is cut, or was until a moment ago, nothing is judged, not even a missing confirmation', async () => {
    intake.settled = false;
    expect(await names()).toEqual([]);
  });

  it('while results wait, only windows are marked: the answer comes in their place', async () => {
    intake.caughtUp = false;
    expect(await names()).toEqual(['windows']);
  });

  it('with an open intake all is judged from its opening on; heartbeats last, and later by the time in which a killed instance’s pings come again', async () => {
    await sweep.run();
    expect(done.map(([name, ...args]) => [name, ...args.map((at) => at - NOW)])).toEqual([
      ['confirmations', 0, -60_000],
      ['silence', 0, -60_000],
      ['heartbeats', -3_000],
      ['windows', 0, 500 - NOW],
    ]);
  });
});
