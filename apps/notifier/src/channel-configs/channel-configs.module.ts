import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.ts';
import { ChannelConfigsController } from './channel-configs.controller.ts';
import { ChannelReader } from './channel-reader.ts';

/** Keeps the projection of the channels. */
@Module({ imports: [NotificationsModule], controllers: [ChannelConfigsController], providers: [ChannelReader] })
export class ChannelConfigsModule {}
