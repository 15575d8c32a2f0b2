import { Inject, Injectable } from '@nestjs/common';
import { type ErrorCode, TocsinError } from '@tocsin/core';
import type { Call } from '@tocsin/edge';
import { type KeyValue, Messaging } from '@tocsin/messaging';
import { CONFIG } from '@tocsin/service';
import { z } from 'zod';
import { operationId } from '../service-client/operation-id.ts';
import { keyReused } from '../service-client/service-client.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { brokerAnswer } from './broker-answer.ts';

/** What became of a key: begun, and once it has ended, why it was refused if it was. */
const record = z.object({
  requestHash: z.string(),
  ended: z.boolean(),
  refusal: z.object({ code: z.string(), message: z.string() }).optional(),
});
type Recorded = z.output<typeof record>;

/** Drives dead letters again and discards them: once for an Idempotency-Key, however often and wherever it is asked. */
@Injectable()
export class DeadLettersService {
  constructor(
    @Inject(Messaging) private readonly messaging: Messaging,
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
    if (before?.ended) return again(before);
    try {
      await effect();
    } catch (error) {
      if (!(error instanceof TocsinError) || error.retry) throw error;
      // It was there when the key was first used: whoever was faster with it, here or elsewhere, has done it.
      if (error.code !== 'not_found') {
        await records.put(id, { ...mine, ended: true, refusal: { code: error.code, message: error.message } });
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
      return { code: error.code, message: error.message };
    }
  }
}

/** The same request is answered as the first was. */
function again({ refusal }: Recorded): void {
  if (refusal) throw new TocsinError(refusal.code as ErrorCode, refusal.message);
}
