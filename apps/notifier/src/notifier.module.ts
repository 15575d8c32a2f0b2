import { Module } from '@nestjs/common';
import { Targets } from '@tocsin/service';
import { ChannelReader } from './channel-reader.ts';
import { Senders } from './channels/senders.ts';
import { DeadmanCaller } from './deadman/deadman.caller.ts';
import { DeadmanLoop, DeadmanPlatform } from './deadman/deadman.loop.ts';
import { DeadmanService } from './deadman/deadman.service.ts';
import { DeadmanStore } from './deadman/deadman.store.ts';
import { Dispatcher } from './dispatcher.ts';
import { PostgresNotificationsStore } from './notifications.store.postgres.ts';
import { NotificationsStore } from './notifications.store.ts';
import { NotifierController } from './notifier.controller.ts';
import { Poller } from './poller.ts';
import { Recorder } from './recorder.ts';
import { Settler } from './settler.ts';
import { TestParts, TestsService } from './tests.service.ts';

/** The composition root: the only file that names adapters. */
@Module({
  controllers: [NotifierController],
  providers: [
    Targets,
    Senders,
    Settler,
    Dispatcher,
    Recorder,
    Poller,
    DeadmanCaller,
    DeadmanLoop,
    DeadmanPlatform,
    DeadmanService,
    DeadmanStore,
    TestParts,
    TestsService,
    ChannelReader,
    { provide: NotificationsStore, useClass: PostgresNotificationsStore },
  ],
})
export class NotifierModule {}
