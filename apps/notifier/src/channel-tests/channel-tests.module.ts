import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.ts';
import { ChannelTestsController } from './channel-tests.controller.ts';
import { ChannelTestParts, ChannelTestsService } from './channel-tests.service.ts';

/** Sends tests of channels. */
@Module({
  imports: [NotificationsModule],
  controllers: [ChannelTestsController],
  providers: [ChannelTestParts, ChannelTestsService],
})
export class ChannelTestsModule {}
