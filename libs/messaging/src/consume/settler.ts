import { Logger } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import type { DeadLetters } from './dead-letters.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { Failures } from './failures.ts';
import { counters } from '../wire/metrics.ts';
import { ack, counts, decide, nak, term, type Verdict } from './settlement.ts';
import type { Ending, Work } from './work.ts';

const DEAD_LETTER_RETRY_MS = 1_000;

/** Carries out what `settlement.ts` decides for the deliveries of one durable. */
export class Settler {
  private readonly logger: Logger;
  private readonly attributes: Record<Verdict['act'], { durable: string; outcome: string }>;

  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly failures: Failures,
    private readonly work: Work,
  ) {
    const { durable } = work.spec;
    this.logger = new Logger(durable);
    this.attributes = {
      ack: { durable, outcome: 'ack' },
      nak: { durable, outcome: 'nak' },
      dead: { durable, outcome: 'dead' },
    };
  }

  /**
   * Settles one delivery; a promise only where a failure is counted or a dead letter has to be stored first.
   * @param isOurs asked once its failure is counted: a drain may have handed it back meanwhile
   */
  settle(delivery: ReceivedDelivery, ending: Ending, isOurs = (): boolean => true): Promise<void> | undefined {
    if (!counts(ending)) return this.carryOut(delivery, ending, 0);
    return this.failures.count(delivery).then((failures) => {
      return isOurs() ? this.carryOut(delivery, ending, failures) : undefined;
    });
  }

  private carryOut(delivery: ReceivedDelivery, ending: Ending, failures: number): Promise<void> | undefined {
    const { kind, spec } = this.work;
    const { maxDeliver, backoffMs } = spec;
    const verdict = decide(ending, { kind, deliveries: delivery.deliveries, failures, maxDeliver, backoffMs });
    counters.deliveries.add(1, this.attributes[verdict.act]);
    if (verdict.act === 'dead') return this.bury(delivery, verdict, ending);
    if (verdict.act === 'ack') {
      ack(delivery.msg);
      this.failures.forget(delivery);
    } else {
      nak(delivery.msg, verdict.delayMs);
      if (!ending.ok) this.report(delivery, verdict, ending.error);
    }
    this.work.ended?.(delivery, verdict, ending);
    return undefined;
  }

  /** Makes a dead letter of a delivery without handling it: its handler does not survive it. */
  async giveUp(delivery: ReceivedDelivery): Promise<void> {
    const message = `Handling it began again and again and never ended: it ends its process. Delivered ${delivery.deliveries} times.`;
    counters.deliveries.add(1, this.attributes.dead);
    const error = new TocsinError('internal', message);
    await this.bury(delivery, { act: 'dead', code: 'internal', reason: 'deadly', message }, { ok: false, error });
  }

  private async bury(delivery: ReceivedDelivery, verdict: Verdict & { act: 'dead' }, ending: Ending): Promise<void> {
    const { stream, durable } = this.work.spec;
    const { code, reason, message } = verdict;
    try {
      await this.deadLetters.add(delivery, { stream, durable, code, reason, message });
      term(delivery.msg, reason);
      this.failures.forget(delivery);
      this.logger.error(`dead letter: ${stream} ${delivery.sequence} (${delivery.subject}), ${reason}: ${message}`);
      this.work.ended?.(delivery, verdict, ending);
    } catch (error) {
      // It stays in its stream until its dead letter is safe.
      nak(delivery.msg, DEAD_LETTER_RETRY_MS);
      this.logger.error(`no dead letter for ${stream} ${delivery.sequence} yet: ${(error as Error).message}`);
    }
  }

  private report(delivery: ReceivedDelivery, verdict: Verdict & { act: 'nak' }, error: unknown): void {
    const { subject, sequence, deliveries } = delivery;
    const what = `${subject} (${sequence}, delivery ${deliveries}) again in ${verdict.delayMs} ms`;
    const text = error instanceof Error ? error : new Error(String(error));
    if (verdict.reason === 'failed') this.logger.error(`${what}: ${text.stack}`);
    else this.logger.debug(`${what}: ${text.message}`);
  }
}
