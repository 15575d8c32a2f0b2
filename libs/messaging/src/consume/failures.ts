import { Logger } from '@nestjs/common';
import { type Clock, systemClock } from '@tocsin/core';
import type { ConsumerSpec } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import type { KeyValue } from '../client/key-value.ts';

/** Of so many messages a process tells the others at a time: if more of them fail, the handler is at fault and no message. */
const MAX_TOLD = 200;
/** For how long nothing is asked of a bucket that did not answer: a batch must not wait for it message by message. */
const REST_MS = 5_000;
/** As long as the bucket keeps a value. */
const TOLD_MS = 3_600_000;

/**
 * Counts the failures of each message of one durable that may be its own fault. The broker's count of deliveries would
 * also count hand-backs, outages and crashes. The count is kept in memory and, as a failure is rare, told to the other
 * instances through a bucket: whoever gets the message next goes on counting, also after a restart. While the bucket does
 * not answer, each instance counts for itself.
 */
export class Failures {
  private readonly here = new Map<string, number>();
  private readonly told = new Map<string, number>();
  private restsUntil = Number.NEGATIVE_INFINITY;
  private readonly logger: Logger;

  constructor(
    private readonly bucket: Pick<KeyValue, 'get' | 'put'>,
    private readonly spec: Pick<ConsumerSpec, 'durable' | 'maxAckPending'>,
    private readonly clock: Clock = systemClock,
  ) {
    this.logger = new Logger(spec.durable);
  }

  /** Counts one more. @returns how often it has failed, on whichever instance, this time included */
  async count(delivery: ReceivedDelivery): Promise<number> {
    const { key } = delivery;
    const elsewhere = delivery.deliveries > 1 ? await this.heard(delivery) : 0;
    const failures = Math.max(this.here.get(key) ?? 0, elsewhere) + 1;
    this.here.delete(key);
    this.here.set(key, failures);
    // As many as can be open at a time; the others are done, by whichever instance.
    if (this.here.size > this.spec.maxAckPending) this.here.delete(this.here.keys().next().value!);
    await this.tell(delivery, failures);
    return failures;
  }

  /** It came to its end. What was told of it fades by itself. */
  forget({ key }: ReceivedDelivery): void {
    if (this.here.size > 0) this.here.delete(key);
  }

  private async heard(delivery: ReceivedDelivery): Promise<number> {
    const entry = await this.unlessAway(() => this.bucket.get(this.keyOf(delivery)));
    return (entry?.value as { failures: number } | undefined)?.failures ?? 0;
  }

  private async tell(delivery: ReceivedDelivery, failures: number): Promise<void> {
    const { key } = delivery;
    const now = this.clock.monotonic();
    for (const [other, at] of this.told) {
      if (now - at < TOLD_MS) break;
      this.told.delete(other);
    }
    if (!this.told.has(key) && this.told.size >= MAX_TOLD) return;
    this.told.delete(key);
    this.told.set(key, now);
    await this.unlessAway(() => this.bucket.put(this.keyOf(delivery), { failures }));
  }

  private keyOf({ key }: ReceivedDelivery): string {
    return `${this.spec.durable}.${key}.failures`;
  }

  private async unlessAway<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (this.clock.monotonic() < this.restsUntil) return undefined;
    try {
      return await act();
    } catch (error) {
      this.restsUntil = this.clock.monotonic() + REST_MS;
      this.logger.debug(`failures are counted here alone: ${(error as Error).message}`);
      return undefined;
    }
  }
}
