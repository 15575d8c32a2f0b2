import { Logger } from '@nestjs/common';
import { type Clock, systemClock } from '@tocsin/core';
import type { KeyValue } from '../client/key-value.ts';
import type { ConsumerSpec } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';

/** A process shares the counts of this many messages per hour. If more fail, the handler is at fault and no message. */
const MAX_SHARED = 200;
/** A bucket that did not answer gets no request for this long, so that a batch does not wait for it message by message. */
const BUCKET_PAUSE_MS = 5_000;
/** How long the bucket keeps a value. */
const SHARED_MS = 3_600_000;

/**
 * Counts the failures of each message of one durable that may be the message's own fault. The broker's count of deliveries
 * would also count returned messages, outages and crashes. The count is in memory. Failures are rare, so the process also
 * writes it to a bucket: the instance that receives the message next goes on counting, also after a restart. While the
 * bucket does not answer, each instance counts alone.
 */
export class FailureCounter {
  private readonly local = new Map<string, number>();
  /** When each count was shared, monotonic ms, oldest first. */
  private readonly shared = new Map<string, number>();
  private pausedUntil = Number.NEGATIVE_INFINITY;
  private readonly logger: Logger;

  constructor(
    private readonly bucket: Pick<KeyValue, 'get' | 'put'>,
    private readonly spec: Pick<ConsumerSpec, 'durable' | 'maxAckPending'>,
    private readonly clock: Clock = systemClock,
  ) {
    this.logger = new Logger(spec.durable);
  }

  /** Counts one more failure. @returns how often the message has failed on all instances, this time included */
  async count(delivery: ReceivedDelivery): Promise<number> {
    const { key } = delivery;
    const elsewhere = delivery.deliveries > 1 ? await this.readShared(delivery) : 0;
    const failures = Math.max(this.local.get(key) ?? 0, elsewhere) + 1;
    this.local.delete(key);
    this.local.set(key, failures);
    // No more than this many messages are in flight, so the oldest count belongs to one that is settled.
    if (this.local.size > this.spec.maxAckPending) this.local.delete(this.local.keys().next().value!);
    await this.share(delivery, failures);
    return failures;
  }

  /** The message is settled. Its shared count expires by itself. */
  forget({ key }: ReceivedDelivery): void {
    if (this.local.size > 0) this.local.delete(key);
  }

  private async readShared(delivery: ReceivedDelivery): Promise<number> {
    const entry = await this.unlessPaused(() => this.bucket.get(this.keyOf(delivery)));
    return (entry?.value as { failures: number } | undefined)?.failures ?? 0;
  }

  private async share(delivery: ReceivedDelivery, failures: number): Promise<void> {
    const { key } = delivery;
    const now = this.clock.monotonic();
    for (const [other, at] of this.shared) {
      if (now - at < SHARED_MS) break;
      this.shared.delete(other);
    }
    if (!this.shared.has(key) && this.shared.size >= MAX_SHARED) return;
    this.shared.delete(key);
    this.shared.set(key, now);
    await this.unlessPaused(() => this.bucket.put(this.keyOf(delivery), { failures }));
  }

  private keyOf({ key }: ReceivedDelivery): string {
    return `${this.spec.durable}.${key}.failures`;
  }

  private async unlessPaused<T>(act: () => Promise<T>): Promise<T | undefined> {
    if (this.clock.monotonic() < this.pausedUntil) return undefined;
    try {
      return await act();
    } catch (error) {
      this.pausedUntil = this.clock.monotonic() + BUCKET_PAUSE_MS;
      this.logger.debug(`this instance counts failures alone for now: ${(error as Error).message}`);
      return undefined;
    }
  }
}
