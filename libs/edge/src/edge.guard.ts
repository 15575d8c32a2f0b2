import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Route } from '@tocsin/contracts';
import { type Clock, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import { AddressLimits } from './address-limits.ts';
import { Authenticator, requireRole } from './authenticator.ts';
import { type Caller, type EdgeReply, type EdgeRequest, ServedRoute } from './call.ts';
import type { EdgeConfig } from './edge.config.ts';
import { deadlineOf } from './idempotency.ts';
import { RequestSlots } from './request-slots.ts';
import { TokenBuckets } from './token-buckets.ts';

const MOST_BUCKETS = 10_000;

/**
 * Admits requests, in this order: a bound on how many run at a time, the token, the limits of its address and of the token,
 * the role. The slot that it takes is released by `AnswerInterceptor`, or here when the request is refused.
 */
@Injectable()
export class EdgeGuard implements CanActivate {
  private readonly buckets: TokenBuckets;

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    private readonly slots: RequestSlots,
    private readonly authenticator: Authenticator,
    private readonly addresses: AddressLimits,
    @Inject(CONFIG) private readonly config: EdgeConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.buckets = new TokenBuckets({ ...config.tokenRate, most: MOST_BUCKETS }, clock);
  }

  /** @throws TocsinError that says why the request is refused */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = this.reflector.get(ServedRoute, context.getHandler()) as Route | undefined;
    if (context.getType() !== 'http' || !route) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<EdgeRequest>();
    this.slots.take();
    try {
      // Finding out who sent it is part of what the caller waits for.
      const deadline = deadlineOf(request.headers, this.config.answerMs);
      const caller = await this.admit(route, request, http.getResponse<EdgeReply>());
      request.admission = { route, caller, deadline };
    } catch (error) {
      this.slots.release();
      throw error;
    }
    return true;
  }

  private async admit({ role }: Route, request: EdgeRequest, reply: EdgeReply): Promise<Caller | undefined> {
    if (role === 'anyone') {
      this.addresses.countOpen(request);
      return undefined;
    }
    const caller = await this.identify(request);
    this.limit(caller, reply);
    requireRole(caller, role);
    return caller;
  }

  /** An address that sends unknown tokens soon has to wait; a token that was good here is let through all the same. */
  private async identify(request: EdgeRequest): Promise<Caller> {
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
    const { perSecond, burst } = this.config.tokenRate;
    const { allowed, remaining, retryAfterMs } = this.buckets.take(caller.tokenId);
    const window = Math.max(1, Math.ceil(burst / perSecond));
    void reply.header('ratelimit-policy', `"token";q=${burst};w=${window}`);
    void reply.header('ratelimit', `"token";r=${remaining};t=${Math.ceil(retryAfterMs / 1_000)}`);
    if (allowed) return;
    throw new TocsinError('exhausted', 'This token asks too often. Wait as long as Retry-After says.', {
      details: { retryAfterMs },
    });
  }
}
