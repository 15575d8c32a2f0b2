import { Inject, Injectable } from '@nestjs/common';
import type { Token } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import { pageOf, readCursor } from '../cursor.ts';
import { Reads } from '../reads.ts';
import { VerifiedTokens } from './verified-tokens.ts';
import { TokensStore, type VerifiedToken } from './tokens.store.ts';

/** Reads of tokens. */
@Injectable()
export class TokensReader {
  constructor(
    private readonly tokens: TokensStore,
    private readonly reads: Reads,
    private readonly verified: VerifiedTokens,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `invalid` for a bad cursor */
  async list({
    cursor,
    limit,
  }: {
    cursor?: string | undefined;
    limit: number;
  }): Promise<{ items: Token[]; next?: string }> {
    return pageOf(await this.tokens.list({ after: readCursor(cursor), limit: limit + 1 }), limit);
  }

  /**
   * Whose token it is, or null. While the database is away a standby says it, else this instance for a token that it
   * verified a while ago. The shared cache has no part in it: what grants rights is not read from there.
   */
  async verify({ hash }: { hash: string }): Promise<{ token: VerifiedToken | null }> {
    const token = await this.find(hash);
    const works = token !== null && (token.expiresAt === undefined || token.expiresAt > this.clock.now());
    return { token: works ? token : null };
  }

  private async find(hash: string): Promise<VerifiedToken | null> {
    const load = async (from: Queryable): Promise<VerifiedToken | null> =>
      (await this.tokens.findByHash(hash, from)) ?? null;
    const known = this.verified.get(hash);
    const token = await this.reads.recorded(load, (found) => found !== null, known);
    // What stood in for the record must not be kept for longer by that.
    if (token !== known) this.verified.remember(hash, token);
    return token;
  }
}
