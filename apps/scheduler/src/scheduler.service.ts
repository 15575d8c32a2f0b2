import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { type Clock, durationMs, gridOf, shardOf, windowAt } from '@tocsin/core';
import type { Lease } from '@tocsin/messaging';
import { CLOCK, CONFIG, Drain, Health } from '@tocsin/service';
import { Dispatcher } from './dispatcher.ts';
import { MonitorFeed } from './monitor-feed.ts';
import type { DueWindow, ProbedMonitor } from './schedule.ts';
import type { SchedulerConfig } from './scheduler.config.ts';
import { ShardHolder, type ShardListener } from './shard-holder.ts';
import { Shard } from './shard.ts';
import { Watermarks } from './watermarks.ts';

/**
 * Windows are given out in bursts: a task costs every process on its road a third less than one that comes alone, and
 * nobody minds a check that starts a tenth of a second after its due time.
 */
const TICK_MS = 100;
const POLL_MS = 10;
const ROUND_MS = 200;
const WATERMARK_MS = 1_000;
const MAX_PER_TICK = 2_000;
/** More windows on their way than this, and the shard waits: the stream is slower than the schedule. */
const MAX_PENDING = 4_096;
const GIVE_UP_MS = 2_000;

/** Says which windows are due: the shards it holds, tick by tick, from the watermark on. */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap, ShardListener {
  private readonly logger = new Logger(SchedulerService.name);
  private readonly shards = new Map<number, Shard>();
  private stopping = false;
  private loops: Promise<void>[] = [];

  constructor(
    private readonly feed: MonitorFeed,
    private readonly holder: ShardHolder,
    private readonly dispatcher: Dispatcher,
    private readonly watermarks: Watermarks,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    drain: Drain,
    health: Health,
  ) {
    drain.onStop('release', () => this.stop());
    health.add('schedule', () => Promise.resolve({ monitors: feed.size, shards: [...this.shards.keys()] }));
    const meter = metrics.getMeter('tocsin');
    meter
      .createObservableGauge('tocsin_scheduler_shards', { description: 'Shards this instance holds' })
      .addCallback((result) => result.observe(this.shards.size));
    meter
      .createObservableGauge('tocsin_scheduler_lag_seconds', { description: 'How long the oldest due window waits' })
      .addCallback((result) => result.observe(Math.max(0, this.latestMs()) / 1000));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.feed.start((change) => this.onChange(change));
    this.loops = [
      this.every(ROUND_MS, () => this.holder.round(this)),
      this.every(TICK_MS, () => Promise.resolve(this.tick())),
      this.every(WATERMARK_MS, () => this.recordWatermarks()),
    ];
  }

  async gained(index: number, lease: Lease): Promise<void> {
    const now = this.clock.now();
    const shard = new Shard(index, lease, (await this.watermarks.read(index)) ?? now);
    for (const monitor of this.feed.all()) {
      if (this.shardOf(monitor.id) === index) shard.schedule.put(monitor, now, shard.watermark);
    }
    this.shards.set(index, shard);
  }

  async giveUp(index: number): Promise<void> {
    const shard = this.shards.get(index);
    if (!shard) return;
    this.shards.delete(index);
    const deadline = this.clock.monotonic() + GIVE_UP_MS;
    while (shard.pending > 0 && this.clock.monotonic() < deadline) await pause(POLL_MS);
    await this.watermarks.write(index, shard.watermark);
  }

  lost(index: number): void {
    this.shards.delete(index);
  }

  /** Hands out what is due in every shard whose lease still holds; a holder that was frozen finds out here. */
  private tick(): void {
    const now = this.clock.now();
    for (const shard of this.shards.values()) {
      if (!shard.lease.isHeld() || shard.pending >= MAX_PENDING) continue;
      const due = shard.schedule.take(now, MAX_PER_TICK);
      for (const window of due) this.send(shard, window);
      shard.advance(due.length < MAX_PER_TICK ? now : due.at(-1)!.dueAt - 1);
    }
  }

  private send(shard: Shard, due: DueWindow): void {
    shard.started(due.dueAt);
    void this.dispatcher.dispatch(due).finally(() => shard.finished(due.dueAt));
  }

  private onChange(change: { monitorId: string; monitor: ProbedMonitor | undefined; fresh: boolean }): void {
    const shard = this.shards.get(this.shardOf(change.monitorId));
    if (!shard) return;
    const { monitor } = change;
    if (!monitor) return shard.schedule.remove(change.monitorId);
    const now = this.clock.now();
    for (const owed of shard.schedule.put(monitor, now, shard.watermark)) this.send(shard, owed);
    if (change.fresh && shard.lease.isHeld()) {
      const window = windowAt(gridOf(monitor.id, durationMs(monitor.spec.interval)), now);
      void this.dispatcher.checkNow(monitor, window, now);
    }
  }

  private async recordWatermarks(): Promise<void> {
    for (const shard of this.shards.values()) {
      const watermark = shard.lease.isHeld() ? shard.takeWatermark() : undefined;
      if (watermark !== undefined) await this.watermarks.write(shard.index, watermark);
    }
  }

  private async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
    await this.holder.stop(this);
    await this.feed.stop();
  }

  /** Repeats until the service stops; a round that fails is logged and the next one tries again. */
  private async every(ms: number, round: () => Promise<void>): Promise<void> {
    while (!this.stopping) {
      await round().catch((error: unknown) => this.logger.warn(`will be tried again: ${String(error)}`));
      await pause(ms);
    }
  }

  /** How long ago the oldest waiting window fell due; negative when it is yet to. */
  private latestMs(): number {
    const now = this.clock.now();
    let latest = -Infinity;
    for (const shard of this.shards.values()) latest = Math.max(latest, now - (shard.schedule.nextDueAt ?? Infinity));
    return latest;
  }

  private shardOf(monitorId: string): number {
    return shardOf(monitorId, this.config.shards);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
