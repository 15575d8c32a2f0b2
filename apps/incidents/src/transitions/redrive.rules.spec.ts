import { describe, expect, it } from 'vitest';
import { isLost, pauseMs } from './redrive.rules.ts';

describe('what the notifier does not know', () => {
  it('is lost while next to nothing waits for the notifier', () => {
    expect(isLost({ ageMs: 3_000, backlog: 100 })).toBe(true);
  });

  it('may still be on its way while much waits for the notifier, for a minute', () => {
    expect(isLost({ ageMs: 59_999, backlog: 101 })).toBe(false);
    expect(isLost({ ageMs: 60_000, backlog: 101 })).toBe(true);
  });

  it('is published again with growing pauses, for ever', () => {
    expect([1, 2, 3].map(pauseMs)).toEqual([3_000, 6_000, 12_000]);
    expect(pauseMs(10_000)).toBe(300_000);
  });
});
