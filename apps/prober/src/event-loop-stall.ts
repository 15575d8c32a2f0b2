import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';

const TICK_MS = 100;
/** Every timer is a little late. */
const USUAL_MS = 20;
/** Having stood still for this part of its timeout, a check that ran out of time says more of the prober than of its target. */
const SHARE = 0.25;

/**
 * How long this process did not run though it would have: frozen, or on a machine that was too busy. The answers of targets
 * waited for it meanwhile, and the timers did not.
 */
@Injectable()
export class EventLoopStall implements OnModuleDestroy {
  private sumMs = 0;
  private tickedAt: number;
  private readonly timer: NodeJS.Timeout;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {
    this.tickedAt = clock.monotonic();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  /** All of it since the start, in ms: the difference between two times is what fell between them. */
  get totalMs(): number {
    return this.sumMs + this.lateMs;
  }

  /** Whether a check may have run out of time because of this process alone. */
  wasFrozenDuring(check: { reason: string; timeoutMs: number; stalledMs: number }): boolean {
    return check.reason === 'timeout' && check.stalledMs >= check.timeoutMs * SHARE;
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** After a standstill, timers that are due run before this one. */
  private get lateMs(): number {
    const late = this.clock.monotonic() - this.tickedAt - TICK_MS;
    return late > USUAL_MS ? late : 0;
  }

  private tick(): void {
    this.sumMs += this.lateMs;
    this.tickedAt = this.clock.monotonic();
  }
}
