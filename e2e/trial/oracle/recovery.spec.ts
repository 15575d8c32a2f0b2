import { describe, expect, it } from 'vitest';
import { medianAndWorst, recoveriesMs } from './recovery.ts';

const strikes = [10_000, 20_000];

describe('how long a strike is felt', () => {
  it('is nothing where everything happened within a second', () => {
    expect(recoveriesMs(strikes, [{ from: 10_500, to: 11_400 }])).toEqual([0, 0]);
  });

  it('lasts from the strike to the end of the last delayed thing before the next', () => {
    const delays = [
      { from: 9_900, to: 12_000 },
      { from: 11_000, to: 14_500 },
      { from: 13_000, to: 13_900 },
      { from: 20_000, to: 21_700 },
    ];
    expect(recoveriesMs(strikes, delays)).toEqual([4_500, 1_700]);
  });

  it('lasts a second longer than what never happened should have', () => {
    expect(recoveriesMs(strikes, [{ from: 12_000 }])).toEqual([3_000, 0]);
  });

  it('blames no strike for what was delayed before all of them', () => {
    expect(recoveriesMs(strikes, [{ from: 1_000, to: 9_000 }])).toEqual([0, 0]);
  });

  it('is summed up by its median and its worst', () => {
    expect(medianAndWorst([5, 1, 9])).toEqual({ median: 5, worst: 9 });
    expect(medianAndWorst([])).toEqual({ median: 0, worst: 0 });
  });
});
