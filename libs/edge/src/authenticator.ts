import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { requests, type Role } from '@tocsin/contracts';
import { type Clock, TocsinError, unlessAborted } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { Deadline, policy } from '@tocsin/resilience';
import { CLOCK } from '@tocsin/service';
import type { Caller } from './call.ts';
import { Revocations } from './revocations.ts';

/** Revocations are heard of; this bounds what one costs that was not. */
const FRESH_MS = 10_000;
/** Long enough to live through any failover: a token that was good stays good while its owner is away. */
const STALE_MS = 15 * 60_000;
/** A gateway that is cut off from the broker hears of no revocation either. */
const CUT_OFF_MS = 60_000;
/** A token that was not known may have been created in the meantime. */
const UNKNOWN_MS = 1_000;
const VERIFY_MS = 2_000;
/** How long a request waits for news of a token that was good a moment ago. */
const PATIENCE_MS = 500;
/** For how long after that nobody waits again. */
const AWAY_MS = 2_000;
const MOST_KNOWN = 10_000;
const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2 };

type Verified = Awaited<ReturnType<typeof verify>>['token'];

function verify(messaging: Messaging, hash: string) {
  return messaging.request(requests.tokensVerify, { hash });
}

/**
 * Finds out who a token belongs to. Only its hash is looked up, kept and sent on, so comparing it tells nothing by time.
 * What is known of it stays in this process: whoever may write the shared cache grants nobody a role. A revoked token stops
 * as soon as its owner says so.
 */
@Injectable()
export class Authenticator {
  private readonly asking = policy('tokens.verify', { timeoutMs: VERIFY_MS, bulkhead: { limit: 64, queue: 512 } });
  /** Good tokens by hash. */
  private readonly good = new Map<string, { token: NonNullable<Verified>; at: number }>();
  /** Hashes that nobody knows, so that asking again and again costs their owner little. */
  private readonly unknown = new Map<string, number>();
  private readonly flights = new Map<string, Promise<Verified>>();
  private awayUntil = 0;

  constructor(
    private readonly messaging: Messaging,
    private readonly revocations: Revocations,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Whether a token was good here a while ago: it need not be counted among those that are not known. */
  knows(authorization: string | undefined): boolean {
    const secret = secretIn(authorization);
    return secret !== undefined && this.knownGood(hashOf(secret), this.clock.monotonic()) !== undefined;
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
    const token = await this.lookUp(hashOf(secret));
    if (!token || this.revocations.has(token.id)) {
      throw new TocsinError('unauthenticated', 'This token is not known. It may have been revoked.');
    }
    if (token.expiresAt !== undefined && token.expiresAt <= this.clock.now()) {
      throw new TocsinError('unauthenticated', 'This token has expired. Create another one.');
    }
    const { id: tokenId, name, role, expiresAt } = token;
    return { tokenId, name, role, ...(expiresAt === undefined ? {} : { expiresAt }) };
  }

  /** How much longer the token of a caller works, ms; infinite for one without an end. */
  worksForMs(caller: Caller | undefined): number {
    return (caller?.expiresAt ?? Number.POSITIVE_INFINITY) - this.clock.now();
  }

  /** Calls `listener` with each token that is revoked from now on. */
  onRevoked(listener: (tokenId: string) => void): void {
    this.revocations.onRevoked(listener);
  }

  private async lookUp(hash: string): Promise<Verified> {
    const now = this.clock.monotonic();
    const known = this.knownGood(hash, now);
    if (known && (now - known.at < FRESH_MS || now < this.awayUntil)) return known.token;
    if (now - (this.unknown.get(hash) ?? Number.NEGATIVE_INFINITY) < UNKNOWN_MS) return null;
    const asking = this.flights.get(hash) ?? this.ask(hash);
    try {
      return await (known ? unlessAborted(asking, Deadline.in(PATIENCE_MS).signal) : asking);
    } catch (cause) {
      if (known) {
        this.awayUntil = this.clock.monotonic() + AWAY_MS;
        return known.token;
      }
      const code = cause instanceof TocsinError && cause.retry ? cause.code : 'unavailable';
      throw new TocsinError(code, 'Nobody can say at the moment who this token belongs to. Try again.', { cause });
    }
  }

  /** Asks the owner, once for all who wait. */
  private ask(hash: string): Promise<Verified> {
    const flight = this.asking
      .execute(() => verify(this.messaging, hash))
      .then(({ token }) => {
        this.remember(hash, token);
        return token;
      })
      .finally(() => this.flights.delete(hash));
    this.flights.set(hash, flight);
    flight.catch(() => undefined);
    return flight;
  }

  private knownGood(hash: string, now: number): { token: NonNullable<Verified>; at: number } | undefined {
    const known = this.good.get(hash);
    const mostMs = this.messaging.status().connected ? STALE_MS : CUT_OFF_MS;
    return known && now - known.at < mostMs ? known : undefined;
  }

  private remember(hash: string, token: Verified): void {
    const at = this.clock.monotonic();
    this.good.delete(hash);
    this.unknown.delete(hash);
    if (token) this.good.set(hash, { token, at });
    else this.unknown.set(hash, at);
    for (const map of [this.good, this.unknown]) if (map.size > MOST_KNOWN) map.delete(map.keys().next().value!);
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
