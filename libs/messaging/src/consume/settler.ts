import { Logger } from '@nestjs/common';
import type { DeadLetters } from './dead-letters.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { FailureCounter } from './failure-counter.ts';
import { counters } from '../wire/metrics.ts';
import type { ConsumerDefinition } from './consumer-definition.ts';
import { ack, countsAsFailure, type HandlerOutcome, nak, settle, type Settlement, term } from './settlement.ts';

const DEAD_LETTER_RETRY_MS = 1_000;

/** Carries out what `settlement.ts` decides for the deliveries of one durable. */
export class Settler {
  private readonly logger: Logger;
  private readonly attributes: Record<Settlement['act'], { durable: string; outcome: string }>;

  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly failures: FailureCounter,
    private readonly definition: ConsumerDefinition,
  ) {
    const { durable } = definition.spec;
    this.logger = new Logger(durable);
    this.attributes = {
      ack: { durable, outcome: 'ack' },
      nak: { durable, outcome: 'nak' },
      dead: { durable, outcome: 'dead' },
    };
  }

  /**
   * Settles one delivery. It returns a promise only if it counts a failure or has to store a dead letter first.
   * @param isOurs checked once the failure is counted: a drain may have returned the delivery meanwhile
   */
  settle(delivery: ReceivedDelivery, outcome: HandlerOutcome, isOurs = (): boolean => true): Promise<void> | undefined {
    if (!countsAsFailure(outcome)) return this.carryOut(delivery, outcome, 0);
    return this.failures.count(delivery).then((failures) => {
      return isOurs() ? this.carryOut(delivery, outcome, failures) : undefined;
    });
  }

  /** Stores a dead letter, and takes the delivery out of its stream once that is safe. */
  async moveToDeadLetters(
    delivery: ReceivedDelivery,
    settlement: Settlement & { act: 'dead' },
    outcome: HandlerOutcome,
  ): Promise<void> {
    const { stream, durable } = this.definition.spec;
    const { code, reason, message } = settlement;
    counters.deliveries.add(1, this.attributes.dead);
    try {
      await this.deadLetters.add(delivery, { stream, durable, code, reason, message });
      term(delivery.msg, reason);
      this.failures.forget(delivery);
      this.logger.error(`dead letter: ${stream} ${delivery.sequence} (${delivery.subject}), ${reason}: ${message}`);
      this.definition.onSettled?.(delivery, settlement, outcome);
    } catch (error) {
      nak(delivery.msg, DEAD_LETTER_RETRY_MS);
      this.logger.error(`no dead letter for ${stream} ${delivery.sequence} yet: ${(error as Error).message}`);
    }
  }

  private carryOut(delivery: ReceivedDelivery, outcome: HandlerOutcome, failures: number): Promise<void> | undefined {
    const { kind, spec } = this.definition;
    const { maxDeliver, backoffMs } = spec;
    const settlement = settle(outcome, { kind, deliveries: delivery.deliveries, failures, maxDeliver, backoffMs });
    if (settlement.act === 'dead') return this.moveToDeadLetters(delivery, settlement, outcome);
    counters.deliveries.add(1, this.attributes[settlement.act]);
    if (settlement.act === 'ack') {
      ack(delivery.msg);
      this.failures.forget(delivery);
    } else {
      nak(delivery.msg, settlement.delayMs);
      if (!outcome.ok) this.report(delivery, settlement, outcome.error);
    }
    this.definition.onSettled?.(delivery, settlement, outcome);
    return undefined;
  }

  private report(delivery: ReceivedDelivery, settlement: Settlement & { act: 'nak' }, error: unknown): void {
    const { subject, sequence, deliveries } = delivery;
    const what = `${subject} (${sequence}, delivery ${deliveries}) again in ${settlement.delayMs} ms`;
    const text = error instanceof Error ? error : new Error(String(error));
    if (settlement.reason === 'failed') this.logger.error(`${what}: ${text.stack}`);
    else this.logger.debug(`${what}: ${text.message}`);
  }
}
