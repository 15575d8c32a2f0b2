import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lull } from './lull.ts';

let over: number;
let lull: Lull;

beforeEach(() => {
  vi.useFakeTimers();
  over = 0;
  lull = new Lull(() => (over += 1));
});
afterEach(() => vi.useRealTimers());

/** How long it lasts now, in ms. */
function lasts(): number {
  const from = Date.now();
  while (lull.lasts) vi.advanceTimersByTime(10);
  return Date.now() - from;
}

describe('a lull', () => {
  it('begins with the second attempt in a row that was in vain, and grows to a second', () => {
    const lulls = Array.from({ length: 6 }, () => {
      lull.note('away');
      return lasts();
    });
    expect(lulls).toEqual([0, 250, 500, 1_000, 1_000, 1_000]);
    expect(over).toBe(5);
  });

  it('does not count those that began before it', () => {
    for (let n = 0; n < 16; n += 1) lull.note('away');
    expect(lasts()).toBe(250);
    lull.note('away');
    expect(lasts()).toBe(500);
  });

  it('is over at once when something comes to its end, and begins anew', () => {
    for (let n = 0; n < 2; n += 1) lull.note('away');
    lull.note('ended');
    expect([lull.lasts, over]).toEqual([false, 1]);
    lull.note('away');
    expect(lull.lasts).toBe(false);
  });
});
