import type { Connection } from '../client/connection.ts';
import { type ConsumerSpec, SUSPECTS_BUCKET } from '../contract.ts';
import type { ReceivedDelivery } from './delivery.ts';
import { KeyValue } from '../client/key-value.ts';

/** So many deliveries make a message worth watching, whatever they came from. */
const WORTH_WATCHING = 10;
/** So many processes ended while it was in hand, the first of them perhaps for another message's sake. */
const MAX_DEATHS = 3;
const ANSWER_MS = 2_000;

/** What the instances of a service tell each other of messages that may be at fault. */
export function suspectsBucket(connection: Connection): KeyValue {
  return new KeyValue(connection, SUSPECTS_BUCKET, ANSWER_MS);
}

/**
 * Finds the message that ends its process on every delivery, which leaves no failure to count. The broker's count alone
 * proves nothing, because hand-backs and outages raise it too, and because whatever was in hand together is delivered again
 * together. So a message delivered very often that never came to an end in this process gets a mark in a bucket while it
 * is handled. A mark that stayed is a process that did not survive, and accuses whatever was in hand then: from there on
 * each of those is handled alone, so that only the one that ends its process gathers marks.
 */
export class Suspects {
  private readonly ended = new Set<string>();
  /** What this process has marked itself. */
  private readonly marked = new Set<string>();
  private readonly above: number;

  constructor(
    private readonly marks: Pick<KeyValue, 'get' | 'put' | 'delete'>,
    private readonly spec: Pick<ConsumerSpec, 'durable' | 'maxDeliver' | 'maxAckPending'>,
  ) {
    this.above = Math.max(WORTH_WATCHING, spec.maxDeliver);
  }

  isSuspect({ deliveries, key }: ReceivedDelivery): boolean {
    return deliveries > this.above && !this.ended.has(key);
  }

  /** Remembers that a delivery failed and this process lived on. */
  survived({ key }: ReceivedDelivery): void {
    this.ended.delete(key);
    this.ended.add(key);
    // As much as can be on its way at once, and as much again for what others gave back.
    if (this.ended.size > 2 * this.spec.maxAckPending) this.ended.delete(this.ended.values().next().value!);
  }

  /**
   * Marks that handling begins, unless a process before ended while it was in hand.
   * @returns whether it may be handled beside others
   * @throws TocsinError `unavailable` if the mark can't be written; do not handle it unmarked
   */
  async beginBesideOthers(delivery: ReceivedDelivery): Promise<boolean> {
    if ((await this.deathsOf(delivery)) > 0) return false;
    await this.mark(delivery, 1);
    return true;
  }

  /**
   * Marks that handling begins, alone.
   * @returns whether it began too often without an end: it must not be handled again
   * @throws TocsinError `unavailable` if the mark can't be written; do not handle it unmarked
   */
  async beginAlone(delivery: ReceivedDelivery): Promise<boolean> {
    const deaths = await this.deathsOf(delivery);
    if (deaths >= MAX_DEATHS) return true;
    await this.mark(delivery, deaths + 1);
    return false;
  }

  /** Others begin beside it from now on, so an end of the process says nothing more about it. */
  async nowBesideOthers(delivery: ReceivedDelivery): Promise<void> {
    if (this.marked.has(delivery.key)) await this.mark(delivery, 1);
  }

  /** Takes the mark away: it came to an end, whichever. */
  async end(delivery: ReceivedDelivery): Promise<void> {
    if (this.marked.delete(delivery.key)) await this.marks.delete(this.keyOf(delivery));
  }

  private async deathsOf(delivery: ReceivedDelivery): Promise<number> {
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
