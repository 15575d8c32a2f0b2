import { Inject, Injectable, Logger } from '@nestjs/common';
import { isProbed, monitorConfig, streams, type AnyMonitor } from '@tocsin/contracts';
import { shardOf } from '@tocsin/core';
import { type Follow, Messaging } from '@tocsin/messaging';
import { CONFIG } from '@tocsin/service';
import type { ProbedMonitor } from './schedule.ts';
import type { SchedulerConfig } from './scheduler.config.ts';

/** A monitor that came or changed, or that is no longer to be run (`monitor` undefined). */
export interface FeedChange {
  monitorId: string;
  monitor: ProbedMonitor | undefined;
  /** When it was changed, or deleted; undefined where that is not known. */
  at: number | undefined;
  /** It happened now; false for what was there when the feed began. */
  fresh: boolean;
}

/**
 * Every monitor that is run on a grid, held in memory from configuration events: scheduling goes on while the database
 * is away, and an instance that starts needs the stream alone.
 */
@Injectable()
export class MonitorFeed {
  private readonly logger = new Logger(MonitorFeed.name);
  private readonly revisions = new Map<string, number>();
  private readonly scheduled = new Map<string, ProbedMonitor>();
  private follow: Follow | undefined;

  constructor(
    private readonly messaging: Messaging,
    @Inject(CONFIG) private readonly config: SchedulerConfig,
  ) {}

  /** Loads all monitors, then goes on telling of changes. Resolves when all that was there has been loaded. */
  async start(listener: (change: FeedChange) => void): Promise<void> {
    let caughtUp = false;
    this.follow = await this.messaging.follow(
      { stream: streams.config.name, filters: ['config.monitors.>'], from: 'last-per-subject' },
      (message) => this.take(message.data, (change) => listener({ ...change, fresh: caughtUp })),
    );
    await this.follow.caughtUp;
    caughtUp = true;
    this.logger.log(`${this.scheduled.size} monitors loaded`);
  }

  async stop(): Promise<void> {
    await this.follow?.stop();
  }

  /** The shard that a monitor belongs to. */
  shardOf(monitorId: string): number {
    return shardOf(monitorId, this.config.shards);
  }

  /** The monitors of one shard. */
  ofShard(shard: number): ProbedMonitor[] {
    return [...this.scheduled.values()].filter(({ id }) => this.shardOf(id) === shard);
  }

  get size(): number {
    return this.scheduled.size;
  }

  private take(data: unknown, tell: (change: Omit<FeedChange, 'fresh'>) => void): void {
    const parsed = monitorConfig.safeParse(data);
    if (!parsed.success) {
      this.logger.error(`a configuration message is not one we understand and is left out: ${parsed.error.message}`);
      return;
    }
    const config = parsed.data;
    if (config.revision <= (this.revisions.get(config.id) ?? 0)) return;
    this.revisions.set(config.id, config.revision);
    const monitor = 'deleted' in config || !isScheduled(config) ? undefined : config;
    if (monitor) this.scheduled.set(config.id, monitor);
    else this.scheduled.delete(config.id);
    tell({ monitorId: config.id, monitor, at: 'deleted' in config ? config.at : config.updatedAt });
  }
}

function isScheduled(monitor: AnyMonitor): monitor is ProbedMonitor {
  return isProbed(monitor.spec) && !monitor.spec.paused;
}
