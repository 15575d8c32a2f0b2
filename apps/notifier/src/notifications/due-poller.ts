import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Clock, Loop, sleep, TocsinError } from '@tocsin/core';
import { CLOCK, Drain } from '@tocsin/service';
import { NotificationSender } from './notification-sender.ts';
import { LEASE_MS, PROMPT_MS } from './notifications.sql.ts';
import { NotificationsStore } from './notifications.store.ts';

const POLL_MS = 500;
const RENEW_MS = LEASE_MS / 4;
const TIDY_MS = 600_000;
const KEPT_DAYS = 400;
/** After the database was unreachable or stood still, and after a start, holders of claims get this long to settle or renew them. */
const STEADY_MS = LEASE_MS + 500;
/** At a stop, sending gets this long to end; another instance takes over the rest when its claims run out. */
const FINISH_MS = 5_000;

/** Finds what is due: retries, reminders, and what a killed instance left behind. */
@Injectable()
export class DuePoller implements OnApplicationBootstrap {
  private readonly logger = new Logger('DuePoller');
  private steadySince: number;
  private lookedAt = -Infinity;

  constructor(
    private readonly store: NotificationsStore,
    private readonly sender: NotificationSender,
    private readonly drain: Drain,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.steadySince = clock.monotonic();
  }

  onApplicationBootstrap(): void {
    // Not Periodic: each failure also ends the steady time.
    const failed = (error: unknown) => this.failed(error);
    const polling: Loop = new Loop(POLL_MS, async () => (await this.poll()) && polling.nudge(), failed);
    const tidying = new Loop(TIDY_MS, () => this.store.tidy(KEPT_DAYS), failed);
    // No loop: a renewal that hangs must not hold up the next one, on which every claim depends.
    const renewing = setInterval(() => void this.renew().catch(failed), RENEW_MS);
    this.sender.onNudge(() => polling.nudge());
    this.drain.onStop('stop-taking', () => polling.stop());
    this.drain.onStop('finish', async () => {
      await Promise.all([this.finish(), tidying.stop()]);
      clearInterval(renewing);
    });
    polling.nudge();
  }

  /** @returns whether there may be more to take at once */
  private async poll(): Promise<boolean> {
    const limit = this.sender.room;
    if (limit <= 0) return false;
    const { holder, held, perChannel } = this.sender;
    const busy = this.sender.busy();
    const lapsedBy = await this.lapsedBy();
    const since = this.clock.monotonic();
    const claimed = await this.timed(() => this.store.claim({ holder, held, limit, perChannel, busy, lapsedBy }));
    if (claimed.length === 0) return false;
    const channels = await this.store.channels([...new Set(claimed.map((one) => one.channelId))]);
    for (const one of claimed) void this.sender.send(one, channels.get(one.channelId), since);
    return claimed.length === limit;
  }

  /**
   * Claims that ran out before this are anybody's; undefined: none is. Seen before they are taken, so that a server that
   * stands still in between makes no claim run out that its holder could not renew.
   */
  private async lapsedBy(): Promise<Date | undefined> {
    const now = this.clock.monotonic();
    if (!this.isSteady() || now - this.lookedAt < POLL_MS) return undefined;
    this.lookedAt = now;
    const at = await this.timed(() => this.store.now());
    return this.isSteady() ? at : undefined;
  }

  private isSteady(): boolean {
    return this.clock.monotonic() - this.steadySince >= STEADY_MS;
  }

  private async renew(): Promise<void> {
    const { held, holder } = this.sender;
    if (held.length > 0) await this.timed(() => this.store.renew(holder, held));
  }

  /** A server that was slow to answer may have stood still, and nobody could renew a claim meanwhile. */
  private async timed<T>(fn: () => Promise<T>): Promise<T> {
    const began = this.clock.monotonic();
    const result = await fn();
    const ended = this.clock.monotonic();
    if (ended - began > PROMPT_MS) this.steadySince = ended;
    return result;
  }

  /** While the database is unreachable nothing is due. Other instances keep their claims until they have had time to renew them. */
  private failed(error: unknown): void {
    this.steadySince = this.clock.monotonic();
    const expected = error instanceof TocsinError && error.retry;
    this.logger[expected ? 'warn' : 'error'](`the notifications could not be read: ${String(error)}`);
  }

  private async finish(): Promise<void> {
    const until = this.clock.monotonic() + FINISH_MS;
    while (this.sender.held.length > 0 && this.clock.monotonic() < until) {
      await sleep(10);
    }
  }
}
