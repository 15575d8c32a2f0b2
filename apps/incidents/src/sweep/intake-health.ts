import { Inject, Injectable } from '@nestjs/common';
import { consumers } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';

/** After an outage, results that waited get this long to come in before anything counts as absent. */
const SETTLE_MS = 5_000;
/** With more messages than this waiting in the stream, results are late and not missing. */
const BACKLOG_MAX = 1_000;
/** The clock goes on by a second between two ticks. If it goes on by more than this, or back, the process stood still or the clock was set. */
const STANDSTILL_MS = 5_000;

const OURS: readonly string[] = [consumers.incidentsResults.durable, consumers.incidentsHeartbeats.durable];

/** Knows whether results can reach this instance. While they cannot, it must not call a monitor silent. */
@Injectable()
export class IntakeHealth {
  /** Since when both the broker and the database have answered; undefined while one of them does not. */
  private since: number | undefined;
  private lastTickAt: number | undefined;

  constructor(
    private readonly messaging: Messaging,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): number {
    return this.clock.now();
  }

  /** Records whether the database has just answered. */
  recordDatabase(databaseAnswers: boolean): void {
    if (databaseAnswers && this.messaging.status().connected) this.since ??= this.clock.now();
    else this.since = undefined;
  }

  /**
   * Compares the clock with the last call; call it about once a second. After a standstill, or a step of the clock, the
   * intake opens again: all results of that time are still to be read, and no monitor was silent.
   */
  tick(): void {
    const now = this.clock.now();
    if (Math.abs(now - (this.lastTickAt ?? now)) > STANDSTILL_MS) this.since = undefined;
    this.lastTickAt = now;
  }

  get openSince(): number | undefined {
    return this.since;
  }

  /** Whether it has been open for long enough to judge what did not come in. */
  isSettled(): boolean {
    return this.since !== undefined && this.clock.now() - this.since >= SETTLE_MS;
  }

  /**
   * Whether nearly all published results have been folded. During an election the broker does not name the streams and
   * consumers without a leader: then the number of waiting messages is unknown, and the answer is no.
   */
  async isCaughtUp(): Promise<boolean> {
    const queues = await this.messaging.queues();
    const waiting = queues.flatMap((queue) => queue.consumers).filter(({ durable }) => OURS.includes(durable));
    if (waiting.length < OURS.length) return false;
    return waiting.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, 0) <= BACKLOG_MAX;
  }
}
