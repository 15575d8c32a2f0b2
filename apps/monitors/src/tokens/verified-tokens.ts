import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { streams, subjects, tokenRevoked } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { type Follow, Messaging } from '@tocsin/messaging';
import { CLOCK, Drain } from '@tocsin/service';
import type { VerifiedToken } from './tokens.store.ts';

/** Longer than any failover. */
const KEPT_MS = 15 * 60_000;
const MOST = 10_000;

/** Tokens that this instance has verified, in its own memory, for when the database is away; revoked ones are forgotten. */
@Injectable()
export class VerifiedTokens implements OnApplicationBootstrap {
  private readonly byHash = new Map<string, { token: VerifiedToken; at: number }>();
  private following: Promise<Follow> | undefined;

  constructor(
    @Inject(Messaging) private readonly messaging: Messaging,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Drain) drain: Drain,
  ) {
    drain.onStop('finish', async () => (await this.following)?.stop());
  }

  onApplicationBootstrap(): void {
    const o = { stream: streams.events.name, filters: [subjects.tokenEvent('>')], from: 'new' as const };
    this.following = this.messaging.follow(o, ({ data }) => {
      const { success, data: revoked } = tokenRevoked.safeParse(data);
      if (success) this.forget(revoked.tokenId);
    });
  }

  get(hash: string): VerifiedToken | undefined {
    const known = this.byHash.get(hash);
    return known && this.clock.monotonic() - known.at < KEPT_MS ? known.token : undefined;
  }

  remember(hash: string, token: VerifiedToken | null): void {
    this.byHash.delete(hash);
    if (token === null) return;
    this.byHash.set(hash, { token, at: this.clock.monotonic() });
    if (this.byHash.size > MOST) this.byHash.delete(this.byHash.keys().next().value!);
  }

  private forget(tokenId: string): void {
    for (const [hash, { token }] of this.byHash) if (token.id === tokenId) this.byHash.delete(hash);
  }
}
