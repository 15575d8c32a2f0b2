import { Injectable } from '@nestjs/common';
import type { Role, Token } from '@tocsin/contracts';
import { Database, type Queryable, type Transaction } from '@tocsin/database';

interface TokenRow {
  id: string;
  name: string;
  role: Role;
  expires_at: Date | null;
  created_at: Date;
}

const COLUMNS = 'id, name, role, expires_at, created_at';

/** What a token lets its bearer do, and until when (ms since the epoch). */
export interface VerifiedToken {
  id: string;
  name: string;
  role: Role;
  expiresAt?: number | undefined;
}

/** Where API tokens are kept: by the hash of their secret, which itself is nowhere. */
@Injectable()
export class TokensStore {
  constructor(private readonly database: Database) {}

  async findByHash(hash: string, from: Queryable): Promise<VerifiedToken | undefined> {
    const rows = await from.query<TokenRow>(`SELECT ${COLUMNS} FROM tokens WHERE hash = $1`, [hash], {
      name: 'token find by hash',
    });
    return rows[0] && { id: rows[0].id, ...specOf(rows[0]) };
  }

  /** The hash of a token's secret. */
  async hashOf(id: string, from: Queryable): Promise<string | undefined> {
    const rows = await from.query<{ hash: string }>('SELECT hash FROM tokens WHERE id = $1', [id], {
      name: 'token hash',
    });
    return rows[0]?.hash;
  }

  async list(o: { after?: string | undefined; limit: number }): Promise<Token[]> {
    const rows = await this.database.query<TokenRow>(
      `SELECT ${COLUMNS} FROM tokens WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`,
      [o.after ?? null, o.limit],
      { name: 'token list' },
    );
    return rows.map(tokenOf);
  }

  /** From here on until the transaction ends nobody else can add or remove a token. */
  async lock(tx: Transaction): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('tocsin.monitors'), hashtext('tokens'))`, [], {
      name: 'tokens lock',
    });
  }

  async find(tx: Transaction, id: string): Promise<Token | undefined> {
    const rows = await tx.query<TokenRow>(`SELECT ${COLUMNS} FROM tokens WHERE id = $1`, [id], { name: 'token find' });
    return rows[0] && tokenOf(rows[0]);
  }

  /** How many admin tokens work at `at`, the one with identifier `but` left out. */
  async countAdmins(tx: Transaction, at: number, but?: string): Promise<number> {
    const rows = await tx.query<{ count: number }>(
      `SELECT count(*) AS count FROM tokens
       WHERE role = 'admin' AND (expires_at IS NULL OR expires_at > $1) AND id IS DISTINCT FROM $2::uuid`,
      [new Date(at), but ?? null],
      { name: 'token count admins' },
    );
    return rows[0]?.count ?? 0;
  }

  async insert(tx: Transaction, { id, createdAt, spec }: Token, hash: string): Promise<void> {
    const expiresAt = spec.expiresAt === undefined ? null : new Date(spec.expiresAt);
    await tx.query(
      'INSERT INTO tokens (id, name, role, hash, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
      [id, spec.name, spec.role, hash, expiresAt, new Date(createdAt)],
      { name: 'token insert' },
    );
  }

  async delete(tx: Transaction, id: string): Promise<void> {
    await tx.query('DELETE FROM tokens WHERE id = $1', [id], { name: 'token delete' });
  }
}

function tokenOf(row: TokenRow): Token {
  return { id: row.id, createdAt: row.created_at.getTime(), spec: specOf(row) };
}

function specOf({ name, role, expires_at }: TokenRow): Token['spec'] {
  return { name, role, ...(expires_at === null ? {} : { expiresAt: expires_at.getTime() }) };
}
