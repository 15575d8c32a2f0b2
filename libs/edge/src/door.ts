import { Inject, Injectable } from '@nestjs/common';
import type { Route } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import type { EdgeConfig } from './edge.config.ts';
import { Addresses } from './addresses.ts';
import { Authenticator, requireRole } from './authenticator.ts';
import type { Call, Caller, EdgeReply, EdgeRequest } from './call.ts';
import { deadlineOf, idempotencyKey, requestHash } from './idempotency.ts';
import { inputOf } from './input.ts';
import { preconditionsOf } from './preconditions.ts';
import { TokenBuckets } from './token-buckets.ts';

const MOST_BUCKETS = 10_000;

/** Admits a request: who asks, whether they may, and what for. Everything is parsed here, once. */
@Injectable()
export class Door {
  private readonly buckets: TokenBuckets;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly addresses: Addresses,
    @Inject(CONFIG) private readonly config: EdgeConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    const { ratePerSecond: perSecond, rateBurst: burst } = config;
    this.buckets = new TokenBuckets({ perSecond, burst, most: MOST_BUCKETS }, clock);
  }

  /** @throws EdgeRefusal or TocsinError that says why it is not admitted */
  async admit(route: Route, request: EdgeRequest, reply: EdgeReply): Promise<Call> {
    const { headers } = request;
    // Finding out who asks is part of what the caller waits for.
    const deadline = deadlineOf(headers, this.config.answerMs);
    if (route.role === 'anyone') this.addresses.countOpen(request);
    const caller = route.role === 'anyone' ? undefined : await this.identify(route.role, request, reply);
    const { params, query, body, canonicalBody } = inputOf(route, request);
    const preconditions = preconditionsOf(route, headers);
    return {
      route,
      params,
      query,
      body,
      caller,
      deadline,
      preconditions,
      operation: {
        key: route.method === 'GET' ? undefined : idempotencyKey(headers),
        requestHash: requestHash(this.config.requestKeys, {
          method: route.method,
          path: pathOf(route, params as Record<string, unknown>),
          ifRevision: preconditions.ifRevision,
          body: canonicalBody,
        }),
      },
      headers,
      head: request.method === 'HEAD',
    };
  }

  private async identify(
    role: Exclude<Route['role'], 'anyone'>,
    request: EdgeRequest,
    reply: EdgeReply,
  ): Promise<Caller> {
    const caller = await this.whoAsks(request);
    this.limit(caller, reply);
    requireRole(caller, role);
    return caller;
  }

  /** Who sends tokens that are not known is soon told to wait; a token that was good here is let through all the same. */
  private async whoAsks(request: EdgeRequest): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization !== undefined && !this.authenticator.knows(authorization)) {
      this.addresses.requireFewUnknown(request);
    }
    try {
      return await this.authenticator.callerOf(authorization);
    } catch (error) {
      const unknown = error instanceof TocsinError && error.code === 'unauthenticated';
      if (authorization !== undefined && unknown) this.addresses.countUnknown(request);
      throw error;
    }
  }

  private limit(caller: Caller, reply: EdgeReply): void {
    const { ratePerSecond, rateBurst } = this.config;
    const { allowed, remaining, retryAfterMs } = this.buckets.take(caller.tokenId);
    const window = Math.max(1, Math.ceil(rateBurst / ratePerSecond));
    void reply.header('ratelimit-policy', `"token";q=${rateBurst};w=${window}`);
    void reply.header('ratelimit', `"token";r=${remaining};t=${Math.ceil(retryAfterMs / 1_000)}`);
    if (allowed) return;
    throw new TocsinError('exhausted', 'This token asks too often. Wait as long as Retry-After says.', {
      details: { retryAfterMs },
    });
  }
}

/** The path as it is meant: identifiers in lower case, without a slash at its end. */
function pathOf(route: Route, params: Record<string, unknown>): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}
