import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import { requests, type Role } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { policy } from '@tocsin/resilience';
import { CLOCK } from '@tocsin/service';
import type { Caller } from './call.ts';

const FRESH_MS = 30_000;
/** Long enough to live through any failover: a token that was good stays good while its owner is away. */
const STALE_MS = 15 * 60_000;
/** A token that was not known may have been created in the meantime. */
const UNKNOWN_MS = 1_000;
const VERIFY_MS = 2_000;
const AWAY_MS = 1_000;
const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2 };

type Verified = Awaited<ReturnType<typeof verify>>;

function verify(messaging: Messaging, hash: string) {
  return messaging.request(requests.tokensVerify, { hash });
}

/**
 * Finds out who a token belongs to. Only its hash is looked up, kept and sent on, so comparing it tells nothing by time.
 * A revoked token stops within 30 s (or with its owner's return, while the owner is away).
 */
@Injectable()
export class Authenticator {
  private readonly asking = policy('tokens.verify', { timeoutMs: VERIFY_MS, bulkhead: { limit: 64, queue: 512 } });
  private awayUntil = 0;

  constructor(
    @Inject(Messaging) private readonly messaging: Messaging,
    @Inject(Cache) private readonly cache: Cache,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Who sent this Authorization header.
   * @throws TocsinError `unauthenticated`; `unavailable` or `deadline` if nobody can say (worth a retry)
   */
  async callerOf(authorization: string | undefined): Promise<Caller> {
    const secret = /^Bearer +(tsn_[A-Za-z0-9_-]{20,200})$/i.exec(authorization ?? '')?.[1];
    if (secret === undefined) {
      throw new TocsinError('unauthenticated', 'Send an API token: Authorization: Bearer tsn_…');
    }
    const { token } = await this.lookUp(createHash('sha256').update(secret).digest('hex'));
    if (!token) throw new TocsinError('unauthenticated', 'This token is not known. It may have been revoked.');
    if (token.expiresAt !== undefined && token.expiresAt <= this.clock.now()) {
      throw new TocsinError('unauthenticated', 'This token has expired. Create another one.');
    }
    return { tokenId: token.id, name: token.name, role: token.role };
  }

  private async lookUp(hash: string): Promise<Verified> {
    const key = `token:${hash}`;
    const load = () => this.asking.execute(() => verify(this.messaging, hash));
    const get = () => this.cache.get(key, load, { ttlMs: FRESH_MS, staleMs: STALE_MS, timeoutMs: VERIFY_MS });
    const found = await get();
    if (found.value.token === null && found.ageMs > UNKNOWN_MS) {
      await this.cache.invalidate([key]);
      return (await get()).value;
    }
    return found.stale ? this.afresh(load, found.value) : found.value;
  }

  /** An old answer is good enough only while nobody can give a new one. */
  private async afresh(load: () => Promise<Verified>, old: Verified): Promise<Verified> {
    if (this.clock.monotonic() < this.awayUntil) return old;
    try {
      return await load();
    } catch {
      this.awayUntil = this.clock.monotonic() + AWAY_MS;
      return old;
    }
  }
}

/** @throws TocsinError `forbidden` */
export function requireRole(caller: Caller, role: Role): void {
  if (RANK[caller.role] >= RANK[role]) return;
  throw new TocsinError('forbidden', `This needs the role ${role}; the token "${caller.name}" has ${caller.role}.`);
}
