import { Inject, Injectable } from '@nestjs/common';
import type { Route } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import { AddressLimits } from './address-limits.ts';
import { Authenticator, requireRole } from './authenticator.ts';
import type { Admission, Caller, EdgeReply, EdgeRequest } from './call.ts';
import type { EdgeConfig } from './edge.config.ts';
import { deadlineOf } from './idempotency.ts';
import { TokenLimits } from './token-limits.ts';

/** Decides whether a request may go on: its token, the limits of its address and of the token, its role, in this order. */
@Injectable()
export class RequestAdmission {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly addresses: AddressLimits,
    private readonly tokens: TokenLimits,
    @Inject(CONFIG) private readonly config: EdgeConfig,
  ) {}

  /** @throws TocsinError that says why the request is refused */
  async admit(route: Route, request: EdgeRequest, reply: EdgeReply): Promise<Admission> {
    // Finding out who sent it is part of what the caller waits for.
    const deadline = deadlineOf(request.headers, this.config.answerMs);
    const { role } = route;
    if (role === 'anyone') {
      this.addresses.countOpen(request);
      return { route, caller: undefined, deadline };
    }
    const caller = await this.identify(request);
    this.tokens.count(caller.tokenId, reply);
    requireRole(caller, role);
    return { route, caller, deadline };
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
}
