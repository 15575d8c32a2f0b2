import type { BlockList } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { EdgeConfig } from './edge.config.ts';
import type { EdgeRequest } from './call.ts';
import { clientAddress, networkOf, proxiesOf } from './client-address.ts';
import { type Taken, TokenBuckets } from './token-buckets.ts';

const MOST_ADDRESSES = 50_000;

/** Bounds what an address may ask for without a token that works, at this instance. */
@Injectable()
export class AddressLimits {
  private readonly open: TokenBuckets;
  private readonly unknown: TokenBuckets;
  private readonly proxies: BlockList;

  constructor(@Inject(CONFIG) config: EdgeConfig, @Inject(CLOCK) clock: Clock) {
    this.proxies = proxiesOf(config.trustedProxies);
    this.open = new TokenBuckets({ ...config.openRate, most: MOST_ADDRESSES }, clock);
    this.unknown = new TokenBuckets({ ...config.unknownRate, most: MOST_ADDRESSES }, clock);
  }

  /** Counts a request that needs no token. @throws TocsinError `exhausted` */
  countOpen(request: EdgeRequest): void {
    refuseUnless(this.open.take(this.bucketOf(request)), 'This address asks too often.');
  }

  /** Counts a token that is not known. */
  countUnknown(request: EdgeRequest): void {
    this.unknown.take(this.bucketOf(request));
  }

  /** @throws TocsinError `exhausted` for an address that has sent too many tokens that are not known */
  requireFewUnknown(request: EdgeRequest): void {
    refuseUnless(
      this.unknown.look(this.bucketOf(request)),
      'This address has sent too many tokens that are not known.',
    );
  }

  private bucketOf({ ip, headers }: EdgeRequest): string {
    return networkOf(clientAddress(ip, headers['x-forwarded-for'], this.proxies));
  }
}

function refuseUnless({ allowed, retryAfterMs }: Taken, what: string): void {
  if (allowed) return;
  throw new TocsinError('exhausted', `${what} Wait as long as Retry-After says.`, { details: { retryAfterMs } });
}
