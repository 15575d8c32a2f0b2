import { describe, expect, it } from 'vitest';
import { HALF_PERIOD_MS, isDownAt, phasesOf } from './schedule.ts';

const STARTED = 1_000_000;
const flipping = { flips: { offsetMs: 7_000 } };
const first = STARTED + 7_000;

describe('the schedule of a target', () => {
  it('is up until its offset, then down and up in turns', () => {
    const at = (ms: number) => isDownAt(flipping, ms, STARTED);
    expect([at(first - 1), at(first), at(first + HALF_PERIOD_MS - 1)]).toEqual([false, true, true]);
    expect([at(first + HALF_PERIOD_MS), at(first + 2 * HALF_PERIOD_MS)]).toEqual([false, true]);
  });

  it('is always up for one that does not flip, and before the schedule has begun', () => {
    expect(isDownAt({}, first, STARTED)).toBe(false);
    expect(isDownAt(flipping, first, undefined)).toBe(false);
    expect(phasesOf({}, STARTED, STARTED + 1e6)).toEqual([]);
  });

  it('has the phases that its answers show', () => {
    const phases = phasesOf(flipping, STARTED, STARTED + 200_000);
    expect(phases).toHaveLength(8);
    for (const { down, from, to } of phases) {
      expect([from, to - 1].map((at) => isDownAt(flipping, at, STARTED))).toEqual([down, down]);
      expect(isDownAt(flipping, from - 1, STARTED)).toBe(!down);
    }
  });
});
