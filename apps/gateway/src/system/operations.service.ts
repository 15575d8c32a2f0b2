import { Inject, Injectable } from '@nestjs/common';
import { type OperationView, requests, type routes } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CONFIG } from '@tocsin/service';
import { type Answer, ok } from '../edge/answer.ts';
import type { Call, Caller } from '../edge/call.ts';
import { errorOf, Owners } from '../edge/owners.ts';
import { refusalOf } from '../edge/problem.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { withTokenSecret } from '../tokens/token-secret.ts';

const OWNERS = [requests.operationsOfMonitors, requests.operationsOfIncidents, requests.operationsOfNotifier];

/** What came of changes that were accepted: their owners know, or else the stream still holds them. */
@Injectable()
export class OperationsService {
  constructor(
    private readonly owners: Owners,
    @Inject(Messaging) private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** @throws TocsinError `not_found`; `unavailable` when an owner that may know can't be asked */
  async read(call: Call<typeof routes.operationsGet>): Promise<Answer> {
    const { id } = call.params;
    const asked = await Promise.allSettled(OWNERS.map((owner) => this.owners.read(owner, { operationId: id }, call)));
    for (const one of asked) {
      if (one.status === 'rejected' || one.value.status === 'unknown') continue;
      const { status, result, error } = one.value;
      if (status === 'done') return ok({ id, status, result: this.shown(result, call.caller) } satisfies OperationView);
      return ok({ id, status: 'failed', error: refusalOf(errorOf(error)).problem } satisfies OperationView);
    }
    if (await this.messaging.commandPending(id)) return ok({ id, status: 'pending' } satisfies OperationView);
    const away = asked.find((one) => one.status === 'rejected');
    if (away) throw new TocsinError('unavailable', 'A service that may know this operation is away. Try again later.');
    throw new TocsinError('not_found', 'There is no such operation. Its record may have been cleared away.');
  }

  /** The secret of a token that was made is for whoever may make tokens. */
  private shown(result: unknown, caller: Caller | undefined): unknown {
    if (caller?.role === 'admin') return withTokenSecret(this.config.secret, result);
    if (typeof result !== 'object' || result === null) return result;
    const { secret: _secret, ...rest } = result as Record<string, unknown>;
    return rest;
  }
}
