import { Module } from '@nestjs/common';
import { TaskPublisher } from './task-publisher.ts';
import { MonitorFeed } from './monitor-feed.ts';
import { RunningShards } from './running-shards.ts';
import { SchedulerHealth } from './scheduler.health.ts';
import { SchedulerService } from './scheduler.service.ts';
import { ShardHolder } from './shard-holder.ts';
import { Watermarks } from './watermarks.ts';

@Module({
  providers: [TaskPublisher, MonitorFeed, RunningShards, SchedulerHealth, SchedulerService, ShardHolder, Watermarks],
})
export class SchedulerModule {}
