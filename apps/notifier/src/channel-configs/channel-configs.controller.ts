import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { ChannelConfig } from '@tocsin/contracts';
import { NotificationsStore } from '../notifications/notifications.store.ts';

@Controller()
export class ChannelConfigsController {
  constructor(private readonly store: NotificationsStore) {}

  @EventPattern('notifierConfig', { concurrency: 8 })
  channel(@Payload() config: ChannelConfig): Promise<void> {
    return this.store.putChannel(config);
  }
}
