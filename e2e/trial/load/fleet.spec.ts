import { durationMs } from '@tocsin/core';
import { monitorSpec } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { bodiesOf, fleetOf, watched } from './fleet.ts';

describe('the fleet', () => {
  it('makes the checks per second that were asked for, half at 5 s and half at 10 s', () => {
    for (const checksPerSecond of [20, 200]) {
      const fleet = fleetOf({ checksPerSecond });
      const rate = (intervalMs: number) =>
        fleet.filter((m) => m.intervalMs === intervalMs).length / (intervalMs / 1_000);
      expect([rate(5_000), rate(10_000)]).toEqual([checksPerSecond / 2, checksPerSecond / 2]);
    }
  });

  it('flips some of either kind, each by its own offset, the same for the same seed', () => {
    const flips = (seed: number) => fleetOf({ seed }).flatMap((m) => (m.flips ? [m.flips.offsetMs] : []));
    expect(flips(3)).toHaveLength(100);
    expect(new Set(flips(3)).size).toBeGreaterThan(90);
    expect(flips(3)).toEqual(flips(3));
    expect(flips(3)).not.toEqual(flips(4));
  });

  it('is accepted by the API, and all of it tells the channel', () => {
    const fleet = fleetOf();
    const channelId = '01890000-0000-7000-8000-000000000000';
    const specs = bodiesOf(fleet, { targetUrl: 'http://127.0.0.1:1', channelId }).map((body) =>
      monitorSpec.parse(body),
    );
    for (const [n, spec] of specs.entries()) {
      if (spec.kind !== 'http') throw new Error(`a ${spec.kind} monitor in the fleet`);
      expect(durationMs(spec.interval)).toBe(fleet[n]!.intervalMs);
      expect(spec.channels).toEqual([channelId]);
    }
    expect(
      watched(
        fleet,
        specs.map((_, n) => `id ${n}`),
      )[7],
    ).toEqual({ ...fleet[7], id: 'id 7' });
  });
});
