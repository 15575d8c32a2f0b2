import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Drain, Periodic } from '@tocsin/service';
import { MonitorFeed } from './monitor-feed.ts';
import { RunningShards } from './running-shards.ts';
import { ShardHolder } from './shard-holder.ts';

/**
 * Windows are handed out in bursts: each process that a task passes spends a third less on it than on a task that comes
 * alone, and a check may start a tenth of a second after its due time.
 */
const TICK_MS = 100;
const ROUND_MS = 200;
const WATERMARK_MS = 1_000;

/** Keeps the schedule going: loads the monitors, then holds, ticks and records until the service stops. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  /** Its own: windows are handed out until the last phase of a stop, and then no job runs while the shards are given up. */
  private readonly periodic = new Periodic();

  constructor(
    private readonly feed: MonitorFeed,
    private readonly holder: ShardHolder,
    private readonly shards: RunningShards,
    drain: Drain,
  ) {
    drain.onStop('release', () => this.stop());
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.shards.start();
    await this.feed.start((change) => this.shards.change(change));
    this.periodic.every(ROUND_MS, 'shards', () => this.holder.round(this.shards)).nudge();
    this.periodic.every(TICK_MS, 'windows', () => Promise.resolve(this.shards.tick())).nudge();
    this.periodic.every(WATERMARK_MS, 'watermarks', () => this.shards.recordWatermarks()).nudge();
  }

  private async stop(): Promise<void> {
    await this.periodic.stop();
    await this.holder.stop(this.shards);
    await Promise.all([this.feed.stop(), this.shards.stop()]);
  }
}
