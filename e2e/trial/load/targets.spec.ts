import { atTheEnd } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { fleetOf } from './fleet.ts';
import { HitLog } from './hit-log.ts';
import { Targets } from './targets.ts';

describe('the targets', () => {
  it('answer by the schedule and remember when each was hit', async () => {
    const fleet = fleetOf({ checksPerSecond: 2, flipping: { fast: 1, slow: 0 } });
    const targets = await Targets.start(fleet);
    atTheEnd(() => targets.stop());
    const status = async (n: number) => (await fetch(`${targets.url}/m/${n}`)).status;
    expect([await status(0), await status(1)]).toEqual([200, 200]);
    targets.startSchedule(Date.now() - fleet[0]!.flips!.offsetMs);
    expect([await status(0), await status(1)]).toEqual([503, 200]);
    expect([targets.hits, targets.hitsOf(0).length, targets.hitsOf(2).length]).toEqual([4, 2, 0]);
    expect(Math.abs(targets.hitsOf(0)[1]! - Date.now())).toBeLessThan(5_000);
    expect(await status(99)).toBe(404);
  });

  it('remember when, and never more than their bound', () => {
    const log = new HitLog();
    for (const at of [10, 20, 30]) log.add(1, at);
    expect([log.of(1), log.hits]).toEqual([[10, 20, 30], 3]);
    for (let at = 0; at < 20_000; at++) log.add(2, at);
    expect(log.of(2).length).toBeLessThanOrEqual(4_000);
    expect(log.of(2).at(-1)).toBe(19_999);
  });
});
