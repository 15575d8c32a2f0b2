import { Inject, Injectable } from '@nestjs/common';
import { consumers } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';

/** A road that was cut gets this long to bring what waited on it before anything counts as absent. */
const SETTLE_MS = 5_000;
/** With more than this waiting in the stream, results are late and not missing. */
const BACKLOG_MAX = 1_000;
/** Between two beats, the clock goes on by a second. If by more than this, or back: the process stood still, or it was set. */
const STANDSTILL_MS = 5_000;

const OURS: readonly string[] = [consumers.incidentsResults.durable, consumers.incidentsHeartbeats.durable];

/** Whether results can come in at all, as far as this instance knows: its own absence is nobody's silence. */
@Injectable()
export class Road {
  /** Since when both the broker and the database have answered; undefined while one of them does not. */
  private since: number | undefined;
  private lastBeat: number | undefined;

  constructor(
    private readonly messaging: Messaging,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): number {
    return this.clock.now();
  }

  /** Notes whether the database has answered just now. */
  note(databaseAnswers: boolean): void {
    if (databaseAnswers && this.messaging.status().connected) this.since ??= this.clock.now();
    else this.since = undefined;
  }

  /**
   * Notes that time goes on; for a timer, about once a second. After a standstill, or a step of the clock, the road opens
   * anew: all that came meanwhile is still to be read, and nobody was silent.
   */
  beat(): void {
    const now = this.clock.now();
    if (Math.abs(now - (this.lastBeat ?? now)) > STANDSTILL_MS) this.since = undefined;
    this.lastBeat = now;
  }

  get openSince(): number | undefined {
    return this.since;
  }

  /** Whether it has been open for long enough to judge what did not come. */
  isSettled(): boolean {
    return this.since !== undefined && this.clock.now() - this.since >= SETTLE_MS;
  }

  /**
   * Whether what was published has been folded, all but a few. A broker that elects names no stream and no consumer that
   * has no leader: then nobody can say what waits.
   */
  async isCaughtUp(): Promise<boolean> {
    const queues = await this.messaging.queues();
    const waiting = queues.flatMap((queue) => queue.consumers).filter(({ durable }) => OURS.includes(durable));
    if (waiting.length < OURS.length) return false;
    return waiting.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, 0) <= BACKLOG_MAX;
  }
}
