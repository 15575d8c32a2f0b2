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
    const { most } = this.limit;
    const bucket = this.filled(key);
    // Set anew, so that a map's order is the order of last use.
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > most) this.buckets.delete(this.buckets.keys().next().value!);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return this.said(bucket, allowed);
  }

  /** Whether one could be taken now; takes none. */
  look(key: string): Taken {
    const bucket = this.filled(key);
    return this.said(bucket, bucket.tokens >= 1);
  }

  /** The bucket of a key, with what has flowed into it since; a new one is full. */
  private filled(key: string): Bucket {
    const { perSecond, burst } = this.limit;
    const now = this.clock.monotonic();
    const { tokens, at } = this.buckets.get(key) ?? { tokens: burst, at: now };
    return { tokens: Math.min(burst, tokens + ((now - at) / 1_000) * perSecond), at: now };
  }

  private said({ tokens }: Bucket, allowed: boolean): Taken {
    const retryAfterMs = tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.limit.perSecond) * 1_000);
    return { allowed, remaining: Math.floor(tokens), retryAfterMs };
  }
}
