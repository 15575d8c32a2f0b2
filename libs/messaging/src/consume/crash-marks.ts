import type { Connection } from '../client/connection.ts';
import { KeyValue } from '../client/key-value.ts';
import { type ConsumerSpec, SUSPECTS_BUCKET } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';

/** From this many deliveries on, a message is a suspect, for whatever reason it was delivered that often. */
const MIN_DELIVERIES = 10;
/** After this many crashes the message is a dead letter. Another message may have caused the first of them. */
const MAX_CRASHES = 3;
const TIMEOUT_MS = 2_000;

/** The bucket in which the instances of a service share what they know about failing messages. */
export function suspectsBucket(connection: Connection): KeyValue {
  return new KeyValue(connection, SUSPECTS_BUCKET, TIMEOUT_MS);
}

/**
 * Finds the message that crashes its process on every delivery. Such a message leaves no failure to count, and the broker's
 * own count proves nothing: returned messages and outages raise it too, and a crash redelivers everything that was in hand.
 *
 * So a worker marks each suspect in a bucket while a handler runs it. A suspect is a message that was delivered very often
 * and never ended in this process. A mark that is still there at the next delivery means that the process crashed. It accuses
 * everything that was in hand, so the worker runs each accused message alone from then on. Only the message that really
 * crashes its process gathers more marks.
 */
export class CrashMarks {
  /** Keys of the messages that failed here without a crash. */
  private readonly failedHere = new Set<string>();
  /** Keys that this process has marked itself. */
  private readonly marked = new Set<string>();
  private readonly minDeliveries: number;

  constructor(
    private readonly marks: Pick<KeyValue, 'get' | 'put' | 'delete'>,
    private readonly spec: Pick<ConsumerSpec, 'durable' | 'maxDeliver' | 'maxAckPending'>,
  ) {
    this.minDeliveries = Math.max(MIN_DELIVERIES, spec.maxDeliver);
  }

  isSuspect({ deliveries, key }: ReceivedDelivery): boolean {
    return deliveries > this.minDeliveries && !this.failedHere.has(key);
  }

  isMarked({ key }: ReceivedDelivery): boolean {
    return this.marked.has(key);
  }

  /** Remembers that a delivery failed and the process survived, so it is no suspect here any more. */
  rememberFailure({ key }: ReceivedDelivery): void {
    this.failedHere.delete(key);
    this.failedHere.add(key);
    // Twice what can be in flight: the second half is for messages that other instances returned.
    if (this.failedHere.size > 2 * this.spec.maxAckPending) {
      this.failedHere.delete(this.failedHere.values().next().value!);
    }
  }

  /**
   * Marks that the handling of a suspect begins beside others, unless an earlier mark accuses it.
   * @returns whether it may run beside others
   * @throws TocsinError `unavailable` if the mark can't be written; do not handle the delivery then
   */
  async markShared(delivery: ReceivedDelivery): Promise<boolean> {
    if ((await this.crashesOf(delivery)) > 0) return false;
    await this.mark(delivery, 1);
    return true;
  }

  /**
   * Marks that the handling of an accused message begins alone.
   * @returns false if it crashed its process too often: do not handle it again
   * @throws TocsinError `unavailable` if the mark can't be written; do not handle the delivery then
   */
  async markExclusive(delivery: ReceivedDelivery): Promise<boolean> {
    const crashes = await this.crashesOf(delivery);
    if (crashes >= MAX_CRASHES) return false;
    await this.mark(delivery, crashes + 1);
    return true;
  }

  /** Others begin beside it from now on, so a crash proves no more than one beside others. */
  async demoteToShared(delivery: ReceivedDelivery): Promise<void> {
    if (this.marked.has(delivery.key)) await this.mark(delivery, 1);
  }

  /** Removes the mark: the handling ended, with success or without. */
  async unmark(delivery: ReceivedDelivery): Promise<void> {
    if (this.marked.delete(delivery.key)) await this.marks.delete(this.keyOf(delivery));
  }

  private async crashesOf(delivery: ReceivedDelivery): Promise<number> {
    return ((await this.marks.get(this.keyOf(delivery)))?.value as { begun: number } | undefined)?.begun ?? 0;
  }

  private async mark(delivery: ReceivedDelivery, begun: number): Promise<void> {
    await this.marks.put(this.keyOf(delivery), { begun });
    this.marked.add(delivery.key);
  }

  private keyOf({ key }: ReceivedDelivery): string {
    return `${this.spec.durable}.${key}`;
  }
}
