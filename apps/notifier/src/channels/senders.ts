import { Inject, Injectable } from '@nestjs/common';
import { type AnyChannelSpec, type ChannelKind, type ChannelSpec, channelSpecOf, mapSecrets } from '@tocsin/contracts';
import { type Clock, isSealed } from '@tocsin/core';
import { CLOCK, CONFIG, Targets } from '@tocsin/service';
import type { Notification } from '../notifications/notification.ts';
import type { NotifierConfig } from '../notifier.config.ts';
import { EmailSender } from './email/email.ts';
import type { Sender, SendOutcome } from './sender.ts';
import { WebhookSender } from './webhook/webhook.ts';

/** Finds the sender of a channel's kind, and opens the channel's secrets for it and nobody else. */
@Injectable()
export class Senders {
  private readonly senders: { [K in ChannelKind]: Sender<K> };

  constructor(
    @Inject(CONFIG) private readonly config: NotifierConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    targets: Targets,
  ) {
    this.senders = {
      webhook: new WebhookSender(targets, config.sendTimeoutMs),
      email: new EmailSender(targets),
    };
  }

  /** The receiver as it may be shown; nothing of one that only a later version can read. */
  to(spec: AnyChannelSpec): string {
    const channel = channelSpecOf(spec);
    return channel ? this.of(channel).to(channel) : '';
  }

  /** Makes one attempt. Never throws: a secret that does not open is an outcome too. */
  async send(sealed: ChannelSpec, notification: Notification, signal: AbortSignal): Promise<SendOutcome> {
    let channel: ChannelSpec;
    try {
      channel = mapSecrets(sealed, ({ value, mark }) => {
        if (mark === 'address') return this.config.sealing.openAddress(value);
        return isSealed(value) ? this.config.sealing.open(value) : value;
      });
    } catch {
      const answer =
        'a secret of the channel does not open: was it sealed for another TOCSIN_CHANNELS_KEY? Send it again';
      return { result: 'retry', answer };
    }
    return this.of(channel).send({ channel, notification, signal, now: this.clock.now() });
  }

  private of({ kind }: ChannelSpec): Sender<ChannelKind> {
    return this.senders[kind] as Sender<ChannelKind>;
  }
}
