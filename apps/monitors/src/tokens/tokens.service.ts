import { Injectable } from '@nestjs/common';
import type { CreatedToken, Token, TokenSpec } from '@tocsin/contracts';
import { newId, TocsinError } from '@tocsin/core';
import { Operations } from '@tocsin/database';
import type { CommandContext } from '@tocsin/messaging';
import { tokenRevoked } from '../config-events.ts';
import { Bounds } from '../bounds.ts';
import { notFound } from '../record.ts';
import { hashOf } from './token.rules.ts';
import { TokenSecrets } from './token-secrets.ts';
import { TokensStore } from './tokens.store.ts';

/** Writes to API tokens: who may use the API, and as what. */
@Injectable()
export class TokensService {
  constructor(
    private readonly operations: Operations,
    private readonly tokens: TokensStore,
    private readonly bounds: Bounds,
    private readonly secrets: TokenSecrets,
  ) {}

  /** The only answer that holds the secret. @throws TocsinError `conflict` at the bound on their number */
  async create({ spec }: { spec: TokenSpec }, ctx: CommandContext): Promise<CreatedToken> {
    const token = await this.operations.run(ctx, { kind: 'token' }, async ({ tx, now, note }): Promise<Token> => {
      await this.tokens.lock(tx);
      await this.bounds.add(tx, 'tokens');
      const created: Token = { id: newId(now), createdAt: now, spec };
      note({ id: created.id });
      await this.tokens.insert(tx, created, hashOf(this.secrets.ofNew(created.id)));
      return created;
    });
    return { ...token, secret: await this.secrets.of(token.id) };
  }

  /** @throws TocsinError `not_found`; `conflict` for the last admin token that works, which would lock everybody out */
  delete({ id }: { id: string }, ctx: CommandContext): Promise<{ id: string }> {
    return this.operations.run(ctx, { kind: 'token', id }, async ({ tx, now, announce }) => {
      await this.tokens.lock(tx);
      const found = await this.tokens.find(tx, id);
      if (!found) throw notFound('token', id);
      if (found.spec.role === 'admin' && (await this.tokens.countAdmins(tx, now, id)) === 0) {
        throw new TocsinError('conflict', 'This is the last admin token that works; create another one first.');
      }
      await this.bounds.remove(tx, 'tokens');
      await this.tokens.delete(tx, id);
      await announce([tokenRevoked(id, now)]);
      return { id };
    });
  }
}
