import { Inject, Injectable } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { CONFIG, Health } from '@tocsin/service';
import { MonitorFeed } from './monitor-feed.ts';
import { RunningShards } from './running-shards.ts';
import type { SchedulerConfig } from './scheduler.config.ts';

/** Shows on the health page and in the metrics what this instance schedules, and whether it keeps up. */
@Injectable()
export class SchedulerHealth {
  constructor(feed: MonitorFeed, shards: RunningShards, health: Health, @Inject(CONFIG) config: SchedulerConfig) {
    health.add('schedule', () => Promise.resolve({ monitors: feed.size, shards: shards.held, of: config.shards }));
    const meter = metrics.getMeter('tocsin');
    meter
      .createObservableGauge('tocsin_scheduler_shards', { description: 'Shards this instance holds' })
      .addCallback((result) => result.observe(shards.held.length));
    meter
      .createObservableGauge('tocsin_scheduler_lag_seconds', { description: 'How long the oldest due window waits' })
      .addCallback((result) => result.observe(shards.lagMs() / 1_000));
  }
}
