import { Inject, Injectable } from '@nestjs/common';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { EdgeReply } from './call.ts';
import type { EdgeConfig } from './edge.config.ts';
import { TokenBuckets } from './token-buckets.ts';

const MOST_BUCKETS = 10_000;

/** Bounds how often a token may ask, at this instance. */
@Injectable()
export class TokenLimits {
  private readonly buckets: TokenBuckets;

  constructor(
    @Inject(CONFIG) private readonly config: EdgeConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.buckets = new TokenBuckets({ ...config.tokenRate, most: MOST_BUCKETS }, clock);
  }

  /** Counts a request of a token, and says in the answer what is left. @throws TocsinError `exhausted` */
  count(tokenId: string, reply: EdgeReply): void {
    const { perSecond, burst } = this.config.tokenRate;
    const { allowed, remaining, retryAfterMs } = this.buckets.take(tokenId);
    const window = Math.max(1, Math.ceil(burst / perSecond));
    void reply.header('ratelimit-policy', `"token";q=${burst};w=${window}`);
    void reply.header('ratelimit', `"token";r=${remaining};t=${Math.ceil(retryAfterMs / 1_000)}`);
    if (allowed) return;
    throw new TocsinError('exhausted', 'This token asks too often. Wait as long as Retry-After says.', {
      details: { retryAfterMs },
    });
  }
}
