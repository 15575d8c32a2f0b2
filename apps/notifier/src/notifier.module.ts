import { Module } from '@nestjs/common';
import { ChannelConfigsModule } from './channel-configs/channel-configs.module.ts';
import { ChannelTestsModule } from './channel-tests/channel-tests.module.ts';
import { DeadmanModule } from './deadman/deadman.module.ts';
import { NotificationsModule } from './notifications/notifications.module.ts';

@Module({ imports: [ChannelConfigsModule, ChannelTestsModule, DeadmanModule, NotificationsModule] })
export class NotifierModule {}
