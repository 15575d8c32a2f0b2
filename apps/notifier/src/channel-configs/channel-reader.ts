import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type ChannelConfig, channelConfig, newerThan, revisedOf, streams } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { Drain } from '@tocsin/service';
import { NotificationsStore } from '../notifications/notifications.store.ts';

/**
 * Reads what CONFIG says of the channels at the start, and from time to time: an instance of an earlier version may have
 * taken a message that it could not read, and nobody is given that a second time.
 */
@Injectable()
export class ChannelReader implements OnApplicationBootstrap {
  private readonly logger = new Logger('ChannelReader');

  constructor(
    private readonly messaging: Messaging,
    private readonly store: NotificationsStore,
    private readonly drain: Drain,
  ) {}

  onApplicationBootstrap(): void {
    const o = { stream: streams.config.name, filters: ['config.channels.>'] };
    const reading = this.messaging.pollLastPerSubject(o, (payloads) => this.take(payloads));
    this.drain.onStop('stop-taking', () => reading.stop());
  }

  private async take(payloads: unknown[]): Promise<void> {
    const all = revisedOf(payloads);
    const known = await this.store.channelRevisions(all.map(({ id }) => id));
    for (const newer of newerThan(all, known)) {
      const { data: config, error } = channelConfig.safeParse(newer);
      if (config) await this.apply(config);
      else this.logger.warn(`channel ${newer.id} is for a later version to read: ${error.message}`);
    }
  }

  /** One that fails does not keep the others back. */
  private async apply(config: ChannelConfig): Promise<void> {
    try {
      await this.store.putChannel(config);
    } catch (error) {
      if (error instanceof TocsinError && error.retry) throw error;
      this.logger.error(`channel ${config.id} could not be applied: ${String(error)}`);
    }
  }
}
