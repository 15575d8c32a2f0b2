import { Module } from '@nestjs/common';
import { Targets } from '@tocsin/service';
import { Senders } from '../channels/senders.ts';
import { DuePoller } from './due-poller.ts';
import { NotificationPlanner } from './notification-planner.ts';
import { NotificationSender } from './notification-sender.ts';
import { NotificationsController } from './notifications.controller.ts';
import { NotificationsStore } from './notifications.store.ts';
import { OutcomeWriter } from './outcome-writer.ts';

/** Turns transitions of incidents into notifications, and sends each of them until its outcome is written. */
@Module({
  controllers: [NotificationsController],
  providers: [DuePoller, NotificationPlanner, NotificationSender, NotificationsStore, OutcomeWriter, Senders, Targets],
  exports: [NotificationSender, NotificationsStore, Senders],
})
export class NotificationsModule {}
