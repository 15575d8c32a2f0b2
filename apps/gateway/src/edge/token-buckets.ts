import type { Clock } from '@tocsin/core';

interface Bucket {
  tokens: number;
  at: number;
}

export interface Taken {
  allowed: boolean;
  /** How many more may come at once. */
  remaining: number;
  /** When there is room for one more; 0 if there is now. */
  retryAfterMs: number;
}

/** One token bucket per key, in memory: at most `burst` at once, `perSecond` in the long run. Bounded: the longest unused goes. */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly limit: { perSecond: number; burst: number; most: number },
    private readonly clock: Clock,
  ) {}

  take(key: string): Taken {
    const { perSecond, burst, most } = this.limit;
    const now = this.clock.monotonic();
    const bucket = this.buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    // Set anew, so that a map's order is the order of last use.
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > most) this.buckets.delete(this.buckets.keys().next().value!);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const retryAfterMs = bucket.tokens >= 1 ? 0 : Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000);
    return { allowed, remaining: Math.floor(bucket.tokens), retryAfterMs };
  }
}
