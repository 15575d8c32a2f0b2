import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { streams, subjects, tokenRevoked } from '@tocsin/contracts';
import { type Follow, Messaging } from '@tocsin/messaging';
import { Drain } from '@tocsin/service';

const MOST = 10_000;

/**
 * Tokens that were revoked, as their owner says it: at most moments after the fact, and after a cut-off of this gateway with
 * all that was said meanwhile. An identifier never comes back, so whatever else is known of it counts no more.
 */
@Injectable()
export class Revocations implements OnApplicationBootstrap {
  private readonly ended = new Set<string>();
  private readonly listeners = new Set<(tokenId: string) => void>();
  private following: Promise<Follow> | undefined;

  constructor(
    private readonly messaging: Messaging,
    drain: Drain,
  ) {
    drain.onStop('finish', async () => (await this.following)?.stop());
  }

  onApplicationBootstrap(): void {
    const o = { stream: streams.events.name, filters: [subjects.tokenEvent('>')], from: 'new' as const };
    this.following = this.messaging.follow(o, ({ data }) => {
      const { success, data: revoked } = tokenRevoked.safeParse(data);
      if (success) this.end(revoked.tokenId);
    });
  }

  has(tokenId: string): boolean {
    return this.ended.has(tokenId);
  }

  /** Calls `listener` with each token that is revoked from now on. */
  onRevoked(listener: (tokenId: string) => void): void {
    this.listeners.add(listener);
  }

  private end(tokenId: string): void {
    this.ended.add(tokenId);
    if (this.ended.size > MOST) this.ended.delete(this.ended.values().next().value!);
    for (const listener of this.listeners) listener(tokenId);
  }
}
