import { Inject, Injectable } from '@nestjs/common';
import type { Call } from '@tocsin/edge';
import { isLastingRefusal, recordRefusal, refusalError, TocsinError } from '@tocsin/core';
import { type KeyValue, Messaging } from '@tocsin/messaging';
import { CONFIG } from '@tocsin/service';
import { z } from 'zod';
import { operationId } from '../service-client/operation-id.ts';
import { keyReused } from '../service-client/service-client.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { brokerAnswer } from './broker-answer.ts';

const field = z.object({ path: z.string(), message: z.string() });
/** The record of a key: its request has begun or ended, and why it was refused if it was. */
const record = z.object({
  requestHash: z.string(),
  ended: z.boolean(),
  refusal: z.object({ code: z.string(), message: z.string(), fields: z.array(field).readonly().optional() }).optional(),
});
type Recorded = z.output<typeof record>;

/** Drives dead letters again and discards them: once for an Idempotency-Key, however often and wherever it is asked. */
@Injectable()
export class DeadLettersService {
  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  /** @throws TocsinError `not_found`, `invalid`, `unavailable`; `key_reused` if the key named another request */
  redrive(call: Call, sequence: number): Promise<void> {
    return this.once(call, sequence, () => brokerAnswer(this.messaging.deadLetters.redrive(sequence)));
  }

  /** @throws TocsinError `not_found`, `unavailable`; `key_reused` if the key named another request */
  discard(call: Call, sequence: number): Promise<void> {
    return this.once(call, sequence, () => brokerAnswer(this.messaging.deadLetters.discard(sequence)));
  }

  private async once(call: Call, sequence: number, effect: () => Promise<void>): Promise<void> {
    const { key, requestHash } = call.operation;
    if (key === undefined) return effect();
    const records = this.messaging.kv('operations');
    const id = operationId(this.config.requestKeys, call.caller?.tokenId ?? '', `dead-letters:${key}`);
    const { before, ...mine } = await this.begin(records, { id, requestHash, sequence });
    if (before?.refusal) throw refusalError(before.refusal);
    if (before?.ended) return;
    try {
      await effect();
    } catch (error) {
      if (!isLastingRefusal(error)) throw error;
      // It was there when the key was first used: another request, here or at another gateway, has done it.
      if (error.code !== 'not_found') {
        await records.put(id, { ...mine, ended: true, refusal: recordRefusal(error) });
        throw error;
      }
    }
    await records.put(id, { ...mine, ended: true } satisfies Recorded);
  }

  /** Notes that a key is in use before anything happens; of a letter that is not there, that it was refused. */
  private async begin(
    records: KeyValue,
    { id, requestHash, sequence }: { id: string; requestHash: string; sequence: number },
  ): Promise<Recorded & { before?: Recorded }> {
    let mine: Recorded = { requestHash, ended: false };
    let found = await records.get(id);
    if (!found) {
      const refusal = await this.absence(sequence);
      if (refusal) mine = { requestHash, ended: true, refusal };
      if ((await records.create(id, mine)) !== undefined) return refusal ? { ...mine, before: mine } : mine;
      found = await records.get(id);
    }
    const before = found ? record.parse(found.value) : mine;
    if (before.requestHash === requestHash) return { ...mine, before };
    throw keyReused();
  }

  /** Why a letter can't be had, if it is not there. */
  private async absence(sequence: number): Promise<Recorded['refusal']> {
    try {
      await brokerAnswer(this.messaging.deadLetters.read(sequence));
      return undefined;
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== 'not_found') throw error;
      return recordRefusal(error);
    }
  }
}
