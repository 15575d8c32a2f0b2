import { Inject, Injectable } from '@nestjs/common';
import { tokenSecret } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { CONFIG } from '@tocsin/service';
import type { MonitorsConfig } from '../monitors.config.ts';
import { hashOf } from './token.rules.ts';
import { TokensStore } from './tokens.store.ts';

/** The secrets of tokens: stored nowhere, they follow from the deployment's keys. */
@Injectable()
export class TokenSecrets {
  constructor(
    private readonly tokens: TokensStore,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  /** Of a token that is being made. */
  ofNew(tokenId: string): string {
    return tokenSecret(this.config.tokenKeys, tokenId);
  }

  /** Of a token that is there, whichever of the keys it was made with. */
  async of(tokenId: string): Promise<string> {
    const { tokenKeys: keys } = this.config;
    if (keys.length === 1) return this.ofNew(tokenId);
    const hash = await this.tokens.hashOf(tokenId, this.database);
    const secrets = keys.map((key) => tokenSecret([key], tokenId));
    return secrets.find((secret) => hashOf(secret) === hash) ?? this.ofNew(tokenId);
  }
}
