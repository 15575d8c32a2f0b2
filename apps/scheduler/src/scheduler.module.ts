import { Module } from '@nestjs/common';
import { Dispatcher } from './dispatcher.ts';
import { MonitorFeed } from './monitor-feed.ts';
import { SchedulerService } from './scheduler.service.ts';
import { ShardHolder } from './shard-holder.ts';
import { Watermarks } from './watermarks.ts';

@Module({ providers: [Dispatcher, MonitorFeed, SchedulerService, ShardHolder, Watermarks] })
export class SchedulerModule {}
