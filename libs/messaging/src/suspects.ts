import type { Connection } from './connection.ts';
import { type ConsumerSpec, SUSPECTS_BUCKET } from './contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import { KeyValue } from './key-value.ts';

/** So many deliveries make a message worth watching, whatever they came from. */
const WORTH_WATCHING = 10;
/** So often handling began, alone and watched, and never ended. */
const MAX_DEATHS = 3;
const MAX_REMEMBERED = 10_000;
const ANSWER_MS = 2_000;

/**
 * Finds the message that ends its process on every delivery, which leaves no failure to count. The broker's count alone
 * proves nothing, because hand-backs and outages raise it too, and because whatever was in hand together is delivered again
 * together. So a message delivered very often that never came to an end in this process is handled alone, with a mark
 * in a bucket while it is; a mark that stays is a process that did not survive.
 */
export class Suspects {
  private readonly ended = new Set<string>();
  private readonly marks: KeyValue;
  private readonly above: number;

  constructor(
    connection: Connection,
    private readonly spec: Pick<ConsumerSpec, 'durable' | 'maxDeliver'>,
  ) {
    this.marks = new KeyValue(connection, SUSPECTS_BUCKET, ANSWER_MS);
    this.above = Math.max(WORTH_WATCHING, spec.maxDeliver);
  }

  isSuspect({ deliveries, key }: ReceivedDelivery): boolean {
    return deliveries > this.above && !this.ended.has(key);
  }

  /** Remembers that a delivery failed and this process lived on. */
  survived({ key }: ReceivedDelivery): void {
    this.ended.add(key);
    if (this.ended.size > MAX_REMEMBERED) this.ended.delete(this.ended.values().next().value!);
  }

  /**
   * Marks that handling begins.
   * @returns whether it began too often without an end: it must not be handled again
   * @throws TocsinError `unavailable` if the mark can't be written; do not handle it unmarked
   */
  async begin(delivery: ReceivedDelivery): Promise<boolean> {
    const key = this.keyOf(delivery);
    const deaths = ((await this.marks.get(key))?.value as { begun: number } | undefined)?.begun ?? 0;
    if (deaths >= MAX_DEATHS) return true;
    await this.marks.put(key, { begun: deaths + 1 });
    return false;
  }

  /** Takes the mark away: it came to an end, whichever. */
  async end(delivery: ReceivedDelivery): Promise<void> {
    await this.marks.delete(this.keyOf(delivery));
  }

  private keyOf({ key }: ReceivedDelivery): string {
    return `${this.spec.durable}.${key}`;
  }
}
