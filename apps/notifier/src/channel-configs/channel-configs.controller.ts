import { Controller } from '@nestjs/common';
import { type ChannelConfig, consumers } from '@tocsin/contracts';
import { Consumes } from '@tocsin/messaging';
import { NotificationsStore } from '../notifications/notifications.store.ts';

@Controller()
export class ChannelConfigsController {
  constructor(private readonly store: NotificationsStore) {}

  @Consumes(consumers.notifierConfig, { concurrency: 8 })
  channel(config: ChannelConfig): Promise<void> {
    return this.store.putChannel(config);
  }
}
