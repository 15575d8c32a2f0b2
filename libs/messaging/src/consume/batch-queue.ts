import type { ReceivedDelivery } from './delivery.ts';

const DEFAULT_LINGER_MS = 5;

/** The deliveries of one worker that wait for a free handler. It gives them out one by one, or in batches. */
export class BatchQueue {
  private readonly waiting: ReceivedDelivery[] = [];
  /** A delivery waits that must not wait for more. */
  private urgent = false;
  private linger: NodeJS.Timeout | undefined;
  private lingered = false;

  /**
   * @param o `batch`: the largest batch, or `undefined` to give out single deliveries; `lingerMs`: how long a batch waits to
   *   fill up
   * @param onReady called when a batch has waited long enough: take it
   */
  constructor(
    private readonly o: { batch?: number | undefined; lingerMs?: number | undefined },
    private readonly onReady: () => void,
  ) {}

  add(delivery: ReceivedDelivery): void {
    this.waiting.push(delivery);
    if (this.o.batch !== undefined && delivery.isUrgent) this.urgent = true;
  }

  /** The next delivery, or the next batch that is full or urgent or has lingered; `undefined` while there is none. */
  take(): ReceivedDelivery[] | undefined {
    if (this.waiting.length === 0) return undefined;
    const { batch } = this.o;
    if (batch === undefined) return this.waiting.splice(0, 1);
    if (this.waiting.length < batch && !this.urgent && !this.lingered) {
      this.linger ??= setTimeout(() => this.endLinger(), this.o.lingerMs ?? DEFAULT_LINGER_MS);
      return undefined;
    }
    this.stopLinger();
    const taken = this.waiting.splice(0, batch);
    if (this.waiting.length === 0) this.urgent = false;
    return taken;
  }

  /** Removes every delivery. */
  clear(): ReceivedDelivery[] {
    this.stopLinger();
    return this.waiting.splice(0);
  }

  /** Removes the deliveries that were received before `before`, monotonic ms. */
  removeOlder(before: number): ReceivedDelivery[] {
    return removeOlder(this.waiting, before);
  }

  private endLinger(): void {
    this.linger = undefined;
    // Only now: a worker that may not begin at this moment lets the next batch linger again.
    this.lingered = true;
    this.onReady();
    this.lingered = false;
  }

  private stopLinger(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    this.lingered = false;
  }
}

/** Removes the deliveries received before `before` from a queue in the order of arrival. */
export function removeOlder(waiting: ReceivedDelivery[], before: number): ReceivedDelivery[] {
  const firstToKeep = waiting.findIndex(({ receivedAt }) => receivedAt >= before);
  return waiting.splice(0, firstToKeep < 0 ? waiting.length : firstToKeep);
}
