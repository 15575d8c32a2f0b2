import { describe, expect, it } from 'vitest';
import { BackOff } from './back-off.ts';

describe('back-off', () => {
  it('doubles from 0.25 s up to 15 s while a process ends soon after its start', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 9 }, () => backOff.next(100));
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it('starts anew for one that had run for half a minute', () => {
    const backOff = new BackOff();
    backOff.next(100);
    backOff.next(100);
    expect(backOff.next(30_000)).toBe(250);
  });
});
