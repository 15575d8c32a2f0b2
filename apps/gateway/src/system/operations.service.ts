import { Inject, Injectable } from '@nestjs/common';
import { operationRequests, type OperationView, type Route, routes, timesAsText } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { type Answer, type Call, ok, refusalOf } from '@tocsin/edge';
import { Messaging } from '@tocsin/messaging';
import { CONFIG } from '@tocsin/service';
import { z } from 'zod';
import { isOfRequest, isOperationOf } from '../service-client/operation-id.ts';
import { errorOf, keyReused, ServiceClient } from '../service-client/service-client.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { shownWithin } from '../secrets.ts';

const OWNERS = Object.values(operationRequests);

/** The result of an operation is what its route would have answered. */
const resultAsText = timesAsText(
  z.union(Object.values<Route>(routes).flatMap(({ work, answer }) => (work === 'command' ? [answer] : []))),
);

/**
 * What came of changes that were accepted: their owners know, or else the stream still holds them. An operation is shown to
 * the token that asked for it; to any other there is none, since its result may be for nobody else (a new token's secret).
 */
@Injectable()
export class OperationsService {
  constructor(
    private readonly owners: ServiceClient,
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** @throws TocsinError `not_found`; `unavailable` when an owner that may know can't be asked */
  async read(call: Call<typeof routes.operationsGet>): Promise<Answer> {
    const { id } = call.params;
    const [operationId = '', telling] = id.split('.');
    if (!isOperationOf(this.config.requestKeys, call.caller?.tokenId ?? '', operationId)) throw notFound();
    const asked = await Promise.allSettled(OWNERS.map((owner) => this.owners.read(owner, { operationId }, call)));
    for (const one of asked) {
      if (one.status === 'rejected') continue;
      const { status, result, error, requestHash } = one.value;
      if (!isOfRequest(telling, requestHash)) return ok(failed(id, keyReused()));
      if (status === 'unknown') continue;
      // An owner of the version before does not say what the key was first sent with.
      if (telling !== undefined && requestHash === undefined)
        throw new TocsinError('unavailable', 'This is being upgraded. Ask again in a minute.');
      if (status === 'done') {
        return ok({ id, status, result: resultAsText(shownWithin(call.caller, result)) } satisfies OperationView);
      }
      return ok(failed(id, errorOf(error)));
    }
    const pending = await this.messaging.commandPending(operationId, { deadline: call.deadline });
    if (pending) return ok({ id, status: 'pending' } satisfies OperationView);
    const away = asked.find((one) => one.status === 'rejected');
    if (away) throw new TocsinError('unavailable', 'A service that may know this operation is away. Try again later.');
    throw notFound();
  }
}

function failed(id: string, error: TocsinError): OperationView {
  return { id, status: 'failed', error: refusalOf(error).problem };
}

function notFound(): TocsinError {
  return new TocsinError(
    'not_found',
    'There is no such operation of this token. Ask with the token that the change was sent with; its record may also have been cleared away.',
  );
}
