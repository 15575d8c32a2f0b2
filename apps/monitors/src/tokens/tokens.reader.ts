import { Inject, Injectable } from '@nestjs/common';
import type { Token } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import type { Queryable } from '@tocsin/database';
import { CLOCK } from '@tocsin/service';
import { pageOf, readCursor } from '../cursor.ts';
import { Reads } from '../reads.ts';
import { TokensStore, type VerifiedToken } from './tokens.store.ts';

/** What a verified token is remembered under. */
export function keyOf(hash: string): string {
  return `token:${hash}`;
}

/** Reads of tokens. */
@Injectable()
export class TokensReader {
  constructor(
    private readonly tokens: TokensStore,
    private readonly reads: Reads,
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

  /** Whose token it is, or null. Goes on while the database is away, for tokens that were verified before or that a standby knows. */
  async verify({ hash }: { hash: string }): Promise<{ token: VerifiedToken | null }> {
    const load = async (from: Queryable): Promise<{ token: VerifiedToken | null }> => ({
      token: (await this.tokens.findByHash(hash, from)) ?? null,
    });
    const { token } = (await this.reads.fresh(keyOf(hash), load, (found) => found.token !== null)).value;
    const works = token !== null && (token.expiresAt === undefined || token.expiresAt > this.clock.now());
    return { token: works ? token : null };
  }
}
