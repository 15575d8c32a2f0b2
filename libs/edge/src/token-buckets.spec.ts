import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-buckets.ts';

function setUp(most = 100) {
  let now = 0;
  const buckets = new TokenBuckets({ perSecond: 10, burst: 3, most }, { now: () => now, monotonic: () => now });
  return { buckets, pass: (ms: number) => (now += ms) };
}

describe('token buckets', () => {
  it('allow a burst, then say how long to wait', () => {
    const { buckets } = setUp();
    expect([1, 2, 3].map(() => buckets.take('a').remaining)).toEqual([2, 1, 0]);
    expect(buckets.take('a')).toEqual({ allowed: false, remaining: 0, retryAfterMs: 100 });
  });

  it('fill up again with time, and never beyond the burst', () => {
    const { buckets, pass } = setUp();
    for (let i = 0; i < 4; i++) buckets.take('a');
    pass(100);
    expect(buckets.take('a').allowed).toBe(true);
    expect(buckets.take('a').allowed).toBe(false);
    pass(60_000);
    expect(buckets.take('a').remaining).toBe(2);
  });

  it('are one per key', () => {
    const { buckets } = setUp();
    for (let i = 0; i < 4; i++) buckets.take('a');
    expect(buckets.take('b').allowed).toBe(true);
  });

  it('are bounded in number: the longest unused goes', () => {
    const { buckets } = setUp(2);
    for (let i = 0; i < 3; i++) buckets.take('a');
    buckets.take('b');
    expect(buckets.take('a').allowed).toBe(false);
    buckets.take('c');
    expect(buckets.take('a').allowed).toBe(false);
    buckets.take('c');
    buckets.take('d');
    expect(buckets.take('a').allowed).toBe(true);
  });
});
