import type { ChannelKind, ChannelOf, ChannelSpec } from '@tocsin/contracts';
import type { Notification, Recipients } from '../notifications/notification.ts';

/** What one attempt to send came to. */
export interface SendOutcome {
  /** `retry`: it may work later. `refused`: it never will. */
  result: 'sent' | 'retry' | 'refused';
  /** What the receiver said, or why there was no answer, for a person; bounded and without secrets. */
  answer: string;
  /** How long the receiver asks us to wait, in ms. */
  retryAfterMs?: number | undefined;
  /** Of a mail: who is done with it by now. Given where the receiver said of each recipient what becomes of him. */
  recipients?: Recipients | undefined;
}

/** What an attempt is made with. */
export interface Attempt<C extends ChannelSpec> {
  /** The channel with its secrets in plain. */
  channel: C;
  notification: Notification;
  /** When the attempt is made, in ms since the epoch. */
  now: number;
  /** Aborted when the attempt has taken too long: it must end then. */
  signal: AbortSignal;
}

/** How one kind of channel is sent to. */
export interface Sender<K extends ChannelKind> {
  /** The receiver as it may be shown: without secrets. */
  to(channel: ChannelOf<K>): string;
  /** Makes one attempt. Never throws for what the receiver or the network does: that is an outcome. */
  send(attempt: Attempt<ChannelOf<K>>): Promise<SendOutcome>;
}
