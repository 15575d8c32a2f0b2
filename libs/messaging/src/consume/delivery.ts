import type { Msg } from '@nats-io/transport-node';
import { headerRecord } from '../wire/headers.ts';
import { HEADER } from '../wire/names.ts';
import { working } from './settlement.ts';

/** One message on its way through a handler. */
export interface Delivery<T = unknown> {
  readonly data: T;
  readonly subject: string;
  readonly headers: Record<string, string>;
  /** Its place in the stream. */
  readonly sequence: number;
  /** How often it was delivered, this time included: 1 = the first time. */
  readonly deliveries: number;
  /** When the broker stored it, ms since the epoch. */
  readonly publishedAt: number;
  /** The id it was published with. */
  readonly id?: string | undefined;
  /** Extends the ack wait, so that no other instance gets it. The worker does this by itself while a handler runs. */
  working(): void;
  /** Aborted when the handler has timed out, or the service stops. */
  readonly signal: AbortSignal;
}

/** A delivery read from the broker's message. Headers are read only when needed. */
export class ReceivedDelivery implements Delivery {
  data: unknown = undefined;
  /** When its ack wait last began, monotonic ms. */
  extendedAt: number;
  startedAt: number | undefined;
  readonly sequence: number;
  readonly deliveries: number;
  readonly publishedAt: number;
  private record: Record<string, string> | undefined;
  private controller: AbortController | undefined;
  private aborted = false;

  constructor(
    readonly msg: Msg,
    readonly receivedAt: number,
  ) {
    this.extendedAt = receivedAt;
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>, with domain and account
    // before the stream and a random token at the end in the longer form.
    const tokens = (msg.reply ?? '').split('.');
    const at = tokens.length > 9 ? 6 : 4;
    this.deliveries = Number(tokens[at]);
    this.sequence = Number(tokens[at + 1]);
    this.publishedAt = Math.floor(Number(tokens[at + 3]) / 1e6);
  }

  /** Identifies the message in its consumer for good, also when the stream was created again and counts from 1. */
  get key(): string {
    return `${this.sequence}.${this.publishedAt}`;
  }

  get subject(): string {
    return this.msg.subject;
  }

  get headers(): Record<string, string> {
    return (this.record ??= headerRecord(this.msg.headers));
  }

  get id(): string | undefined {
    return this.msg.headers?.get(HEADER.id) || undefined;
  }

  /** A batch handler receives it at once instead of waiting for more. */
  get isUrgent(): boolean {
    return this.msg.headers?.has(HEADER.urgent) ?? false;
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.aborted) this.controller.abort();
    return this.controller.signal;
  }

  working(): void {
    working(this.msg);
  }

  abort(): void {
    this.aborted = true;
    this.controller?.abort();
  }
}
