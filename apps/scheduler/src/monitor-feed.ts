import { Injectable, Logger } from '@nestjs/common';
import { monitorConfig, streams, type Monitor } from '@tocsin/contracts';
import { type Follow, Messaging } from '@tocsin/messaging';
import type { ProbedMonitor } from './schedule.ts';

export type FeedListener = (change: { monitorId: string; monitor: ProbedMonitor | undefined; fresh: boolean }) => void;

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

  constructor(private readonly messaging: Messaging) {}

  /** Loads all monitors, then goes on telling of changes. Resolves when all that was there has been loaded. */
  async start(listener: FeedListener): Promise<void> {
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

  all(): IterableIterator<ProbedMonitor> {
    return this.scheduled.values();
  }

  get size(): number {
    return this.scheduled.size;
  }

  private take(data: unknown, tell: (change: { monitorId: string; monitor: ProbedMonitor | undefined }) => void): void {
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
    tell({ monitorId: config.id, monitor });
  }
}

function isScheduled(monitor: Monitor): monitor is ProbedMonitor {
  return monitor.spec.kind !== 'heartbeat' && !monitor.spec.paused;
}
