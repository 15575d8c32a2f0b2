import { Inject, Injectable, Logger } from '@nestjs/common';
import { type Clock, durationMs, gridOf, sleep, windowAt } from '@tocsin/core';
import type { Lease } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';
import { TaskPublisher } from './task-publisher.ts';
import { type FeedChange, MonitorFeed } from './monitor-feed.ts';
import type { DueWindow } from './schedule.ts';
import type { ShardListener } from './shard-holder.ts';
import { Shard } from './shard.ts';
import { Watermarks } from './watermarks.ts';

const MAX_PER_TICK = 2_000;
/** More windows on their way than this, and the shard waits: the stream is slower than the schedule. */
const MAX_PENDING = 4_096;
const GIVE_UP_MS = 2_000;
const POLL_MS = 10;
const STANDSTILL_MS = 1_000;

/** The shards that this instance holds, run from their watermarks on. */
@Injectable()
export class RunningShards implements ShardListener {
  private readonly logger = new Logger(RunningShards.name);
  private readonly shards = new Map<number, Shard>();
  private awakeAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly feed: MonitorFeed,
    private readonly tasks: TaskPublisher,
    private readonly watermarks: Watermarks,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The numbers of the shards. */
  get held(): number[] {
    return [...this.shards.keys()];
  }

  /** Looks on from now on at how far others come with theirs. */
  async start(): Promise<void> {
    await this.watermarks.start();
  }

  async stop(): Promise<void> {
    await this.watermarks.stop();
  }

  async gained(index: number, lease: Lease): Promise<void> {
    const now = this.clock.now();
    const shard = new Shard(index, lease, await this.watermarkOf(index, now));
    for (const monitor of this.feed.ofShard(index)) shard.schedule.put(monitor, now, shard.watermark);
    // It may have run out on the way here: to go on past the end of a lease is for who was running under it.
    if (lease.isHeld()) this.shards.set(index, shard);
  }

  async giveUp(index: number): Promise<void> {
    const shard = this.shards.get(index);
    if (!shard) return;
    this.shards.delete(index);
    const deadline = this.clock.monotonic() + GIVE_UP_MS;
    while (shard.pending > 0 && this.clock.monotonic() < deadline) {
      await sleep(POLL_MS);
    }
    await this.watermarks.write(index, shard.watermark);
  }

  lost(index: number): void {
    this.shards.delete(index);
  }

  /**
   * Hands out what is due in every shard. One whose lease ran out goes on until it is said to be lost: while the broker
   * elects a leader for the leases, no instance can renew or take one. Should another run the shard after
   * all, both publish the same ids, and the stream drops the doubles.
   */
  tick(): void {
    const now = this.clock.now();
    this.noticeStandstill();
    for (const shard of this.shards.values()) {
      if (shard.pending >= MAX_PENDING) continue;
      shard.tell(now);
      const due = shard.schedule.take(now, MAX_PER_TICK);
      for (const window of due) this.send(shard, window);
      shard.advance(due.length < MAX_PER_TICK ? now : due.at(-1)!.dueAt - 1);
    }
  }

  /** Takes on what changed. A new or changed monitor is also checked at once. */
  change({ monitorId, monitor, at, fresh }: FeedChange): void {
    this.noticeStandstill();
    const shard = this.shards.get(this.feed.shardOf(monitorId));
    if (!shard) return;
    if (!monitor) {
      for (const owed of shard.schedule.remove(monitorId, at)) this.send(shard, owed);
      return;
    }
    const now = this.clock.now();
    shard.tell(now);
    // The watermark says nothing of a grid that was not known here: it is run from its beginning.
    for (const owed of shard.schedule.put(monitor, now, monitor.gridSince)) this.send(shard, owed);
    if (!fresh) return;
    const window = windowAt(gridOf(monitor.id, durationMs(monitor.spec.interval)), now);
    void this.tasks.checkNow(monitor, window, now);
  }

  /** Writes down how far each shard has come. */
  async recordWatermarks(): Promise<void> {
    for (const shard of this.shards.values()) {
      const watermark = shard.lease.isHeld() ? shard.takeWatermark() : undefined;
      if (watermark !== undefined) await this.watermarks.write(shard.index, watermark);
    }
  }

  /** How long the oldest window has been due that was not handed out; 0 when none is. */
  lagMs(): number {
    const now = this.clock.now();
    return Math.max(0, ...[...this.shards.values()].map(({ schedule }) => now - (schedule.nextDueAt ?? now)));
  }

  /** A process that stood still knows nothing of what others did meanwhile: only a lease that holds says that it may go on. */
  private noticeStandstill(): void {
    const now = this.clock.monotonic();
    if (now - this.awakeAt > STANDSTILL_MS) this.stopUnheld();
    this.awakeAt = now;
  }

  private stopUnheld(): void {
    for (const { index, lease } of this.shards.values()) {
      if (lease.isHeld()) continue;
      this.shards.delete(index);
      this.logger.warn(`shard ${index} stopped: this process stood still, and its lease ran out`);
    }
  }

  /** A shard's first watermark is written before its first window: an instance that takes over must not begin at its own now. */
  private async watermarkOf(index: number, now: number): Promise<number> {
    const recorded = await this.watermarks.read(index);
    if (recorded === undefined) await this.watermarks.write(index, now);
    return recorded ?? now;
  }

  private send(shard: Shard, due: DueWindow): void {
    shard.started(due.dueAt);
    void this.tasks.publishDue(due).finally(() => shard.finished(due.dueAt));
  }
}
