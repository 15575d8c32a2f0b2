import type { Lease } from '@tocsin/messaging';
import { Schedule } from './schedule.ts';

/** One shard that this instance holds: its lease, its schedule, and what of it is still on its way to the stream. */
export class Shard {
  readonly schedule = new Schedule();
  /** How many windows of each due time are on their way. */
  private readonly inFlight = new Map<number, number>();
  private onTheWay = 0;
  private published: number;
  private recorded: number;
  /** Windows were handed out that the recorded watermark does not know of. */
  private moved = false;
  private toldAt = -Infinity;

  constructor(
    readonly index: number,
    readonly lease: Lease,
    watermark: number,
  ) {
    this.published = watermark;
    this.recorded = watermark;
  }

  /** Tells it the time, before anything is taken. A clock that was set back takes the schedule and the watermark along. */
  tell(now: number): void {
    if (now < this.toldAt) {
      this.schedule.rewind(now);
      this.published = Math.min(this.published, now);
      this.recorded = -Infinity;
      this.moved = true;
    }
    this.toldAt = now;
  }

  /** Windows due up to here have been handed to the publisher. */
  advance(now: number): void {
    this.published = Math.max(this.published, now);
  }

  /** Notes that a window's tasks are on their way. */
  started(dueAt: number): void {
    this.moved = true;
    this.onTheWay += 1;
    this.inFlight.set(dueAt, (this.inFlight.get(dueAt) ?? 0) + 1);
  }

  /** Notes that the stream has a window's tasks. */
  finished(dueAt: number): void {
    this.onTheWay -= 1;
    const left = (this.inFlight.get(dueAt) ?? 1) - 1;
    if (left > 0) this.inFlight.set(dueAt, left);
    else this.inFlight.delete(dueAt);
  }

  /** How many windows are on their way. */
  get pending(): number {
    return this.onTheWay;
  }

  /** Every window due up to this time is in the stream. */
  get watermark(): number {
    let oldest = Infinity;
    for (const dueAt of this.inFlight.keys()) oldest = Math.min(oldest, dueAt);
    return Math.min(this.published, oldest - 1);
  }

  /**
   * The watermark to record, or undefined while the recorded one still serves: with nothing handed out since, a new
   * holder that resumes from it repeats nothing.
   */
  takeWatermark(): number | undefined {
    const watermark = this.watermark;
    if (!this.moved || watermark <= this.recorded) return undefined;
    this.moved = this.pending > 0;
    this.recorded = watermark;
    return watermark;
  }
}
