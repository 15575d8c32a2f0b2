import type { Role, Token } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';

/** What a token lets its bearer do, and until when (ms since the epoch). */
export interface VerifiedToken {
  id: string;
  name: string;
  role: Role;
  expiresAt?: number | undefined;
}

/** Where API tokens are kept: by the hash of their secret, which itself is nowhere. */
export abstract class TokensStore {
  abstract findByHash(hash: string, from: Queryable): Promise<VerifiedToken | undefined>;
  /** The hash of a token's secret. */
  abstract hashOf(id: string, from: Queryable): Promise<string | undefined>;
  abstract list(o: { after?: string | undefined; limit: number }): Promise<Token[]>;
  /** From here on until the transaction ends nobody else can add or remove a token. */
  abstract lock(tx: Transaction): Promise<void>;
  abstract find(tx: Transaction, id: string): Promise<Token | undefined>;
  /** How many admin tokens work at `at`, the one with identifier `but` left out. */
  abstract countAdmins(tx: Transaction, at: number, but?: string): Promise<number>;
  abstract insert(tx: Transaction, token: Token, hash: string): Promise<void>;
  abstract delete(tx: Transaction, id: string): Promise<void>;
}
