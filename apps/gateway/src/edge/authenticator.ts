import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import { requests, type Role } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { Deadline, policy, unlessAborted } from '@tocsin/resilience';
import { CLOCK } from '@tocsin/service';
import type { Caller } from './call.ts';

const FRESH_MS = 30_000;
/** Long enough to live through any failover: a token that was good stays good while its owner is away. */
const STALE_MS = 15 * 60_000;
/** A token that was not known may have been created in the meantime. */
const UNKNOWN_MS = 1_000;
const VERIFY_MS = 2_000;
/** How long a request waits for news of a token that was good a moment ago. */
const PATIENCE_MS = 500;
/** For how long after that nobody waits again. */
const AWAY_MS = 2_000;
const MOST_KNOWN = 10_000;
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
  /** Good tokens by hash, in case their owner and the shared cache are away at once, as when a host is lost. */
  private readonly known = new Map<string, { verified: Verified; at: number }>();
  private awayUntil = 0;

  constructor(
    @Inject(Messaging) private readonly messaging: Messaging,
    @Inject(Cache) private readonly cache: Cache,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Whether a token was good here a while ago: it need not be counted among those that are not known. */
  knows(authorization: string | undefined): boolean {
    const secret = secretIn(authorization);
    return secret !== undefined && this.knownGood(hashOf(secret)) !== undefined;
  }

  /**
   * Who sent this Authorization header.
   * @throws TocsinError `unauthenticated`; `unavailable` or `deadline` if nobody can say (worth a retry)
   */
  async callerOf(authorization: string | undefined): Promise<Caller> {
    const secret = secretIn(authorization);
    if (secret === undefined) {
      throw new TocsinError('unauthenticated', 'Send an API token: Authorization: Bearer tsn_…');
    }
    const { token } = await this.lookUp(hashOf(secret));
    if (!token) throw new TocsinError('unauthenticated', 'This token is not known. It may have been revoked.');
    if (token.expiresAt !== undefined && token.expiresAt <= this.clock.now()) {
      throw new TocsinError('unauthenticated', 'This token has expired. Create another one.');
    }
    return { tokenId: token.id, name: token.name, role: token.role };
  }

  private async lookUp(hash: string): Promise<Verified> {
    const known = this.knownGood(hash);
    if (known && this.clock.monotonic() < this.awayUntil) return known;
    const asking = this.cached(hash);
    try {
      const verified = await (known ? unlessAborted(asking, Deadline.in(PATIENCE_MS).signal) : asking);
      this.remember(hash, verified);
      return verified;
    } catch (cause) {
      if (known) {
        this.awayUntil = this.clock.monotonic() + AWAY_MS;
        return known;
      }
      const code = cause instanceof TocsinError && cause.retry ? cause.code : 'unavailable';
      throw new TocsinError(code, 'Nobody can say at the moment who this token belongs to. Try again.', { cause });
    }
  }

  /** The answer of the cache where it is fresh, else of the owner, else what the cache still has. */
  private async cached(hash: string): Promise<Verified> {
    const key = `token:${hash}`;
    const load = () => this.asking.execute(() => verify(this.messaging, hash));
    const get = () => this.cache.get(key, load, { ttlMs: FRESH_MS, staleMs: STALE_MS, timeoutMs: VERIFY_MS });
    const found = await get();
    if (found.value.token === null && found.ageMs > UNKNOWN_MS) {
      await this.cache.invalidate([key]);
      return (await get()).value;
    }
    return found.stale ? load().catch(() => found.value) : found.value;
  }

  private knownGood(hash: string): Verified | undefined {
    const known = this.known.get(hash);
    return known && this.clock.monotonic() - known.at < STALE_MS ? known.verified : undefined;
  }

  private remember(hash: string, verified: Verified): void {
    this.known.delete(hash);
    if (verified.token === null) return;
    this.known.set(hash, { verified, at: this.clock.monotonic() });
    if (this.known.size > MOST_KNOWN) this.known.delete(this.known.keys().next().value!);
  }
}

function secretIn(authorization: string | undefined): string | undefined {
  return /^Bearer +(tsn_[A-Za-z0-9_-]{20,200})$/i.exec(authorization ?? '')?.[1];
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** @throws TocsinError `forbidden` */
export function requireRole(caller: Caller, role: Role): void {
  if (RANK[caller.role] >= RANK[role]) return;
  throw new TocsinError('forbidden', `This needs the role ${role}; the token "${caller.name}" has ${caller.role}.`);
}
