import { describe, expect, it } from 'vitest';
import { longestGap } from './address-watch.ts';

describe('the longest gap', () => {
  it('lies between two answers, or at either end of the range', () => {
    expect(longestGap([100, 150, 900, 950], { from: 100, to: 1_000 })).toBe(750);
    expect(longestGap([600], { from: 0, to: 1_000 })).toBe(600);
    expect(longestGap([300], { from: 0, to: 1_000 })).toBe(700);
  });

  it('is the whole range where nobody answered, whatever happened beside it', () => {
    expect(longestGap([50, 2_000], { from: 100, to: 1_000 })).toBe(900);
  });
});
