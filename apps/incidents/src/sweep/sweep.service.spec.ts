import { beforeEach, describe, expect, it } from 'vitest';
import type { HeartbeatsService } from '../heartbeats/heartbeats.service.ts';
import type { Road } from './road.ts';
import type { StateSweep } from './state-sweep.ts';
import { SweepService } from './sweep.service.ts';
import type { SweepStore } from './sweep.store.ts';

const NOW = 1_000_000_000_000;

describe('a round of the sweep, with everything due', () => {
  let done: [string, ...number[]][];
  let road: { settled: boolean; caughtUp: boolean };
  let sweep: SweepService;

  beforeEach(() => {
    done = [];
    road = { settled: true, caughtUp: true };
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
    const stood = {
      now: () => NOW,
      note: () => undefined,
      openSince: NOW - 60_000,
      isSettled: () => road.settled,
      isCaughtUp: () => Promise.resolve(road.caughtUp),
    };
    sweep = new SweepService(
      store as unknown as SweepStore,
      states as unknown as StateSweep,
      heartbeats as unknown as HeartbeatsService,
      stood as unknown as Road,
    );
  });

  const names = async (): Promise<string[]> => {
    await sweep.run();
    return done.map(([name]) => name);
  };

  it('while the road is cut, or was just now, nothing is judged: nor that nobody confirms a failure', async () => {
    road.settled = false;
    expect(await names()).toEqual([]);
  });

  it('while results wait, only windows are marked: the answer comes in their place', async () => {
    road.caughtUp = false;
    expect(await names()).toEqual(['windows']);
  });

  it('else all is judged, from when the road was opened on; heartbeats last, and after the time in which a killed instance’s pings come again', async () => {
    await sweep.run();
    expect(done.map(([name, ...args]) => [name, ...args.map((at) => at - NOW)])).toEqual([
      ['confirmations', 0, -60_000],
      ['silence', 0, -60_000],
      ['heartbeats', -3_000],
      ['windows', 0, 500 - NOW],
    ]);
  });
});
