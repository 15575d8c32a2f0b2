import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Drain } from '@tocsin/service';
import { MonitorFeed } from './monitor-feed.ts';
import { RunningShards } from './running-shards.ts';
import { ShardHolder } from './shard-holder.ts';

/**
 * Windows are given out in bursts: a task costs every process on its road a third less than one that comes alone, and
 * nobody minds a check that starts a tenth of a second after its due time.
 */
const TICK_MS = 100;
const ROUND_MS = 200;
const WATERMARK_MS = 1_000;

/** Keeps the schedule going: loads the monitors, then holds, ticks and records until the service stops. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  private readonly logger = new Logger(SchedulerService.name);
  private readonly stopping = new AbortController();
  private loops: Promise<void>[] = [];

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
    this.loops = [
      this.every(ROUND_MS, () => this.holder.round(this.shards)),
      this.every(TICK_MS, () => Promise.resolve(this.shards.tick())),
      this.every(WATERMARK_MS, () => this.shards.recordWatermarks()),
    ];
  }

  private async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
    await this.holder.stop(this.shards);
    await Promise.all([this.feed.stop(), this.shards.stop()]);
  }

  /** Repeats until the service stops; a round that fails is logged and the next one tries again. */
  private async every(ms: number, round: () => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await round().catch((error: unknown) => this.logger.warn(`will be tried again: ${String(error)}`));
      await delay(ms, undefined, { signal }).catch(() => undefined);
    }
  }
}
