import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { backoff, jitter, spread } from './backoff.ts';

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('jitter', () => {
  it('stays between half the delay and the whole', () => {
    const outcome = fc.check(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fraction, (ms, random) => {
        const delay = jitter(ms, () => random);
        return delay >= ms / 2 && delay <= ms;
      }),
    );
    expect(outcome.counterexample).toBeNull();
  });
});

describe('spread', () => {
  it('gives another period each time, at most a fifth shorter or longer', () => {
    const randoms = [0, 0.5, 1];
    const period = spread(1_000, () => randoms.shift() ?? 0);
    expect([period(), period(), period()].map(Math.round)).toEqual([800, 1_000, 1_200]);
  });
});

describe('backoff', () => {
  const options = { baseMs: 100, maxMs: 5_000 };
  const longest = (attempt: number) => backoff(attempt, options, () => 1);

  it('doubles with every failed attempt', () => {
    expect([1, 2, 3, 4].map(longest)).toEqual([100, 200, 400, 800]);
  });

  it('never exceeds its bound, whatever the attempt', () => {
    expect([7, 20, 64, 2_000].map(longest)).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  it('differs between clients that failed together', () => {
    const delays = new Set(Array.from({ length: 20 }, () => backoff(3, options)));
    expect(delays.size).toBeGreaterThan(10);
  });
});
