import { systemClock } from '@tocsin/core';
import type { ReceivedDelivery } from './delivery.ts';
import { working } from './settlement.ts';

const MIN_CHECK_MS = 50;

/**
 * Extends the ack wait of every delivery that a worker holds, so that the broker does not give it to another instance. A
 * handler that runs longer than its timeout gets its signal aborted instead, and another instance receives the delivery.
 */
export class AckExtender {
  private timer: NodeJS.Timeout | undefined;

  /** @param onCheck called before each round of extensions, with the monotonic time before which the timeout has passed */
  constructor(
    private readonly held: ReadonlySet<ReceivedDelivery>,
    private readonly limits: { ackWaitMs: number; timeoutMs: number },
    private readonly onCheck: (timedOutBefore: number) => void,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.check(), Math.max(MIN_CHECK_MS, this.limits.ackWaitMs / 6));
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const now = systemClock.monotonic();
    const timedOutBefore = now - this.limits.timeoutMs;
    this.onCheck(timedOutBefore);
    for (const delivery of this.held) {
      if (delivery.startedAt !== undefined && delivery.startedAt < timedOutBefore) delivery.abort();
      else if (now - delivery.extendedAt >= this.limits.ackWaitMs / 3) {
        delivery.extendedAt = now;
        working(delivery.msg);
      }
    }
  }
}
